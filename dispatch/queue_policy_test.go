package dispatch_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// flushAll is the invalidation of every key.
const flushAll = ">2\r\n$10\r\ninvalidate\r\n_\r\n"

// invalidation is the invalidation of a key.
func invalidation(key string) string { return ">2\r\n" + bulk("invalidate") + "*1\r\n" + bulk(key) }

// blocked waits until n pushes have had to wait for room.
func blocked(t *testing.T, q *dispatch.Queue, n uint64) {
	t.Helper()
	eventually(t, func() bool { return q.Stats().Blocked == n })
}

// holds checks that a call has not returned.
func holds(t *testing.T, returned <-chan error) {
	t.Helper()
	select {
	case err := <-returned:
		t.Fatalf("returned %v, and had to wait", err)
	default:
	}
}

func TestQueueBlockWaitsForRoom(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(2))
	hand(t, q, push("b"), push("c"))
	require.Equal(t, dispatch.QueueStats{Pushes: 3, Delivered: 1, Waiting: 2}, q.Stats())
	returned := handing(t.Context(), q, framed(push("d")))
	blocked(t, q, 1)
	holds(t, returned)
	require.Equal(t, dispatch.QueueStats{Pushes: 3, Delivered: 1, Waiting: 2, Blocked: 1}, q.Stats())

	g.leave <- struct{}{}
	arrives(t, g.entered)
	require.NoError(t, arrives(t, returned))
	require.Equal(t, dispatch.QueueStats{Pushes: 4, Delivered: 2, Waiting: 2, Blocked: 1}, q.Stats())
	got, s := finish(t, q, g)
	require.Equal(t, []string{push("b"), push("c"), push("d")}, got)
	require.Equal(t, dispatch.QueueStats{Pushes: 4, Delivered: 4, Blocked: 1}, s)
}

func TestQueueBlockWaitsNoLongerThanTheContext(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(1))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, q.HandlePush(ended, noContext, framed(push("b"))), "there is room")
	require.Equal(t, context.Canceled, arrives(t, handing(ended, q, framed(push("c")))))
	require.Equal(t, dispatch.QueueStats{Pushes: 3, Delivered: 1, Dropped: 1, Blocked: 1, Waiting: 1}, q.Stats())

	ending, cancel := context.WithCancel(t.Context())
	defer cancel()
	late, cancelLate := context.WithTimeout(t.Context(), 1)
	defer cancelLate()
	stays := handing(t.Context(), q, framed(push("d")))
	gives := handing(ending, q, framed(push("e")))
	blocked(t, q, 3)
	require.Equal(t, context.DeadlineExceeded, arrives(t, handing(late, q, framed(push("f")))))
	holds(t, gives)
	cancel()
	require.Equal(t, context.Canceled, arrives(t, gives))
	holds(t, stays)
	require.Equal(t, dispatch.QueueStats{Pushes: 5, Delivered: 1, Dropped: 3, Blocked: 4, Waiting: 1}, q.Stats())

	g.open()
	require.NoError(t, arrives(t, stays))
	got, s := finish(t, q, g)
	require.Equal(t, []string{push("b"), push("d")}, got)
	require.Equal(t, dispatch.QueueStats{Pushes: 6, Delivered: 3, Dropped: 3, Blocked: 4}, s)
}

// The token that says there is room goes from one that waits to the next.
func TestQueueBlockLetsAllInThatWait(t *testing.T) {
	for _, size := range []int{1, 2, 50} {
		t.Run(fmt.Sprint("size=", size), func(t *testing.T) {
			q, g := stuck(t, dispatch.QueueSize(size))
			for i := range size {
				hand(t, q, push("fill", fmt.Sprint(i)))
			}
			const producers = 40
			var returned []<-chan error
			for i := range producers {
				returned = append(returned, handing(t.Context(), q, framed(push("waits", fmt.Sprint(i)))))
			}
			blocked(t, q, producers)
			g.open()
			for _, r := range returned {
				require.NoError(t, arrives(t, r))
			}
			_, s := finish(t, q, g)
			require.EqualValues(t, 1+size+producers, s.Delivered)
		})
	}
}

