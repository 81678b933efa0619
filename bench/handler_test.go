package bench_test

import (
	"context"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// A handling is a workload with a handler that reads every element of its
// pushes, as a caller's handler does. The handlers of BenchmarkProcess only
// count.
type handling struct {
	frame workload.Workload
	start func(tb testing.TB, s *workload.Stream) (pass func())
}

// byNotify reads the elements through package notify.
func byNotify() []handling {
	var all []handling
	for _, n := range notifications() {
		all = append(all, handling{n.workload(), n.start})
	}
	return all
}

// byValues reads the elements with package parser alone.
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

// byDecoded uses a go-redis style handler, which owns the elements it is given.
// They are made anew for each push, so these handlings allocate.
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

// each returns a handling for each workload whose cost lies in its elements. F5
// and F6 are left out because copying dominates them.
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

// taken returns a function that returns how much was counted since its last
// call.
func taken(seen *int) func() int {
	return func() int {
		was := *seen
		*seen = 0
		return was
	}
}

// elements reads all elements of a push.
func elements(push parser.Frame) int {
	n := 0
	for v := range push.Args() {
		switch v.Type() {
		case parser.TypeInteger:
			i, _ := v.Int64() // every integer in the workloads fits
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

// decodedHandler is a go-redis style handler.
type decodedHandler struct{ seen int }

// HandlePushNotification reads all elements after the name.
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

// BenchmarkHandlerNotify measures the cost of a push, from reading the stream
// to the return of a handler that reads every element through package notify.
func BenchmarkHandlerNotify(b *testing.B) { benchmarkHandler(b, byNotify()) }

// BenchmarkHandlerValues is like BenchmarkHandlerNotify, but its handlers use
// Frame.Args and Value.All.
func BenchmarkHandlerValues(b *testing.B) { benchmarkHandler(b, byValues()) }

// BenchmarkHandlerDecoded is like BenchmarkHandlerNotify, but its handlers are
// go-redis style.
func BenchmarkHandlerDecoded(b *testing.B) { benchmarkHandler(b, byDecoded()) }

// benchmarkHandler runs impl=walk beside each handling. It is the least work
// that finds every element: one walk from line to line, and reading the stream.
func benchmarkHandler(b *testing.B, handlings []handling) {
	for _, h := range handlings {
		s := workload.NewStream(h.frame, reads)
		b.Run("frame="+h.frame.ID+"/impl=respush", func(b *testing.B) { passes(b, s, h.start(b, s)) })
		if strings.Contains(h.frame.ID, "/") || h.frame.ID[0] != 'F' {
			continue // the frame belongs to no workload of the F series
		}
		b.Run("frame="+h.frame.ID+"/impl=walk", func(b *testing.B) { passes(b, s, func() { walk(b, s) }) })
	}
}

// walk walks the stream from line to line, and then reads it.
func walk(tb testing.TB, s *workload.Stream) {
	walkLines(tb, s)
	copyAll(tb, s)
}
