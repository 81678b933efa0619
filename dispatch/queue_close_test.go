package dispatch_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// over is a context that has ended.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestQueueCloseDeliversWhatWaits(t *testing.T) {
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		q, g := stuck(t, dispatch.QueueSize(4), dispatch.QueueOverflow(policy))
		hand(t, q, push("a"), invalidation("b"), push("c"), push("d"))
		first, second := closing(t.Context(), q), closing(t.Context(), q)
		for range 3 {
			holds(t, first)
			holds(t, second)
			g.leave <- struct{}{}
			arrives(t, g.entered)
		}
		g.open()
		require.NoError(t, arrives(t, first))
		require.NoError(t, arrives(t, second))
		got, s := finish(t, q, g)
		require.Equal(t, []string{push("a"), invalidation("b"), push("c"), push("d")}, got)
		require.Equal(t, dispatch.QueueStats{Pushes: 5, Delivered: 5}, s)
	})
}

func TestQueueCloseDeliversTheFlush(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(1), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	hand(t, q, invalidation("a"), invalidation("b"))
	returned := closing(t.Context(), q)
	eventually(t, func() bool { // until then it is one more that the flush stands for
		return q.HandlePush(t.Context(), noContext, framed(invalidation("c"))) == dispatch.ErrQueueClosed
	})
	holds(t, returned)
	got, s := finish(t, q, g)
	require.NoError(t, arrives(t, returned))
	require.Equal(t, []string{flushAll}, got)
	require.EqualValues(t, 1, s.Dropped)
	require.EqualValues(t, 1, s.Flushes)
}

func TestQueueCloseDropsAndCountsWhenItsContextEnds(t *testing.T) {
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		q, g := stuck(t, dispatch.QueueSize(4), dispatch.QueueOverflow(policy))
		hand(t, q, push("a"), push("b"), push("c"))
		ctx, cancel := context.WithCancel(t.Context())
		returned := closing(ctx, q)
		holds(t, returned)
		cancel()
		require.Equal(t, context.Canceled, arrives(t, returned))
		require.Equal(t, dispatch.QueueStats{Pushes: 4, Delivered: 1, Dropped: 3}, q.Stats())
		require.Equal(t, context.Canceled, arrives(t, closing(over(t), q)), "the handler still runs")
		again := closing(t.Context(), q)
		holds(t, again)
		g.open()
		require.NoError(t, arrives(t, again))
		got, _ := finish(t, q, g)
		require.Empty(t, got)
	})
}

// A cache is not stale after Close has given up on its invalidations.
func TestQueueCloseThatGivesUpFlushes(t *testing.T) {
	large, ctx := framed(push("invalidate", strings.Repeat("x", 15<<20))), over(t)
	q, g := stuck(t, dispatch.QueueSize(5), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	hand(t, q, push("a"), invalidation("b"), push("c"), invalidation("d"))
	returned := handing(t.Context(), q, large)
	eventually(t, func() bool { return q.Stats().Waiting == 5 })
	require.Equal(t, context.Canceled, q.Close(ctx)) // before the copy is there, or after
	require.NoError(t, arrives(t, returned))
	require.Equal(t, dispatch.QueueStats{Pushes: 6, Delivered: 1, Dropped: 2, Coalesced: 3}, q.Stats())
	got, s := finish(t, q, g)
	require.Equal(t, []string{flushAll}, got)
	require.EqualValues(t, 1, s.Flushes)
}

func TestQueueCloseReturnsAtTheDeadline(t *testing.T) {
	q, g := stuck(t, dispatch.QueueWorkers(3))
	late, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	require.Equal(t, context.DeadlineExceeded, arrives(t, closing(late, q)))
	finish(t, q, g)
}

// Close returns nil for a queue that is empty, even if its context has ended.
func TestQueueCloseAfterTheEndIsNoError(t *testing.T) {
	q := dispatch.NewQueue(discard{}, dispatch.QueueWorkers(2))
	hand(t, q, push("a"))
	drained(t, q)
	ctx := over(t)
	for range 100 {
		require.NoError(t, q.Close(ctx))
	}
}

func TestQueueRefusesPushesAfterClose(t *testing.T) {
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		q := dispatch.NewQueue(discard{}, dispatch.QueueOverflow(policy))
		drained(t, q)
		for i, wire := range []string{push("a"), invalidation("k"), push("message", "channel", "x")} {
			require.Equal(t, dispatch.ErrQueueClosed, q.HandlePush(t.Context(), noContext, framed(wire)))
			require.Equal(t, dispatch.QueueStats{Pushes: uint64(i + 1), Dropped: uint64(i + 1)}, q.Stats())
		}
	})
}