func TestQueueDropNewestDropsWhatFindsNoRoom(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(2), dispatch.QueueOverflow(dispatch.DropNewest))
	hand(t, q, push("b"), push("c"), push("d"), invalidation("e"))
	require.Equal(t, dispatch.QueueStats{Pushes: 5, Delivered: 1, Dropped: 2, Waiting: 2}, q.Stats())
	g.leave <- struct{}{}
	arrives(t, g.entered)
	hand(t, q, push("f"), push("g"))
	got, s := finish(t, q, g)
	require.Equal(t, []string{push("b"), push("c"), push("f")}, got)
	require.Equal(t, dispatch.QueueStats{Pushes: 7, Delivered: 4, Dropped: 3}, s)
}

func TestQueueDropOldestDropsWhatHasWaitedLongest(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(2), dispatch.QueueOverflow(dispatch.DropOldest))
	hand(t, q, push("b"), push("c"), push("d"), invalidation("e"))
	require.Equal(t, dispatch.QueueStats{Pushes: 5, Delivered: 1, Dropped: 2, Waiting: 2}, q.Stats())
	g.leave <- struct{}{}
	arrives(t, g.entered)
	hand(t, q, push("f"), push("g"))
	got, s := finish(t, q, g)
	require.Equal(t, []string{push("d"), push("f"), push("g")}, got, "d was in hand already")
	require.Equal(t, dispatch.QueueStats{Pushes: 7, Delivered: 4, Dropped: 3}, s)
}

func TestQueueCoalescesInvalidationsToOneFlush(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(3), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	hand(t, q, push("m1"), invalidation("k1"), invalidation("k2"))
	require.Equal(t, dispatch.QueueStats{Pushes: 4, Delivered: 1, Waiting: 3}, q.Stats())
	hand(t, q, invalidation("k3"))
	require.Equal(t, dispatch.QueueStats{Pushes: 5, Delivered: 1, Coalesced: 3, Waiting: 1}, q.Stats())
	hand(t, q, invalidation("k4"), push("m2"), flushAll, push("m3"), invalidation("k5"))
	require.Equal(t, dispatch.QueueStats{Pushes: 10, Delivered: 1, Coalesced: 6, Waiting: 3}, q.Stats())

	g.leave <- struct{}{}
	arrives(t, g.entered) // the flush is in hand, and stands for no more
	require.Equal(t, dispatch.QueueStats{Pushes: 10, Delivered: 1, Coalesced: 6, Flushes: 1, Waiting: 3}, q.Stats())
	g.leave <- struct{}{}
	arrives(t, g.entered) // m1
	hand(t, q, invalidation("k6"))
	got, s := finish(t, q, g)
	require.Equal(t, []string{flushAll, push("m1"), push("m2"), push("m3"), invalidation("k6")}, got)
	require.Equal(t, dispatch.QueueStats{Pushes: 11, Delivered: 5, Coalesced: 6, Flushes: 1}, s)
}

// A push that is not an invalidation gets the room of those that are.
func TestQueueCoalescesForOtherPushes(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(2), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	hand(t, q, invalidation("k1"), invalidation("k2"), push("m1"), push("m2"))
	require.Equal(t, dispatch.QueueStats{Pushes: 5, Delivered: 1, Coalesced: 2, Waiting: 2}, q.Stats())
	hand(t, q, invalidation("k3"))
	got, s := finish(t, q, g)
	require.Equal(t, []string{flushAll, push("m1"), push("m2")}, got)
	require.Equal(t, dispatch.QueueStats{Pushes: 6, Delivered: 3, Coalesced: 3, Flushes: 1}, s)
}

