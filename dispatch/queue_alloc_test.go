package dispatch_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// skipAllocations skips a test that counts allocations in a build that has more of them.
func skipAllocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes sync.Pool forget")
	}
	if debugBuild {
		t.Skip("handlers get copies")
	}
}

// tally is a Handler that counts.
type tally struct{ n atomic.Uint64 }

func (c *tally) HandlePush(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
	c.n.Add(1)
	return nil
}

// perRun is the number of pushes in a run: testing.AllocsPerRun rounds down to whole allocations in one.
const perRun = 500

// eachContext runs a test with a context that never ends, one that can end, and one that also has a value.
func eachContext(t *testing.T, test func(t *testing.T, ctx context.Context)) {
	type key struct{}
	cancelable, cancel := context.WithCancel(context.Background())
	defer cancel()
	t.Run("ctx=Background", func(t *testing.T) { test(t, context.Background()) })
	t.Run("ctx=WithCancel", func(t *testing.T) { test(t, cancelable) })
	t.Run("ctx=WithValue", func(t *testing.T) { test(t, context.WithValue(cancelable, key{}, "value")) })
}

func TestQueueDoesNotAllocate(t *testing.T) {
	skipAllocations(t)
	frames := []parser.Frame{
		framed(invalidation("user:00000000042")), framed(push("message", "channel", strings.Repeat("x", 1<<10))),
		framed(push("pmessage", "*", "channel", "x")), framed(push("MOVING", "x")), framed(">0\r\n"), framed(flushAll),
	}
	from := dispatch.NotificationHandlerContext{Client: t, Conn: &frames}
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		for _, size := range []int{1, 20, 2 * perRun} {
			for _, workers := range []int{1, 3} {
				t.Run(fmt.Sprintf("size=%d/workers=%d", size, workers), func(t *testing.T) {
					eachContext(t, func(t *testing.T, ctx context.Context) {
						c := new(tally)
						q := dispatch.NewQueue(c, dispatch.QueueSize(size), dispatch.QueueWorkers(workers), dispatch.QueueOverflow(policy))
						run := func() {
							for i := range perRun {
								if q.HandlePush(ctx, from, frames[i%len(frames)]) != nil {
									t.Error("not taken")
								}
							}
							for s := q.Stats(); c.n.Load() != s.Delivered+s.Flushes || s.Waiting > 0; s = q.Stats() {
								runtime.Gosched()
							}
						}
						require.Zero(t, allocs.PerRun(30, run))
						s := drained(t, q)
						require.EqualValues(t, 31*perRun, s.Pushes)
						require.Equal(t, s.Delivered+s.Flushes, c.n.Load())
						if policy == dispatch.Block {
							require.Equal(t, s.Pushes, s.Delivered)
						}
					})
				})
			}
		}
	})
}

// A queue whose handler is too slow for any delivery does not allocate either.
func TestQueueThatIsFullDoesNotAllocate(t *testing.T) {
	skipAllocations(t)
	f := framed(invalidation("user:00000000042"))
	for _, policy := range []dispatch.Overflow{dispatch.DropNewest, dispatch.DropOldest, dispatch.CoalesceToFlush} {
		eachContext(t, func(t *testing.T, ctx context.Context) {
			q, g := stuck(t, dispatch.QueueSize(10), dispatch.QueueOverflow(policy))
			require.Zero(t, allocs.PerRun(30, func() {
				for range perRun {
					_ = q.HandlePush(ctx, noContext, f)
				}
			}))
			s := q.Stats()
			require.LessOrEqual(t, s.Waiting, uint64(10))
			require.EqualValues(t, 1+31*perRun-s.Waiting-1, s.Dropped+s.Coalesced)
			finish(t, q, g)
		})
	}
}

// again is a reader of the same bytes without end, in pieces of a size.
type again struct {
	wire  string
	piece int
	off   int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), a.piece)], a.wire[a.off:])
	a.off = (a.off + n) % len(a.wire)
	return n, nil
}

// Every option is on, and the pushes go every way there is: to a handler, to one that fails, to a queue, to the fallback
// with an unknown name or none, and out of a reply in which they are nested.
func TestProcessorWithAllOptionsDoesNotAllocate(t *testing.T) {
	skipAllocations(t)
	wire := invalidation("user:00000000042") + push("message", "channel", strings.Repeat("x", 1<<10)) +
		push("fails", "x") + push("queued", "x") + push("unknown", "x") + ">0\r\n" + ">1\r\n:1\r\n" + flushAll +
		push("message", "channel", strings.Repeat("y", 20<<10))
	nested := "*2\r\n" + push("nested", "x") + ":1\r\n" + push("fails") + ":2\r\n"
	const pushes = 9
	for _, piece := range []int{100, 4096, 1 << 20} {
		t.Run(fmt.Sprint("pieces=", piece), func(t *testing.T) {
			eachContext(t, func(t *testing.T, ctx context.Context) {
				var handled, failed, fallback, queued tally
				q := dispatch.NewQueue(&queued)
				p := dispatch.NewProcessor(dispatch.WithPubSub(), dispatch.WithFallback(&fallback), dispatch.WithSkipOversize(),
					dispatch.WithErrorHandler(func(context.Context, []byte, error) { failed.n.Add(1) }))
				require.NoError(t, p.Handle("invalidate", &handled))
				require.NoError(t, p.HandleFunc("message", handled.HandlePush))
				require.NoError(t, p.Handle("queued", q))
				handle(t, p, "fails", func(parser.Frame) error { return errHandler })

				from := dispatch.NotificationHandlerContext{Client: t, Conn: &queued}
				rd := parser.NewReader(&again{wire: strings.Repeat(wire, perRun/pushes) + pong + nested, piece: piece})
				pass := func() {
					err := p.ProcessPendingNotifications(ctx, from, rd)
					for range 2 {
						var f parser.Frame
						if err == nil {
							f, err = rd.Next()
						}
						p.Dispatch(ctx, from, f)
					}
					if err != nil {
						t.Error(err)
					}
					for q.Stats().Waiting > 0 {
						runtime.Gosched()
					}
				}
				require.Zero(t, allocs.PerRun(30, pass))
				const passes, rounds = 31, 31 * (perRun / pushes)
				require.EqualValues(t, 4*rounds, handled.n.Load(), "two invalidations and two messages")
				require.EqualValues(t, rounds+passes, failed.n.Load())
				require.EqualValues(t, 3*rounds+passes, fallback.n.Load())
				require.EqualValues(t, rounds, drained(t, q).Delivered)
				s := p.Stats()
				require.EqualValues(t, pushes*rounds+2*passes, s.Pushes)
				require.EqualValues(t, 2*passes, s.Nested)
				require.EqualValues(t, rounds+passes, s.Errors)
				require.Zero(t, s.Unhandled+s.Panics+s.Oversize)
			})
		})
	}
}

// A poll that finds nothing is as frequent as one that finds something.
func TestProcessorWithAllOptionsDoesNotAllocateForATimeout(t *testing.T) {
	skipAllocations(t)
	p := dispatch.NewProcessor(dispatch.WithPubSub(), dispatch.WithFallback(discard{}), dispatch.WithSkipOversize(),
		dispatch.WithErrorHandler(func(context.Context, []byte, error) {}))
	rd := parser.NewReader(silent{})
	require.Zero(t, allocs.PerRun(1000, func() {
		if err := p.ProcessPendingNotifications(context.Background(), noContext, rd); err != nil {
			t.Error(err)
		}
	}))
}

// silent is a reader on which nothing arrives before its deadline.
type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, timeout }
