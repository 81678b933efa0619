package bench_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// decoded lists the workloads of pushes and how many allocations go-redis
// v9.22.0 makes for one push of each.
var decoded = []struct {
	id     string
	allocs float64
}{{"F1", 8}, {"F2", 4}, {"F3", 8}, {"F4", 8}, {"F5", 8}, {"F7", 6}, {"F8", 2006}}

// tally is a go-redis style handler that counts its calls.
type tally int

func (n *tally) HandlePushNotification(context.Context, dispatch.NotificationHandlerContext, []interface{}) error {
	*n++
	return nil
}

// decode passes all pushes to go-redis style handlers.
func decode(tb testing.TB, w workload.Workload, s *workload.Stream) func() {
	p := dispatch.NewProcessor(dispatch.WithPubSub())
	n := new(tally)
	for _, name := range names {
		if err := p.RegisterHandler(name, n, false); err != nil {
			tb.Fatal(err)
		}
	}
	return drain(tb, w, s, p, func() int {
		was := *n
		*n = 0
		return int(was)
	})
}

// BenchmarkAny measures the cost of decoding a push into Go's own types.
// op=Dispatch goes from reading the stream to calling a go-redis style handler;
// op=Any decodes a frame that has already been parsed.
func BenchmarkAny(b *testing.B) {
	for _, d := range decoded {
		w := workload.Find(d.id)
		b.Run("op=Dispatch/frame="+d.id+"/impl=respush", func(b *testing.B) {
			s := workload.NewStream(w, reads)
			passes(b, s, decode(b, w, s))
		})
		b.Run("op=Any/frame="+d.id+"/impl=respush", func(b *testing.B) {
			f := frame(b, w.Frame)
			b.ReportAllocs()
			defer timeThread(b, 1)()
			for b.Loop() {
				if _, err := f.Value().Any(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestDecodedAllocatesNoMoreThanGoRedis checks that calling a go-redis style
// handler allocates no more here than it does in go-redis' own processor.
func TestDecodedAllocatesNoMoreThanGoRedis(t *testing.T) {
	for _, d := range decoded {
		w := workload.Find(d.id)
		s := workload.NewStream(w, reads)
		s.Count = max(2, s.Count/64)
		s.Bytes = s.Bytes[:s.Count*len(w.Frame)]
		pass := decode(t, w, s)
		pass()
		each := allocs.PerRun(2, func() {
			s.Rewind()
			pass()
		}) / float64(s.Count)
		require.LessOrEqual(t, each, d.allocs, d.id)

		f := frame(t, w.Frame)
		require.LessOrEqual(t, allocs.PerRun(10, func() {
			if _, err := parser.Value.Any(f.Value()); err != nil {
				t.Fatal(err)
			}
		}), d.allocs+1, d.id) // one more for the interface value of the whole push
	}
}
