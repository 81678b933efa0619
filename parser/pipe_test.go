package parser_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// timeout is what a connection returns when its read deadline has passed.
var timeout error = os.ErrDeadlineExceeded

// pipe is the reading side of a connection, in the hands of a test. Each Read gives one piece, or what fits of it. When
// no piece has come Read blocks, as on a socket on which nothing arrives, and says so: a test need not wait for a clock
// to know that a Reader would hang.
type pipe struct {
	pieces  chan any // strings and errors
	rest    string   // of the piece that has been begun
	starved chan struct{}
	end     func()
}

// newPipe returns a pipe on which pieces have come, each a string or an error.
func newPipe(t testing.TB, pieces ...any) *pipe {
	p := &pipe{pieces: make(chan any, len(pieces)+1024), starved: make(chan struct{}, 1)}
	p.end = sync.OnceFunc(func() { close(p.pieces) })
	t.Cleanup(p.end)
	p.send(pieces...)
	return p
}

// send makes pieces come. After end there are none, and Read returns io.EOF.
func (p *pipe) send(pieces ...any) {
	for _, piece := range pieces {
		p.pieces <- piece
	}
}

func (p *pipe) Read(b []byte) (int, error) {
	for p.rest == "" {
		switch piece := p.wait().(type) {
		case nil:
			return 0, io.EOF
		case error:
			return 0, piece
		case string:
			p.rest = piece
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// wait returns the next piece, or nil after the last.
func (p *pipe) wait() any {
	select {
	case piece := <-p.pieces:
		return piece
	default:
	}
	select {
	case p.starved <- struct{}{}:
	default:
	}
	return <-p.pieces
}

// within runs f, fails the test if f waits for bytes that have not come, and returns what f returned.
func (p *pipe) within(t *testing.T, f func() error) error {
	t.Helper()
	select {
	case err := <-background(f):
		return err
	case <-p.starved:
		t.Fatal("waits for bytes that nothing guarantees")
	}
	return nil
}

// waiting runs f and fails the test unless f waits for more bytes. What f returns in the end comes from the channel.
func (p *pipe) waiting(t *testing.T, f func() error) <-chan error {
	t.Helper()
	done := background(f)
	select {
	case err := <-done:
		t.Fatalf("returned %v before the bytes it needs had come", err)
	case <-p.starved:
	}
	return done
}

// background runs f beside the test.
func background(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	return done
}

// next takes the next frame of r, which must have come, and wants it to be wire.
func (p *pipe) next(t *testing.T, r *parser.Reader, wire string, args ...any) {
	t.Helper()
	p.takes(t, (*parser.Reader).Next, r, wire, args...)
}

// takes is next for another way to take a frame.
func (p *pipe) takes(t *testing.T, take take, r *parser.Reader, wire string, args ...any) {
	t.Helper()
	var got parser.Frame
	err := p.within(t, func() (err error) {
		got, err = take(r)
		return err
	})
	require.NoError(t, err, args...)
	require.Equal(t, wire, string(got.Raw()), args...)
}

// hold puts a Reader on a connection. own is nil if the Reader has its own buffer.
type hold func(rd io.Reader, opts ...parser.Option) (r *parser.Reader, own *bufio.Reader)

// bufferSizes are the smallest that bufio has, one that is no power of two, one that a short push just does not fit
// into, the one that lost messages in another client, and a real one.
var bufferSizes = []int{16, 17, 32, 4072, 32768}

// ownBuffer is a Reader with a buffer of its own.
func ownBuffer(size int) hold {
	return func(rd io.Reader, opts ...parser.Option) (*parser.Reader, *bufio.Reader) {
		return parser.NewReader(rd, append(opts, parser.WithBufferSize(size))...), nil
	}
}

// inPlace is a Reader that works in a client's own buffer.
func inPlace(size int) hold {
	return func(rd io.Reader, opts ...parser.Option) (*parser.Reader, *bufio.Reader) {
		own := bufio.NewReaderSize(rd, size)
		return parser.NewReader(own, opts...), own
	}
}

// eachHold runs test for each way to hold the bytes of a connection.
func eachHold(t *testing.T, test func(t *testing.T, hold hold)) {
	for _, size := range bufferSizes {
		t.Run(fmt.Sprint("own=", size), func(t *testing.T) { test(t, ownBuffer(size)) })
		t.Run(fmt.Sprint("bufio=", size), func(t *testing.T) { test(t, inPlace(size)) })
	}
}

// take takes the next frame, waiting for it.
type take func(r *parser.Reader) (parser.Frame, error)

// takers are the ways to take a push.
var takers = []struct {
	name string
	take take
}{
	{"Next", (*parser.Reader).Next},
	{"PeekedNext", func(r *parser.Reader) (parser.Frame, error) {
		if _, err := r.PeekType(); err != nil {
			return parser.Frame{}, err
		}
		if _, _, err := r.PeekPush(); err != nil {
			return parser.Frame{}, err
		}
		return r.Next()
	}},
	{"NextPush", func(r *parser.Reader) (parser.Frame, error) {
		f, _, err := r.Driver().NextPush(false)
		return f, err
	}},
	{"one NextBuffered", func(r *parser.Reader) (parser.Frame, error) {
		for {
			f, _, err := bufferedPush(r, false)
			if err != parser.ErrIncomplete {
				return f, err
			}
			if err = r.Driver().Fill(); err != nil {
				return parser.Frame{}, err
			}
		}
	}},
}

// eachTaker runs test for each way to hold the bytes of a connection and to take a push off it.
func eachTaker(t *testing.T, test func(t *testing.T, hold hold, take take)) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, taker := range takers {
			t.Run(taker.name, func(t *testing.T) { test(t, hold, taker.take) })
		}
	})
}

// cut gives wire in two pieces.
func cut(wire string, at int) []any {
	if at == 0 || at == len(wire) {
		return []any{wire}
	}
	return []any{wire[:at], wire[at:]}
}

// chunks gives wire in pieces of n bytes.
func chunks(wire string, n int) []any {
	var pieces []any
	for ; len(wire) > n; wire = wire[n:] {
		pieces = append(pieces, wire[:n])
	}
	return append(pieces, wire)
}

// bytewise gives wire byte by byte, and behind each byte what else is given.
func bytewise(wire string, behind ...any) []any {
	var pieces []any
	for i := range len(wire) {
		pieces = append(append(pieces, wire[i:i+1]), behind...)
	}
	return pieces
}

const (
	pong       = "+PONG\r\n"
	invalidate = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n"
	attribute  = "|1\r\n+k\r\n+v\r\n"
)

// nextPush is NextPush of a Reader's Driver.
func nextPush(r *parser.Reader, leavePubSub bool) (parser.Frame, bool, error) {
	return r.Driver().NextPush(leavePubSub)
}

// bufferedPushes calls handle for each push that NextBuffered takes, until
// handle returns false.
func bufferedPushes(r *parser.Reader, leavePubSub bool, handle func(f parser.Frame, again bool) (more bool)) error {
	d := r.Driver()
	var b parser.Burst
	for {
		f, again, ok, err := d.NextBuffered(&b, leavePubSub)
		if !ok {
			return err
		}
		if !handle(f, again) {
			d.Reclaim()
			return nil
		}
	}
}

// bufferedPush takes one push with NextBuffered, or says why there is none to take.
func bufferedPush(r *parser.Reader, leavePubSub bool) (push parser.Frame, ok bool, err error) {
	err = bufferedPushes(r, leavePubSub, func(f parser.Frame, _ bool) bool {
		push, ok = f, true
		return false
	})
	return push, ok, err
}
