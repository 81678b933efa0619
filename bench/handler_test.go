package bench_test

import (
	"context"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// A handling is a workload with a handler that looks at every element of its
// pushes, as a caller's does; the handlers of BenchmarkProcess only count.
type handling struct {
	frame workload.Workload
	start func(tb testing.TB, s *workload.Stream) (pass func())
}

// byNotify looks at the elements through package notify.
func byNotify() []handling {
	var all []handling
	for _, n := range notifications() {
		all = append(all, handling{n.workload(), n.start})
	}
	return all
}

// byValues looks at them with package parser alone.
func byValues() []handling {
	return each(func(tb testing.TB, w workload.Workload, s *workload.Stream) func() {
		p := dispatch.NewProcessor(dispatch.WithPubSub())
		seen := 0
		err := p.HandleFunc(pushOf(tb, w), func(_ context.Context, _ from, f parser.Frame) error {
			seen++
			sink += elements(f)
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
		return drain(tb, w, s, p, taken(&seen))
	})
}

// byDecoded is a handler of go-redis' kind, which is given elements that are
// its own. They are made anew for each push, so that these allocate.
func byDecoded() []handling {
	return each(func(tb testing.TB, w workload.Workload, s *workload.Stream) func() {
		p := dispatch.NewProcessor(dispatch.WithPubSub())
		h := new(decodedHandler)
		if err := p.RegisterHandler(pushOf(tb, w), h, false); err != nil {
			tb.Fatal(err)
		}
		return drain(tb, w, s, p, taken(&h.seen))
	})
}

// each returns a handling for each workload in which it is the elements that
// count: F5 and F6 are a matter of copying.
func each(start func(testing.TB, workload.Workload, *workload.Stream) func()) []handling {
	var all []handling
	for _, id := range []string{"F1", "F2", "F3", "F4", "F7", "F8"} {
		w := workload.Find(id)
		all = append(all, handling{w, func(tb testing.TB, s *workload.Stream) func() { return start(tb, w, s) }})
	}
	return all
}

// pushOf returns the name of the push in a workload.
func pushOf(tb testing.TB, w workload.Workload) string { return string(frame(tb, w.Frame).Name()) }

// taken returns a function that tells how much was counted since it was called
// last.
func taken(seen *int) func() int {
	return func() int {
		was := *seen
		*seen = 0
		return was
	}
}

// elements looks at all elements of a push.
func elements(push parser.Frame) int {
	n := 0
	for v := range push.Args() {
		switch v.Type() {
		case parser.TypeInteger:
			i, _ := v.Int64() // the workloads hold no other
			n += int(i)
		case parser.TypeArray:
			for e := range v.All() {
				n += len(e.Bytes())
			}
		default:
			n += len(v.Bytes())
		}
	}
	return n
}

// decodedHandler is a handler of go-redis' kind.
type decodedHandler struct{ seen int }

// HandlePushNotification looks at all elements behind the name.
func (h *decodedHandler) HandlePushNotification(_ context.Context, _ from, notification []any) error {
	h.seen++
	n := 0
	for _, e := range notification[1:] {
		switch e := e.(type) {
		case string:
			n += len(e)
		case int64:
			n += int(e)
		case []any:
			for _, e := range e {
				key, _ := e.(string)
				n += len(key)
			}
		}
	}
	sink += n
	return nil
}

// BenchmarkHandlerNotify is what a push costs, from the stream's read on, when
// its handler looks at every element through package notify.
func BenchmarkHandlerNotify(b *testing.B) { benchmarkHandler(b, byNotify()) }

// BenchmarkHandlerValues is the same through Frame.Args and Value.All.
func BenchmarkHandlerValues(b *testing.B) { benchmarkHandler(b, byValues()) }

// BenchmarkHandlerDecoded is the same for a handler of go-redis' kind.
func BenchmarkHandlerDecoded(b *testing.B) { benchmarkHandler(b, byDecoded()) }

// benchmarkHandler has beside each handling impl=walk, the least that finds
// every element: one walk from line to line and the reads of the stream.
func benchmarkHandler(b *testing.B, handlings []handling) {
	for _, h := range handlings {
		s := workload.NewStream(h.frame, reads)
		b.Run("frame="+h.frame.ID+"/impl=respush", func(b *testing.B) { passes(b, s, h.start(b, s)) })
		if strings.Contains(h.frame.ID, "/") || h.frame.ID[0] != 'F' {
			continue // no workload of its own
		}
		b.Run("frame="+h.frame.ID+"/impl=walk", func(b *testing.B) { passes(b, s, func() { walk(b, s) }) })
	}
}

// walk goes from line to line over the stream, and reads it.
func walk(tb testing.TB, s *workload.Stream) {
	walkLines(tb, s)
	copyAll(tb, s)
}