// When no invalidation waits, other pushes block. An invalidation needs no room.
func TestQueueCoalesceBlocksForOtherPushesAlone(t *testing.T) {
	q, g := stuck(t, dispatch.QueueSize(2), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	hand(t, q, push("m1"), push("m2"))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, context.Canceled, arrives(t, handing(ended, q, framed(push("m3")))))
	returned := handing(t.Context(), q, framed(push("m4")))
	blocked(t, q, 2)
	hand(t, q, invalidation("k1"), invalidation("k2"))
	holds(t, returned)
	require.Equal(t, dispatch.QueueStats{Pushes: 6, Delivered: 1, Dropped: 1, Coalesced: 2, Blocked: 2, Waiting: 2}, q.Stats())
	g.leave <- struct{}{}
	arrives(t, g.entered) // the flush
	holds(t, returned)
	g.open()
	require.NoError(t, arrives(t, returned))
	got, s := finish(t, q, g)
	require.Equal(t, []string{flushAll, push("m1"), push("m2"), push("m4")}, got)
	require.Equal(t, dispatch.QueueStats{Pushes: 7, Delivered: 4, Dropped: 1, Coalesced: 2, Flushes: 1, Blocked: 2}, s)
}

// The worker that delivers the flush may be idle while another worker is busy and everything that waits is for that one.
func TestQueueFlushWakesItsWorker(t *testing.T) {
	flushed, entered, leave := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	workers := map[string]string{} // by what they were given
	q := dispatch.NewQueue(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
			mu.Lock()
			workers[string(f.Raw())] = goroutine()
			mu.Unlock()
			switch string(f.Name()) {
			case "smessage":
				close(entered)
				<-leave
			case "invalidate":
				flushed <- struct{}{}
			}
			return nil
		}), dispatch.QueueWorkers(4), dispatch.QueueSize(1), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	hand(t, q, invalidation("k"))
	arrives(t, flushed)
	other := ""
	for i := 0; other == ""; i++ { // a channel whose worker is not that of invalidations
		hand(t, q, push("message", fmt.Sprint(i), "x"))
		eventually(t, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return workers[push("message", fmt.Sprint(i), "x")] != ""
		})
		if workers[push("message", fmt.Sprint(i), "x")] != workers[invalidation("k")] {
			other = fmt.Sprint(i)
		}
	}
	hand(t, q, push("smessage", other, "x"))
	arrives(t, entered)
	hand(t, q, push("message", other, "waits"), invalidation("k2"))
	arrives(t, flushed)
	close(leave)
	s := drained(t, q)
	require.EqualValues(t, 1, s.Flushes)
}

// The handler finds the cache to flush by the context of the last invalidation.
func TestQueueFlushHasTheContextOfTheLastInvalidation(t *testing.T) {
	type key struct{}
	type seen struct{ wire, value, conn any }
	for _, last := range []string{"k1", "k2", "k3", "k4"} {
		t.Run(last, func(t *testing.T) {
			entered, leave := make(chan struct{}, 10), make(chan struct{})
			var got []seen
			q := dispatch.NewQueue(dispatch.HandlerFunc(
				func(ctx context.Context, from dispatch.NotificationHandlerContext, f parser.Frame) error {
					entered <- struct{}{}
					<-leave
					got = append(got, seen{string(f.Raw()), ctx.Value(key{}), from.Conn})
					return nil
				}), dispatch.QueueSize(2), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
			give := func(name, wire string) {
				ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, name))
				defer cancel()
				require.NoError(t, q.HandlePush(ctx, dispatch.NotificationHandlerContext{Conn: name}, framed(wire)))
			}
			give("first", push("first"))
			arrives(t, entered)
			for _, k := range []string{"k1", "k2", "k3", "k4"} {
				give(k, invalidation(k))
				if k == last {
					break
				}
			}
			switch last {
			case "k1":
				give("m1", push("m1"))
				give("m2", push("m2"))
			case "k2":
				give("m1", push("m1"))
			}
			close(leave)
			drained(t, q)
			require.Equal(t, seen{flushAll, last, last}, got[1])
			for _, s := range got[2:] {
				require.Equal(t, "m", fmt.Sprint(s.conn)[:1])
			}
		})
	}
}

