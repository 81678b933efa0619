package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// channels is the number of channels that BenchmarkQueue's messages go to in
// turn, so that every worker gets some.
const channels = 64

// queued returns the pushes that a benchmark hands to a queue in turn. For F1
// they are invalidations, which a single worker delivers however many workers
// there are. For F4 they are messages on different channels.
func queued(b *testing.B, id string) []parser.Frame {
	var frames []parser.Frame
	for i := range channels {
		wire := bytes.Clone(workload.Find(id).Frame)
		if id == "F4" {
			wire = bytes.Replace(wire, []byte("\r\nchannel\r\n"), fmt.Appendf(nil, "\r\nchann%02d\r\n", i), 1)
		}
		f, n, err := parser.Parse(wire)
		if err != nil || n != len(wire) {
			b.Fatal(err)
		}
		frames = append(frames, f)
	}
	return frames
}

// BenchmarkQueue measures what a push costs the reading goroutine. The handler
// does nothing, but it keeps up only as far as the scheduler lets it.
// delivered/op is the share of the pushes that it gets; the policy has dropped
// or coalesced the rest.
func BenchmarkQueue(b *testing.B) {
	policies := []struct {
		name     string
		overflow dispatch.Overflow
	}{
		{"Block", dispatch.Block},
		{"DropNewest", dispatch.DropNewest},
		{"DropOldest", dispatch.DropOldest},
		{"CoalesceToFlush", dispatch.CoalesceToFlush},
	}
	for _, p := range policies {
		for _, workers := range []int{1, 2, 4} {
			for _, id := range []string{"F1", "F4"} {
				b.Run(fmt.Sprintf("policy=%s/workers=%d/frame=%s/impl=respush", p.name, workers, id), func(b *testing.B) {
					queue(b, queued(b, id), dispatch.QueueOverflow(p.overflow), dispatch.QueueWorkers(workers))
				})
			}
		}
	}
}

// queue hands frames to a queue in turn.
func queue(b *testing.B, frames []parser.Frame, opts ...dispatch.QueueOption) {
	var handled atomic.Uint64
	q := dispatch.NewQueue(dispatch.HandlerFunc(
		func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
			handled.Add(1)
			return nil
		}), opts...)
	ctx := context.Background()
	next := 0
	push := func() {
		if err := q.HandlePush(ctx, dispatch.NotificationHandlerContext{}, frames[next%len(frames)]); err != nil {
			b.Fatal(err)
		}
		next++
	}
	for range 2 * dispatch.DefaultQueueSize { // warms up, so that all memory is allocated
		push()
	}
	b.SetBytes(int64(len(frames[0].Raw())))
	b.ReportAllocs()
	for b.Loop() {
		push()
	}
	if err := q.Close(ctx); err != nil {
		b.Fatal(err)
	}
	s := q.Stats()
	if s.Pushes != uint64(next) || s.Delivered+s.Flushes != handled.Load() || s.Delivered+s.Dropped+s.Coalesced != s.Pushes {
		b.Fatalf("the statistics do not add up: %+v", s)
	}
	b.ReportMetric(float64(s.Delivered)/float64(s.Pushes), "delivered/op")
}
