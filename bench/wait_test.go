package bench_test

import (
	"bufio"
	"context"
	"io"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// A waiter is a client that has sent a command, calls a processor, and then
// waits for the reply. Nothing is buffered when it begins.
type waiter struct {
	process func() error // calls the processor
	reply   func() error // reads the reply
}

// A place is where a client's bytes are buffered.
type place struct {
	name string
	make func(rd io.Reader) (r *parser.Reader, reply func() error)
}

var places = []place{
	{"own", func(rd io.Reader) (*parser.Reader, func() error) {
		r := parser.NewReader(rd)
		return r, func() error {
			_, err := r.Next()
			return err
		}
	}},
	{"bufio", func(rd io.Reader) (*parser.Reader, func() error) {
		br := bufio.NewReaderSize(rd, reads)
		return parser.NewReader(br), lineOf(br)
	}},
	{"source", func(rd io.Reader) (*parser.Reader, func() error) {
		br := bufio.NewReaderSize(rd, reads)
		return parser.NewSourceReader(source{br}), lineOf(br)
	}},
}

// source is a Source that is not a *bufio.Reader.
type source struct{ parser.Source }

// lineOf returns the reply function of a client that reads status replies
// itself.
func lineOf(br *bufio.Reader) func() error {
	return func() error {
		_, err := br.ReadSlice('\n')
		return err
	}
}

// newWaiter returns a waiter whose reads return the elements of turns in turn.
func newWaiter(p dispatch.NotificationProcessor, at place, turns ...[]byte) *waiter {
	r, reply := at.make(&turned{turns: turns})
	ctx := context.Background()
	return &waiter{
		process: func() error { return p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{}, r) },
		reply:   reply,
	}
}

// turned is a reader each of whose reads returns the next element of turns,
// starting over after the last.
type turned struct {
	turns [][]byte
	next  int
}

func (t *turned) Read(p []byte) (int, error) {
	n := copy(p, t.turns[t.next])
	if t.next++; t.next == len(t.turns) {
		t.next = 0
	}
	return n, nil
}

// status is a reply.
var status = []byte("+OK\r\n")

// command does what a client does between a command and its reply.
func (w *waiter) command(tb testing.TB) {
	if err := w.process(); err != nil {
		tb.Fatal(err)
	}
	w.bare(tb)
}

// bare is like command, but does not call the processor.
func (w *waiter) bare(tb testing.TB) {
	if err := w.reply(); err != nil {
		tb.Fatal(err)
	}
}

// waits are the processors of BenchmarkWait.
var waits = []struct {
	impl string
	make func(tb testing.TB) dispatch.NotificationProcessor
}{
	{"respush", func(tb testing.TB) dispatch.NotificationProcessor {
		p, _ := counting(tb)
		return p
	}},
	{"void", func(testing.TB) dispatch.NotificationProcessor { return dispatch.NewVoidProcessor() }},
}

// BenchmarkWait measures the cost of a command whose reply has not come when
// the processor is called, as is the case for nearly every command of every
// client. added-ns/op is what the call adds to reading the reply.
func BenchmarkWait(b *testing.B) {
	for _, at := range places {
		for _, by := range waits {
			b.Run("source="+at.name+"/impl="+by.impl, func(b *testing.B) {
				bare, with := newWaiter(nil, at, status), newWaiter(by.make(b), at, status)
				workload.Beside(b, 1000, func() { bare.bare(b) }, func() { with.command(b) })
			})
		}
	}
}

// BenchmarkPushAlone measures the cost of a push that comes alone. With
// then=push each push comes in its own read, and the processor is called once.
// With then=reply a reply follows in another read, and the processor is called
// before the client reads that reply; added-ns/op is what the push and its read
// add to the wait for the reply.
func BenchmarkPushAlone(b *testing.B) {
	for _, id := range []string{"F1", "F3", "F7"} {
		w := workload.Find(id)
		for _, at := range places[:2] {
			b.Run("frame="+id+"/source="+at.name+"/then=push/impl=respush", func(b *testing.B) {
				s := workload.NewStream(w, len(w.Frame))
				passes(b, s, alone(b, at, s))
			})
			b.Run("frame="+id+"/source="+at.name+"/then=reply/impl=respush", func(b *testing.B) {
				p, seen := counting(b, dispatch.WithPubSub())
				bare, with := newWaiter(p, at, status), newWaiter(p, at, w.Frame, status)
				calls := workload.Beside(b, 1000, func() { bare.command(b) }, func() { with.command(b) })
				if n := seen(); n != calls {
					b.Fatalf("%d pushes handled, not %d", n, calls)
				}
			})
		}
	}
}

// alone returns a function that takes all pushes off a stream.
func alone(tb testing.TB, at place, s *workload.Stream) func() {
	p, seen := counting(tb, dispatch.WithPubSub())
	ctx := context.Background()
	r, _ := at.make(again{s})
	return func() {
		if err := p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{}, r); err != nil {
			tb.Fatal(err)
		}
		if n := seen(); n != s.Count {
			tb.Fatalf("%d pushes handled, not %d", n, s.Count)
		}
	}
}

// again is a stream whose end is a time-out, as on a connection that pauses.
type again struct{ *workload.Stream }

func (a again) Read(p []byte) (int, error) {
	n, err := a.Stream.Read(p)
	if err == io.EOF {
		err = timeout{}
	}
	return n, err
}

// timeout is the error of a read whose deadline has passed.
type timeout struct{}

func (timeout) Error() string   { return "time-out" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }
