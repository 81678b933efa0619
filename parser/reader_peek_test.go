package parser_test

import (
	"bufio"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// peekCases are frames, and how many of their bytes a peek has to see. A name that is 0 is that of no push.
var peekCases = []struct {
	wire       string
	typ        parser.Type
	name       string
	push       bool
	typeAt     int // bytes up to the type byte
	nameBehind int // bytes from there on up to the name's end
}{
	{"+OK\r\n", '+', "", false, 1, 0},
	{"$5\r\n>1\r\n+\r\n", '$', "", false, 1, 0},
	{"$-1\r\n", '$', "", false, 1, 0},
	{"*2\r\n>1\r\n+p\r\n:1\r\n:2\r\n", '*', "", false, 1, 0},
	{attribute + "$2\r\nhi\r\n", '$', "", false, 13, 0},
	{attribute + attribute + "_\r\n", '_', "", false, 25, 0},
	{"|0\r\n|0\r\n#t\r\n", '#', "", false, 9, 0},
	{">1\r\n$4\r\nname\r\n", '>', "name", true, 1, 11},
	{">1\r\n+name\r\n", '>', "name", true, 1, 10}, // a CR alone would be text
	{">2\r\n=8\r\ntxt:name\r\n:1\r\n", '>', "name", true, 1, 15},
	{">1\r\n$0\r\n\r\n", '>', "", true, 1, 7},
	{">2\r\n|0\r\n$1\r\nn\r\n:1\r\n", '>', "n", true, 1, 12},
	{">1\r\n$?\r\n;1\r\na\r\n;0\r\n", '>', "a", true, 1, 18},
	{">1\r\n:42\r\n", '>', "", true, 1, 4},
	{">2\r\n*1\r\n:1\r\n+a\r\n", '>', "", true, 1, 4},
	{">1\r\n$-1\r\n", '>', "", true, 1, 8},
	{">0\r\n", '>', "", true, 1, 3},
	{attribute + ">1\r\n$1\r\nn\r\n", '>', "n", true, 13, 8},
}

// nameless says whether the push of a case has no name at all.
func nameless(wire string) bool {
	f, _, _ := parser.Parse([]byte(wire))
	return f.Name() == nil
}

func TestPeekTypeWaitsForTheTypeByteOnly(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, c := range peekCases {
			p := newPipe(t, c.wire[:c.typeAt-1])
			r, _ := hold(p)
			peek := func() error {
				typ, err := r.PeekType()
				if err == nil && typ != c.typ {
					err = fmt.Errorf("type %s", typ)
				}
				return err
			}
			done := p.waiting(t, peek)
			p.send(c.wire[c.typeAt-1 : c.typeAt])
			require.NoError(t, <-done, "%q", c.wire)
			require.NoError(t, p.within(t, peek), "%q", c.wire)
			p.send(c.wire[c.typeAt:])
			require.NoError(t, p.within(t, peek), "%q", c.wire)
			p.next(t, r, c.wire)
		}
	})
}

func TestPeekPushWaitsForTheNameOnly(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, c := range peekCases {
			seen := c.typeAt + c.nameBehind
			p := newPipe(t, c.wire[:seen-1])
			r, _ := hold(p)
			peek := func() error {
				name, push, err := r.PeekPush()
				if err == nil && (push != c.push || string(name) != c.name || (name == nil) != nameless(c.wire)) {
					err = fmt.Errorf("push %t, name %q", push, name)
				}
				return err
			}
			done := p.waiting(t, peek)
			p.send(c.wire[seen-1 : seen])
			require.NoError(t, <-done, "%q", c.wire)
			require.NoError(t, p.within(t, peek), "%q", c.wire)
			p.send(c.wire[seen:] + pong)
			require.NoError(t, p.within(t, peek), "%q", c.wire)
			p.next(t, r, c.wire)
			p.next(t, r, pong)
		}
	})
}

// read is a client that reads wire from its own buffer, without the Reader.
func (p *pipe) read(t *testing.T, own *bufio.Reader, wire string, args ...any) {
	t.Helper()
	b := make([]byte, len(wire))
	err := p.within(t, func() error {
		_, err := io.ReadFull(own, b)
		return err
	})
	require.NoError(t, err, args...)
	require.Equal(t, wire, string(b), args...)
}

// A client peeks, and then reads the frame from its own buffer as if there was no Reader.
func TestPeekLeavesEveryByteInTheClientsBuffer(t *testing.T) {
	for _, size := range []int{32, 4072} {
		for _, c := range peekCases {
			p := newPipe(t, c.wire+pong+c.wire)
			r, own := inPlace(size)(p)
			_, err := own.Peek(1)
			require.NoError(t, err)
			for range 2 {
				buffered := own.Buffered()
				typ, err := r.PeekType()
				require.NoError(t, err)
				require.Equal(t, c.typ, typ)
				name, push, err := r.PeekPush()
				require.NoError(t, err)
				require.Equal(t, c.push, push)
				require.Equal(t, c.name, string(name))
				require.Equal(t, buffered, own.Buffered())
				require.Zero(t, must(r.Pending()), "nothing has been begun")
			}
			p.read(t, own, c.wire)
			require.Equal(t, parser.Type('+'), must(r.PeekType()))
			p.next(t, r, pong)
			p.next(t, r, c.wire)
		}
	}
}

