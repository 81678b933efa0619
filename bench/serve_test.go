package bench_test

import (
	"context"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// BenchmarkServe measures Serve on a dedicated connection. In F9 there are also
// replies.
func BenchmarkServe(b *testing.B) {
	for _, id := range []string{"F1", "F3", "F4", "F8", "F9"} {
		b.Run("frame="+id+"/impl=respush", func(b *testing.B) {
			s := workload.NewStream(workload.Find(id), reads)
			passes(b, s, served(b, s))
		})
	}
	// Every read ends at the end of a frame, so Serve gives its buffer back
	// after each.
	for _, id := range []string{"F1", "F4"} {
		b.Run("frame="+id+"/cut=never/impl=respush", func(b *testing.B) {
			w := workload.Find(id)
			s := workload.NewStream(w, reads/len(w.Frame)*len(w.Frame))
			passes(b, s, served(b, s))
		})
	}
}

// served returns a function that serves all of the stream.
func served(tb testing.TB, s *workload.Stream) func() {
	p, seen := counting(tb)
	rd := parser.NewReader(s)
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(cancel)
	return func() {
		if err := p.Serve(ctx, dispatch.NotificationHandlerContext{}, rd, nil); err != nil {
			tb.Fatal(err)
		}
		if n := seen(); n != s.Count {
			tb.Fatalf("%d pushes handled, not %d", n, s.Count)
		}
	}
}