func TestQueueOfSizeOne(t *testing.T) {
	for policy, want := range map[dispatch.Overflow][]string{
		dispatch.Block:           {invalidation("a"), invalidation("b"), invalidation("c")},
		dispatch.DropNewest:      {invalidation("a")},
		dispatch.DropOldest:      {invalidation("c")},
		dispatch.CoalesceToFlush: {flushAll},
	} {
		for _, size := range []int{1, 0, -1} { // at least 1
			q, g := stuck(t, dispatch.QueueSize(size), dispatch.QueueOverflow(policy))
			hand(t, q, invalidation("a"))
			require.EqualValues(t, 1, q.Stats().Waiting)
			b := handing(t.Context(), q, framed(invalidation("b")))
			if policy == dispatch.Block {
				blocked(t, q, 1)
				g.open()
			}
			require.NoError(t, arrives(t, b))
			hand(t, q, invalidation("c"))
			got, _ := finish(t, q, g)
			require.Equal(t, want, got)
		}
	}
}

// The counts add up at any moment.
func TestQueueCountsAddUpAtAnyMoment(t *testing.T) {
	const producers, pushes = 4, 1000
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		for i, size := range []int{1, 2, 7, 64} {
			workers := i%3 + 1
			q := dispatch.NewQueue(discard{}, dispatch.QueueSize(size), dispatch.QueueWorkers(workers), dispatch.QueueOverflow(policy))
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			refused := make([]uint64, producers)
			var wg sync.WaitGroup
			for producer := range producers {
				wg.Add(1)
				go func() {
					defer wg.Done()
					ctx := []context.Context{t.Context(), ended, t.Context(), ended}[producer]
					for n := range pushes {
						wire := invalidation(fmt.Sprint(n))
						if n%(producer+1) != 0 {
							wire = push("message", fmt.Sprint(n%5), strings.Repeat("x", n))
						}
						if q.HandlePush(ctx, noContext, framed(wire)) != nil {
							refused[producer]++
						}
					}
				}()
			}
			var last dispatch.QueueStats
			for done := background(wg.Wait); done != nil; {
				select {
				case <-done:
					done = nil
				default:
				}
				s := q.Stats()
				addsUp(t, s)
				require.LessOrEqual(t, s.Waiting, uint64(size))
				require.True(t, last.Pushes <= s.Pushes && last.Delivered <= s.Delivered && last.Dropped <= s.Dropped &&
					last.Coalesced <= s.Coalesced && last.Flushes <= s.Flushes && last.Blocked <= s.Blocked)
				last = s
			}
			s := drained(t, q)
			require.EqualValues(t, producers*pushes, s.Pushes)
			require.Zero(t, refused[0]+refused[2])
			if policy == dispatch.Block || policy == dispatch.CoalesceToFlush {
				require.Equal(t, refused[1]+refused[3], s.Dropped)
			}
			if policy != dispatch.CoalesceToFlush {
				require.Zero(t, s.Coalesced+s.Flushes)
			}
			require.LessOrEqual(t, s.Flushes, s.Coalesced)
		}
	})
}

// A push that is still being copied counts as one that waits. Others wait for the copy at most, not for the handler.
func TestQueueWaitsForNoHandlerWhileAnotherPushIsCopied(t *testing.T) {
	large := framed(push("invalidate", strings.Repeat("x", 8<<20)))
	for _, policy := range []dispatch.Overflow{dispatch.DropOldest, dispatch.CoalesceToFlush} {
		for range 20 { // it takes luck to get in between
			q, g := stuck(t, dispatch.QueueSize(1), dispatch.QueueOverflow(policy))
			returned := handing(t.Context(), q, large)
			eventually(t, func() bool { return q.Stats().Waiting == 1 })
			hand(t, q, push("b"))
			require.NoError(t, arrives(t, returned))
			g.open()
			s := drained(t, q)
			require.EqualValues(t, 3, s.Pushes)
			require.EqualValues(t, 1, s.Dropped+s.Coalesced)
		}
	}
}