func TestQueueCloseEndsTheWaitForRoom(t *testing.T) {
	for _, policy := range []dispatch.Overflow{dispatch.Block, dispatch.CoalesceToFlush} {
		q, g := stuck(t, dispatch.QueueSize(1), dispatch.QueueOverflow(policy))
		hand(t, q, push("a"))
		const producers = 10
		var waiting []<-chan error
		for range producers {
			waiting = append(waiting, handing(t.Context(), q, framed(push("b"))))
		}
		blocked(t, q, producers)
		returned := closing(t.Context(), q)
		for _, w := range waiting {
			require.Equal(t, dispatch.ErrQueueClosed, arrives(t, w))
		}
		holds(t, returned)
		got, s := finish(t, q, g)
		require.NoError(t, arrives(t, returned))
		require.Equal(t, []string{push("a")}, got)
		require.Equal(t, dispatch.QueueStats{Pushes: 2 + producers, Delivered: 2, Dropped: producers, Blocked: producers}, s)
	}
}

// A push is accepted or refused, even if Close is called meanwhile. A push that is accepted is delivered before Close
// returns.
func TestQueueCloseMayComeAtAnyMoment(t *testing.T) {
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		for round := range 25 {
			var delivered, flushes, taken, refused atomic.Uint64
			q := dispatch.NewQueue(dispatch.HandlerFunc(
				func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
					if string(f.Raw()) == flushAll {
						flushes.Add(1)
					} else {
						delivered.Add(1)
					}
					return nil
				}), dispatch.QueueSize(round%4+1), dispatch.QueueWorkers(round%3+1), dispatch.QueueOverflow(policy))
			var wg sync.WaitGroup
			start := make(chan struct{}, 4)
			for producer := range 4 {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for n := 0; ; n++ {
						if n == 2*round {
							start <- struct{}{}
						}
						wire := invalidation("k")
						if (n+producer)%3 != 0 {
							wire = push("message", fmt.Sprint(n), strings.Repeat("x", n%100))
						}
						if q.HandlePush(t.Context(), noContext, framed(wire)) != nil {
							refused.Add(1)
							return
						}
						taken.Add(1)
					}
				}()
			}
			arrives(t, start)
			s := drained(t, q)
			require.Equal(t, s.Delivered, delivered.Load())
			require.Equal(t, s.Flushes, flushes.Load())
			arrives(t, background(wg.Wait))
			s = drained(t, q)
			require.EqualValues(t, 4, refused.Load())
			require.Equal(t, taken.Load()+4, s.Pushes)
			require.Equal(t, s.Delivered, delivered.Load(), "nothing is delivered after Close")
			if policy == dispatch.Block {
				require.Equal(t, taken.Load(), s.Delivered)
			}
		}
	})
}

// After Close has given up, no further push reaches the handler, not even one that was still being copied.
func TestQueueDropsWhatIsCopiedWhileCloseGivesUp(t *testing.T) {
	large, ctx := framed(push("large", strings.Repeat("x", 15<<20))), over(t)
	for range 20 { // it takes luck to get in between
		q, g := stuck(t, dispatch.QueueSize(4))
		returned := handing(t.Context(), q, large)
		eventually(t, func() bool { return q.Stats().Waiting == 1 })
		require.Equal(t, context.Canceled, q.Close(ctx))
		arrives(t, returned)
		got, s := finish(t, q, g)
		require.Zero(t, len(got))
		require.Equal(t, dispatch.QueueStats{Pushes: 2, Delivered: 1, Dropped: 1}, s)
	}
}

// A handler that ends its goroutine, as t.FailNow does, does not lose any other push.
func TestQueueOutlivesAHandlerThatEndsItsGoroutine(t *testing.T) {
	got := new(record)
	q := dispatch.NewQueue(dispatch.HandlerFunc(
		func(ctx context.Context, from dispatch.NotificationHandlerContext, f parser.Frame) error {
			if string(f.Name()) == "ends" {
				runtime.Goexit()
			}
			return got.HandlePush(ctx, from, f)
		}), dispatch.QueueSize(10))
	for range 3 {
		hand(t, q, push("ends"), push("a"))
	}
	s := drained(t, q)
	require.Equal(t, []string{push("a"), push("a"), push("a")}, got.pushes)
	require.EqualValues(t, 6, s.Delivered)
}

// A nil context counts as one without values and without an end.
func TestQueueTakesAPushWithoutContext(t *testing.T) {
	var none context.Context
	q, g := stuck(t, dispatch.QueueSize(1))
	require.NoError(t, arrives(t, handing(none, q, framed(push("b")))))
	returned := handing(none, q, framed(push("c")))
	blocked(t, q, 1)
	g.open()
	require.NoError(t, arrives(t, returned))
	got, _ := finish(t, q, g)
	require.Equal(t, []string{push("b"), push("c")}, got)
}
