package peers_test

import (
	"context"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/bench/peers"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// BenchmarkPush measures the cost of a frame, or of a group of frames in F9,
// from the stream's read to the return of a handler that has read every
// element. An op is a frame or group. cpu-ns/op is the processor time of the
// whole process, including a garbage collector that runs beside the reader.
func BenchmarkPush(b *testing.B) {
	for _, sc := range peers.Scenes {
		for _, p := range peers.All() {
			if !p.In(sc) {
				continue
			}
			b.Run("frame="+sc.ID+"/impl="+p.Name, func(b *testing.B) {
				run := open(b, p, sc)
				requirePass(b, p, sc, run) // also warms up
				measure(b, p, run.Stream.Count, func() {
					if err := run.Pass(); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
	}
	b.Run("frame=N0/impl=respush", func(b *testing.B) { idle(b, idleRespush(b)) })
	b.Run("frame=N0/impl=go-redis", func(b *testing.B) { idle(b, idleGoRedis(b)) })
}

// measure times body, which takes ops frames off a stream, and reports
// everything per frame.
func measure(b *testing.B, p peers.Peer, ops int, body func()) {
	var before, after runtime.MemStats
	runtime.GC() // so that garbage from before is not collected in the measurement
	runtime.ReadMemStats(&before)
	begun := processTime()
	for b.Loop() {
		body()
	}
	used := processTime() - begun
	runtime.ReadMemStats(&after)
	n := float64(b.N) * float64(ops)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/op")
	if used > 0 {
		b.ReportMetric(float64(used.Nanoseconds())/n, "cpu-ns/op")
	}
	if p.C {
		return
	}
	b.ReportAllocs() // makes go test print the next two metrics, without fractions
	b.ReportMetric(math.Round(float64(after.TotalAlloc-before.TotalAlloc)/n), "B/op")
	b.ReportMetric(math.Round(float64(after.Mallocs-before.Mallocs)/n), "allocs/op")
}

// idle is N0: what a client does before each reply if no push is there.
func idle(b *testing.B, process func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := process(); err != nil {
			b.Fatal(err)
		}
	}
}

func idleRespush(tb testing.TB) (process func() error) {
	p := dispatch.NewProcessor()
	rd := parser.NewReader(strings.NewReader("+OK\r\n"))
	ctx := context.Background()
	process = func() error { return p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{}, rd) }
	require.NoError(tb, process())
	require.Equal(tb, 5, rd.Buffered())
	return process
}

func idleGoRedis(tb testing.TB) (process func() error) {
	process, buffered, end, err := peers.GoRedisIdle("+OK\r\n")
	require.NoError(tb, err)
	tb.Cleanup(end)
	require.NoError(tb, process())
	require.Equal(tb, 5, buffered())
	return process
}
