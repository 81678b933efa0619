package feed_test

import (
	"context"
	"testing"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/respserver"
)

// BenchmarkCoverage is what a near cache pays for each hit.
func BenchmarkCoverage(b *testing.B) {
	s := respserver.Start(b)
	w := start(b, &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}})
	b.ReportAllocs()
	for b.Loop() {
		if !w.Coverage().Armed {
			b.Fatal("not armed")
		}
	}
}

// BenchmarkGap is a connection that the server closes, until OnGap (gap-ns) and
// until the Feed is armed again without a pause.
func BenchmarkGap(b *testing.B) {
	s := respserver.Start(b)
	var noticed, closed int64
	f := &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}, Backoff: func() feed.Backoff { return noWait{} }}
	w := watch(b, f)
	w.Feed.OnGap = func(_ context.Context, g feed.Gap) {
		noticed = int64(b.Elapsed())
		w.gaps <- g
	}
	w.run(b)
	await(b, w.gaps)
	await(b, w.armed)
	var total int64
	for b.Loop() {
		closed = int64(b.Elapsed())
		s.CloseAll()
		await(b, w.gaps)
		total += noticed - closed
		await(b, w.armed)
	}
	b.ReportMetric(float64(total)/float64(b.N), "gap-ns/op")
}
