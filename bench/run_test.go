package bench_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// A run is a stream and a way to take the pushes off it. BenchmarkProcess
// measures it, and the allocation tests count its allocations. Unless its name
// says otherwise, it dispatches with WithPubSub, which the messages of F3 to F6
// need.
type run struct {
	name  string // as in the benchmark's name
	frame workload.Workload
	piece int // the most bytes that a read returns
	start func(tb testing.TB, w workload.Workload, s *workload.Stream) (pass func())
}

func (r run) stream() *workload.Stream { return workload.NewStream(r.frame, r.piece) }

// runs returns the runs of all workloads that have a stream. N0 has none; see
// idles.
func runs() []run {
	var all []run
	for _, w := range workload.Workloads {
		all = append(all, run{"frame=" + w.ID, w, reads, handled})
	}
	for _, id := range []string{"F1", "F2", "F7", "F8", "F9"} {
		all = append(all, run{"frame=" + id + "/mode=default", workload.Find(id), reads, byDefault})
	}
	f1 := workload.Find("F1")
	all = append(all, run{"frame=N1", f1, reads, unhandled}, run{"frame=N2", f1, reads, dropped}, run{"frame=N3", f1, reads, among1000})
	for _, piece := range []int{1, 7, 64} {
		all = append(all, run{fmt.Sprintf("frame=N4/piece=%d", piece), f1, piece, handled})
	}
	for _, piece := range []int{7, 64, 4096} {
		all = append(all, run{fmt.Sprintf("frame=N4/keys=1000/piece=%d", piece), workload.Find("F8"), piece, handled})
	}
	for keys := 100; keys <= 1_000_000; keys *= 10 {
		w := workload.Workload{ID: "F8", Frame: workload.Invalidate(keys), Frames: 1}
		all = append(all, run{fmt.Sprintf("frame=F8/keys=%d", keys), w, reads, handled})
	}
	return all
}

// handled passes all pushes to handlers.
func handled(tb testing.TB, w workload.Workload, s *workload.Stream) func() {
	return pass(tb, w, s, dispatch.WithPubSub())
}

// byDefault is like handled, but its processor has no options.
func byDefault(tb testing.TB, w workload.Workload, s *workload.Stream) func() { return pass(tb, w, s) }

// unhandled has no handler for any push.
func unhandled(tb testing.TB, w workload.Workload, s *workload.Stream) func() {
	p := dispatch.NewProcessor(dispatch.WithPubSub())
	before := 0
	return drain(tb, w, s, p, func() int {
		n := int(p.Stats().Unhandled) - before
		before += n
		return n
	})
}

// dropped has a VoidProcessor, which does not report how many pushes it
// dropped.
func dropped(tb testing.TB, w workload.Workload, s *workload.Stream) func() {
	return drain(tb, w, s, dispatch.NewVoidProcessor(), func() int { return s.Count })
}

// among1000 has handlers for 1000 names.
func among1000(tb testing.TB, w workload.Workload, s *workload.Stream) func() {
	p, seen := counting(tb, dispatch.WithPubSub())
	other := func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil }
	for i := len(names); i < 1000; i++ {
		if err := p.HandleFunc(fmt.Sprintf("name-%d", i), other); err != nil {
			tb.Fatal(err)
		}
	}
	return drain(tb, w, s, p, seen)
}

// names are the names of the pushes in the workloads.
var names = []string{"invalidate", "message", "MOVING"}

// counting returns a processor whose handlers count pushes. seen returns how
// many they counted since its last call.
func counting(tb testing.TB, opts ...dispatch.Option) (p *dispatch.Processor, seen func() int) {
	p = dispatch.NewProcessor(opts...)
	n := 0
	count := func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		n++
		return nil
	}
	for _, name := range names {
		if err := p.HandleFunc(name, count); err != nil {
			tb.Fatal(err)
		}
	}
	return p, func() int {
		was := n
		n = 0
		return was
	}
}

// pass returns a function that takes all pushes, and the replies between them,
// off the stream, and checks how many pushes there were.
func pass(tb testing.TB, w workload.Workload, s *workload.Stream, opts ...dispatch.Option) func() {
	p, seen := counting(tb, opts...)
	return drain(tb, w, s, p, seen)
}

// drain is like pass, but with the processor p. seen returns how many pushes p
// took since the last call.
func drain(tb testing.TB, w workload.Workload, s *workload.Stream, p dispatch.NotificationProcessor, seen func() int) func() {
	rd := parser.NewReader(s)
	ctx := context.Background()
	return func() {
		rd.Reset(s)
		for {
			if err := p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{}, rd); err != nil {
				tb.Fatal(err)
			}
			if w.Frames == 1 {
				break
			}
			if err := rd.Skip(); err == io.EOF {
				break
			} else if err != nil {
				tb.Fatal(err)
			}
		}
		if n := seen(); n != s.Count {
			tb.Fatalf("%d pushes handled, not %d", n, s.Count)
		}
		if _, err := s.Read(buffer[:1]); err != io.EOF || rd.Buffered() > 0 {
			tb.Fatal("not all of the stream was read")
		}
	}
}
