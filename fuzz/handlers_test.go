package fuzz_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// An actor drives a Reader, and acts inside the handlers as well: it calls any
// method of the Reader, its Driver, its Source and the processor, and reads any
// number of bytes from the client's buffer. It logs all that it gets. What it
// does next is chosen for it, so that two Readers can be led the same way.
type actor struct {
	choose func(n int) int
	rd     *parser.Reader
	d      *parser.Driver
	own    *bufio.Reader // the client's buffer, nil for a Reader with a buffer of its own
	p      *dispatch.Processor
	v      *dispatch.VoidProcessor
	inside int // handlers that run
	log    []string
}

// The ways to hold a stream.
const (
	ownBuffer = iota
	inBufio
	inSource
	holds
)

// bare hides that a Source is a bufio.Reader.
type bare struct{ b *bufio.Reader }

func (s bare) Peek(n int) ([]byte, error) { return s.b.Peek(n) }
func (s bare) Discard(n int) (int, error) { return s.b.Discard(n) }
func (s bare) Buffered() int              { return s.b.Buffered() }
func (s bare) Read(b []byte) (int, error) { return s.b.Read(b) }

// newActor returns an actor for a stream.
func newActor(stream io.Reader, hold, size int, choose func(n int) int, opts ...parser.Option) *actor {
	a := &actor{choose: choose, v: dispatch.NewVoidProcessor()}
	switch hold {
	case ownBuffer:
		a.rd = parser.NewReader(stream, append(opts, parser.WithBufferSize(size))...)
	case inBufio:
		a.own = bufio.NewReaderSize(stream, size)
		a.rd = parser.NewReader(a.own, opts...)
	case inSource:
		a.own = bufio.NewReaderSize(stream, size)
		a.rd = parser.NewSourceReader(bare{a.own}, opts...)
	}
	a.d = a.rd.Driver()
	a.p = dispatch.NewProcessor(
		dispatch.WithFallback(dispatch.HandlerFunc(a.handle)),
		dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) { a.note("reported %q %T", name, err) }),
	)
	return a
}

func (a *actor) note(format string, args ...any) { a.log = append(a.log, fmt.Sprintf(format, args...)) }

// frame notes a frame and an error.
func (a *actor) frame(call string, f parser.Frame, err error) {
	a.note("%s %q %v", call, f.Raw(), err)
}

// handle is a handler that acts.
func (a *actor) handle(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	a.note("handles %q", push.Raw())
	a.acts()
	switch a.choose(10) {
	case 0:
		panic("handler")
	case 1:
		return errors.New("handler")
	}
	return nil
}

// acts does what a handler may do.
func (a *actor) acts() {
	if a.inside == 2 {
		return
	}
	a.inside++
	defer func() { a.inside-- }()
	for range a.choose(3) {
		switch a.choose(4) {
		case 0:
			a.call() // is refused
		case 1, 2:
			a.read()
		case 3:
			a.d.Reclaim()
			a.call()
			if a.choose(2) == 0 {
				a.d.Lend()
			}
		}
	}
}

// read reads from the client's buffer, whatever is there.
func (a *actor) read() {
	if a.own == nil {
		return
	}
	n := 1 + a.choose(40)
	switch a.choose(3) {
	case 0:
		b := make([]byte, n)
		n, err := io.ReadFull(a.own, b)
		a.note("reads %q %v", b[:n], err)
	case 1:
		b, err := a.own.Peek(n)
		a.note("peeks %q %v", b, err)
	case 2:
		n, err := a.own.Discard(n)
		a.note("discards %d %v", n, err)
	}
}

// call calls one method.
func (a *actor) call() {
	ctx, hctx, leave := context.Background(), dispatch.NotificationHandlerContext{}, a.choose(2) == 0
	switch a.choose(16) {
	case 0:
		f, err := a.rd.Next()
		a.frame("Next", f, err)
	case 1:
		a.note("Skip %v", a.rd.Skip())
	case 2:
		t, err := a.rd.PeekType()
		a.note("PeekType %v %v", t, err)
	case 3:
		name, ok, err := a.rd.PeekPush()
		a.note("PeekPush %q %v %v", name, ok, err)
	case 4:
		f, _, err := a.d.NextPush(leave)
		a.frame("NextPush", f, err)
	case 5, 6:
		var burst parser.Burst
		f, _, ok, err := a.d.NextBuffered(&burst, leave)
		for ; ok; f, _, ok, err = a.d.NextBuffered(&burst, leave) {
			a.note("takes %q", f.Raw())
			a.acts()
			if a.choose(8) == 0 {
				a.d.Reclaim()
				break
			}
		}
		a.note("NextBuffered %v", err)
	case 7:
		a.note("Fill %v", a.d.Fill())
	case 8:
		a.note("Withdraw %v", a.d.Withdraw())
	case 9:
		a.note("SkipOversize %v %v", a.rd.SkipOversize(), a.rd.Err())
	case 10, 11:
		a.note("ProcessPendingNotifications %v", a.p.ProcessPendingNotifications(ctx, hctx, a.rd))
	case 12:
		n, err := a.p.ProcessBuffered(ctx, hctx, a.rd)
		a.note("ProcessBuffered %d %v", n, err)
	case 13:
		switch a.choose(3) {
		case 0:
			a.note("ProcessPendingNotificationsBuffered %v", a.p.ProcessPendingNotificationsBuffered(ctx, hctx, a.rd))
		case 1:
			a.note("VoidProcessor %v", a.v.ProcessPendingNotifications(ctx, hctx, a.rd))
		case 2:
			a.note("Serve %v", a.p.Serve(ctx, hctx, a.rd, func(f parser.Frame) error {
				a.frame("reply", f, nil)
				a.acts()
				return nil
			}))
		}
	case 14:
		t, moved := a.rd.Pending()
		a.note("Pending %v %d, %d, %v", t, moved, a.rd.Buffered(), a.d.MayHavePush())
	case 15:
		if a.own != nil && a.choose(4) == 0 {
			a.rd.ResetSource(bare{a.own})
			a.note("ResetSource")
		} else {
			a.read()
		}
	}
}

// The fast path reads lengths of up to 99999; a Reader whose limit is below
// that goes without.
const (
	fastBulk    = "99999"
	generalBulk = "99998"
)

// lead makes two Readers of a stream do the same, one of them on the general
// path, and compares what they give.
func lead(t *testing.T, stream, cuts []byte, hold, size, calls int, choices func() func(n int) int) {
	t.Helper()
	var logs [2][]string
	for i, most := range []string{fastBulk, generalBulk} {
		n, err := strconv.Atoi(most)
		require.NoError(t, err)
		a := newActor(&vectors.Feed{Data: stream, Cuts: cuts, End: io.EOF}, hold, size, choices(), parser.WithLimits(parser.Limits{MaxBulk: n}))
		for range calls {
			a.call()
		}
		for _, line := range a.log { // the errors of limits tell them
			logs[i] = append(logs[i], strings.ReplaceAll(line, generalBulk, fastBulk))
		}
	}
	require.Equal(t, logs[1], logs[0])
}

// acted are the frames of the streams of TestBothPathsAgreeWhateverHandlersDo:
// replies with pushes in their payload among them, which a Reader that has lost
// step would dispatch.
var acted = []string{
	"+OK\r\n", ":1\r\n", "$-1\r\n", "$33\r\n>2\r\n$1\r\nb\r\n$1\r\ny\r\n>2\r\n$1\r\nb\r\n$1\r\n\r\n", "*2\r\n>1\r\n+p\r\n:1\r\n:2\r\n",
	"$17\r\n>2\r\n$1\r\nb\r\n$1\r\ny\r\n\r\n", "|1\r\n+k\r\n+v\r\n+OK\r\n", "|1\r\n+k\r\n+v\r\n>2\r\n$1\r\na\r\n$1\r\nx\r\n",
	">2\r\n$1\r\na\r\n$1\r\nx\r\n", ">2\r\n$1\r\na\r\n$1\r\nx\r\n", ">2\r\n$1\r\na\r\n>1\r\n$1\r\nc\r\n$1\r\nx\r\n", ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n",
	">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n", ">0\r\n",
}