func TestPeekAfterTimeOutsAtEveryByte(t *testing.T) {
	for _, size := range []int{32, 4072} {
		for _, c := range peekCases {
			p := newPipe(t, bytewise(c.wire, timeout)...)
			p.send(pong)
			r, own := inPlace(size)(p)
			for range 2 {
				typ, err := again(r.PeekType)
				require.NoError(t, err)
				require.Equal(t, c.typ, typ)
				_, err = again(func() (string, error) {
					name, push, err := r.PeekPush()
					if err == nil && (push != c.push || string(name) != c.name) {
						err = fmt.Errorf("push %t, name %q", push, name)
					}
					return "", err
				})
				require.NoError(t, err, "%q", c.wire)
			}
			// The client reads the rest of the frame through its own time-outs.
			b := make([]byte, len(c.wire))
			for n := 0; n < len(b); {
				k, err := own.Read(b[n:])
				if err != nil {
					require.Equal(t, timeout, err)
				}
				n += k
			}
			require.Equal(t, c.wire, string(b))
			_, push, err := again2(r.PeekPush)
			require.NoError(t, err)
			require.False(t, push)
			p.next(t, r, pong)
		}
	}
}

// again2 is again for a function of three results.
func again2[T, U any](f func() (T, U, error)) (t T, u U, err error) {
	_, err = again(func() (struct{}, error) {
		t, u, err = f()
		return struct{}{}, err
	})
	return t, u, err
}

// A peek that timed out leaves nothing behind: the client may read what it was looking at, and the Reader begins anew.
func TestPeekThatTimedOutIsForgotten(t *testing.T) {
	peeks := map[string]func(r *parser.Reader) error{
		"PeekType": uses["PeekType"],
		"PeekPush": uses["PeekPush"],
		"NextPush": func(r *parser.Reader) error {
			_, ok, err := r.Driver().NextPush(true)
			if ok {
				return fmt.Errorf("took it")
			}
			return err
		},
	}
	for name, peek := range peeks {
		for _, wire := range []string{
			attribute + "$2\r\nhi\r\n", // up to the type byte
			attribute + attribute + ":1\r\n",
		} {
			for at := range len(wire) - 8 {
				p := newPipe(t, cut(wire, at)[0])
				if at == 0 {
					p = newPipe(t)
				}
				p.send(timeout)
				r, own := inPlace(64)(p)
				require.Equal(t, timeout, peek(r), "%s, %q cut at %d", name, wire, at)
				require.Zero(t, must(r.Pending()))
				p.send(wire[at:])
				p.read(t, own, wire, name)
				p.send(invalidate)
				p.next(t, r, invalidate, name)
			}
		}
	}
}

// A name, or the attributes before a type byte, that are beyond the client's buffer have to be moved out of it. Pending
// tells so, and the Reader has the frame.
func TestPeekBeyondTheClientsBufferTellsWhatItMoved(t *testing.T) {
	for _, wire := range []string{
		invalidate, attribute + invalidate, attribute + attribute + "+OK\r\n", ">1\r\n$60\r\n" + fmt.Sprintf("%60d", 1) + "\r\n",
	} {
		p := newPipe(t, wire+pong)
		r, own := inPlace(16)(p)
		for range 3 {
			_, push, err := r.PeekPush()
			require.NoError(t, err)
			require.Equal(t, wire[len(wire)-5] != '+', push)
			typ, moved := r.Pending()
			require.NotZero(t, typ)
			require.NotZero(t, moved)
			require.LessOrEqual(t, own.Buffered(), 16)
		}
		p.next(t, r, wire)
		typ, moved := r.Pending()
		require.Zero(t, typ)
		require.Zero(t, moved)
		p.read(t, own, pong)
	}
}

func TestPeekReportsWhatIsWrongBeforeTheName(t *testing.T) {
	for _, c := range []struct {
		wire      string
		typ, push error // of PeekType and PeekPush
	}{
		{"?", &parser.SyntaxError{Err: parser.ErrType}, &parser.SyntaxError{Err: parser.ErrType}},
		{">1\r\n$4\r\nname\rX", nil, nil},
		{">-", nil, &parser.SyntaxError{Offset: 1, Err: parser.ErrLength}},
		{">1\r\n?", nil, &parser.SyntaxError{Offset: 4, Err: parser.ErrType}},
		{">1\r\n$x", nil, &parser.SyntaxError{Offset: 5, Err: parser.ErrLength}},
		{"*x", nil, nil},
		{"|1\r\n*x", &parser.SyntaxError{Offset: 5, Err: parser.ErrLength}, &parser.SyntaxError{Offset: 5, Err: parser.ErrLength}},
		{">1\r\n$600000000\r\n", nil, &parser.LimitError{Limit: "MaxBulk", Max: parser.DefaultMaxBulk, Got: 600000000, Offset: 4}},
	} {
		eachHold(t, func(t *testing.T, hold hold) {
			p := newPipe(t, c.wire)
			r, _ := hold(p)
			require.Equal(t, c.typ, p.within(t, func() error { return uses["PeekType"](r) }))
			require.Equal(t, c.typ, r.Err())
			require.Equal(t, c.push, p.within(t, func() error { return uses["PeekPush"](r) }))
			require.Equal(t, c.push, r.Err())
		})
	}
}

func TestPeekTellsHowTheStreamEnded(t *testing.T) {
	for _, name := range []string{"PeekType", "PeekPush"} {
		eachHold(t, func(t *testing.T, hold hold) {
			for _, wire := range []string{"", "|1\r\n+k", attribute} {
				p := newPipe(t, wire)
				p.end()
				r, _ := hold(p)
				want := io.ErrUnexpectedEOF
				if wire == "" {
					want = io.EOF
				}
				for range 2 {
					require.Equal(t, want, uses[name](r), "%q", wire)
				}
				require.NoError(t, r.Err())
			}
		})
	}
}