func TestBothPathsAgreeWhateverHandlersDo(t *testing.T) {
	seeds := uint64(6000)
	if race.Enabled || testing.Short() {
		seeds = 600
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 7))
		var stream strings.Builder
		for range 30 {
			stream.WriteString(acted[r.IntN(len(acted))])
		}
		cuts := make([]byte, 20)
		for i := range cuts {
			cuts[i] = byte(r.IntN(60))
		}
		hold, size, choices := r.IntN(holds), 16+r.IntN(100), r.Uint64()
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) {
			lead(t, []byte(stream.String()), cuts, hold, size, 40, func() func(int) int {
				return rand.New(rand.NewPCG(choices, 8)).IntN
			})
		}) {
			return
		}
	}
}

// FuzzHandlers leads two Readers of any stream through what the bytes of
// choices say.
func FuzzHandlers(f *testing.F) {
	for i, frame := range acted {
		f.Add([]byte(strings.Repeat(frame, 3)+"+OK\r\n"), []byte{10, 0, 200}, []byte{10, 2, 1, 0, 9, 5, 2, 1, 1, 20, 3, 8}, byte(i))
	}
	f.Fuzz(func(t *testing.T, stream, cuts, choices []byte, hold byte) {
		if len(stream) > 1<<12 || len(cuts) == 0 || len(choices) == 0 || strings.Contains(string(stream), fastBulk) {
			return
		}
		lead(t, stream, cuts, int(hold)%holds, 16+int(hold)/holds, 30, func() func(int) int {
			at := 0
			return func(n int) int {
				at++
				return (int(choices[at%len(choices)]) + at/len(choices)) % n
			}
		})
	})
}

// TestPayloadIsNotDispatchedWhenAHandlerReadsTheClientsBuffer has a handler
// read a bulk whose payload looks like pushes. The client's buffer holds as
// many bytes when it returns as it did before, and none of them is where it
// was.
func TestPayloadIsNotDispatchedWhenAHandlerReadsTheClientsBuffer(t *testing.T) {
	const push = ">2\r\n$1\r\na\r\n$1\r\nx\r\n"
	payload := strings.Repeat(".", 49) + ">2\r\n$1\r\nb\r\n$1\r\ny\r\n" + strings.Repeat(".", 13)
	bulk := "$80\r\n" + payload + "\r\n"
	require.Len(t, payload, 80)
	for _, first := range []string{">1\r\n$6\r\nfirst0\r\n", ""} {
		head := first + push + bulk[:20]
		stream := head + bulk[20:] + "+12345678901234567\r\n"
		for _, hold := range []int{inBufio, inSource} {
			a := newActor(&vectors.Feed{Data: []byte(stream), Cuts: []byte{byte(len(head)), 255}, End: io.EOF}, hold, 4096, nil)
			var names []string
			p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
				func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
					names = append(names, string(push.Name()))
					if string(push.Name()) == "a" {
						b := make([]byte, len(bulk))
						_, err := io.ReadFull(a.own, b)
						require.NoError(t, err)
						require.Equal(t, bulk, string(b))
					}
					return nil
				})))
			_, err := a.own.Peek(1)
			require.NoError(t, err)
			require.NoError(t, p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, a.rd))
			require.NotContains(t, names, "b")
			f, err := a.rd.Next()
			require.NoError(t, err)
			require.Equal(t, "12345678901234567", string(f.Value().Bytes()))
		}
	}
}
