package dispatch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// patience bounds the wait for an event that must happen.
const patience = 30 * time.Second

// arrives receives from c, which must have a value soon.
func arrives[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("waits for ever")
		panic("not reached")
	}
}

// eventually waits for a condition that must become true soon.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("never comes true")
		}
	}
}

// framed returns the frame that wire is.
func framed(wire string) parser.Frame {
	f, n, err := parser.Parse([]byte(wire))
	if err != nil || n != len(wire) {
		panic(fmt.Sprintf("%q is no frame: %v", wire, err))
	}
	return f
}

// hand gives pushes to q, which must accept each without a long wait.
func hand(t *testing.T, q *dispatch.Queue, wires ...string) {
	t.Helper()
	for _, wire := range wires {
		require.NoError(t, arrives(t, handing(t.Context(), q, framed(wire))))
	}
}

// handing gives a push to q on another goroutine; the channel gets what HandlePush returns.
func handing(ctx context.Context, q *dispatch.Queue, push parser.Frame) <-chan error {
	returned := make(chan error, 1)
	go func() { returned <- q.HandlePush(ctx, noContext, push) }()
	return returned
}

// drained closes q, which must come to its end, and returns the final counts.
func drained(t *testing.T, q *dispatch.Queue) dispatch.QueueStats {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, arrives(t, closing(ctx, q)))
	s := q.Stats()
	addsUp(t, s)
	require.Zero(t, s.Waiting)
	return s
}

// closing closes q on another goroutine; the channel gets what Close returns.
func closing(ctx context.Context, q *dispatch.Queue) <-chan error {
	returned := make(chan error, 1)
	go func() { returned <- q.Close(ctx) }()
	return returned
}

// addsUp checks that every push is counted once.
func addsUp(t *testing.T, s dispatch.QueueStats) {
	t.Helper()
	if s.Pushes != s.Delivered+s.Dropped+s.Coalesced+s.Waiting {
		t.Fatalf("does not add up: %+v", s)
	}
}

// gate is a Handler that remembers pushes, and keeps each in hand until it may leave. What it remembers may be read when
// its queue, of one worker, has been closed.
type gate struct {
	record
	entered chan struct{} // gets a token when a push is in hand
	leave   chan struct{} // a token lets go of one, closing it of all
	opened  sync.Once
}

func (g *gate) HandlePush(ctx context.Context, from dispatch.NotificationHandlerContext, push parser.Frame) error {
	g.entered <- struct{}{}
	<-g.leave
	return g.record.HandlePush(ctx, from, push)
}

func (g *gate) open() { g.opened.Do(func() { close(g.leave) }) }

// gated returns a queue with a gate behind it.
func gated(t *testing.T, opts ...dispatch.QueueOption) (*dispatch.Queue, *gate) {
	g := &gate{entered: make(chan struct{}, 1<<10), leave: make(chan struct{})}
	q := dispatch.NewQueue(g, opts...)
	t.Cleanup(func() {
		g.open()
		drained(t, q)
	})
	return q, g
}

// stuck is gated with one push, called first, in hand.
func stuck(t *testing.T, opts ...dispatch.QueueOption) (*dispatch.Queue, *gate) {
	q, g := gated(t, opts...)
	hand(t, q, push("first"))
	arrives(t, g.entered)
	return q, g
}

// finish lets go of all and returns what was delivered, without the first of stuck, and the final counts.
func finish(t *testing.T, q *dispatch.Queue, g *gate) ([]string, dispatch.QueueStats) {
	t.Helper()
	g.open()
	s := drained(t, q)
	require.Equal(t, push("first"), g.pushes[0])
	return g.pushes[1:], s
}

// eachOverflow runs a test for every policy.
func eachOverflow(t *testing.T, test func(t *testing.T, policy dispatch.Overflow)) {
	for i, name := range []string{"Block", "DropNewest", "DropOldest", "CoalesceToFlush"} {
		t.Run(name, func(t *testing.T) { test(t, dispatch.Overflow(i)) })
	}
}

// ordered is a Handler that checks that pushes of one key come one after another, and those of one producer in the order
// they were handed in. The key is their second element where that is one of the keys, else their name; their last
// element is "producer number".
type ordered struct {
	keys     map[string]*orderedKey // not changed once in use
	overtook atomic.Int64
	together atomic.Int64
	seen     atomic.Int64
}

type orderedKey struct {
	busy atomic.Bool
	last map[int]int // by producer
}

func newOrdered(keys ...string) *ordered {
	o := &ordered{keys: map[string]*orderedKey{}}
	for _, key := range keys {
		o.keys[key] = &orderedKey{last: map[int]int{}}
	}
	return o
}

func (o *ordered) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	k, text := o.keys[string(push.Name())], ""
	for v := range push.Args() {
		if text = v.String(); o.keys[text] != nil {
			k = o.keys[text]
		}
	}
	if !k.busy.CompareAndSwap(false, true) {
		o.together.Add(1)
		return nil
	}
	defer k.busy.Store(false)
	var producer, number int
	if _, err := fmt.Sscan(text, &producer, &number); err != nil {
		return err
	}
	if number <= k.last[producer] {
		o.overtook.Add(1)
	}
	k.last[producer] = number
	o.seen.Add(1)
	runtime.Gosched() // for the others to catch up
	return nil
}

// The confirmations and the messages of a channel or pattern are delivered in one order.
func TestQueueKeepsTheOrderOfEachNameChannelAndPattern(t *testing.T) {
	const producers, pushes = 6, 1500
	keys := []string{"invalidate", "MOVING", "other", "a", "b", "c", "d", "e", "f"} // names, then channels and patterns
	kinds := []string{"subscribe", "message", "pmessage", "smessage", "punsubscribe", "unsubscribe", "ssubscribe", "sunsubscribe"}
	for _, workers := range []int{1, 2, 4, 7} {
		t.Run(fmt.Sprint("workers=", workers), func(t *testing.T) {
			o := newOrdered(keys...)
			q := dispatch.NewQueue(o, dispatch.QueueWorkers(workers), dispatch.QueueSize(16))
			var wg sync.WaitGroup
			for producer := range producers {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for n := range pushes {
						text := fmt.Sprint(producer, " ", n+1)
						f := push(keys[n*7%3], text)
						switch channel, kind := keys[3+n*5%6], kinds[n%len(kinds)]; {
						case n%3 == 0:
						case kind == "pmessage":
							f = push(kind, channel, "some channel", text)
						default:
							f = push(kind, channel, text)
						}
						_ = q.HandlePush(context.Background(), noContext, framed(f))
					}
				}()
			}
			wg.Wait()
			s := drained(t, q)
			require.EqualValues(t, producers*pushes, o.seen.Load())
			require.EqualValues(t, producers*pushes, s.Delivered)
			require.Zero(t, o.overtook.Load())
			require.Zero(t, o.together.Load())
			require.Zero(t, s.Errors+s.Panics)
		})
	}
}

// There are so many channels here that not all of them can share a worker with the first.
func TestQueueGoesOnWithOtherChannels(t *testing.T) {
	const channels = 100
	entered, leave, others := make(chan struct{}), make(chan struct{}), make(chan struct{}, channels)
	q := dispatch.NewQueue(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
			if string(f.Raw()) == push("message", "0", "x") {
				close(entered)
				<-leave
			} else {
				others <- struct{}{}
			}
			return nil
		}), dispatch.QueueWorkers(4))
	hand(t, q, push("message", "0", "x"))
	arrives(t, entered)
	for i := range channels {
		hand(t, q, push("message", fmt.Sprint(i+1), "x"))
	}
	arrives(t, others)
	close(leave)
	drained(t, q)
}

func TestQueueCopiesThePush(t *testing.T) {
	q, g := gated(t, dispatch.QueueSize(10))
	var want []string
	buffer := make([]byte, 1<<10)
	for i := range 10 {
		wire := push("name", strings.Repeat(fmt.Sprint(i), 10*i))
		want = append(want, wire)
		f, _, err := parser.Parse(buffer[:copy(buffer, wire)])
		require.NoError(t, err)
		require.NoError(t, q.HandlePush(t.Context(), noContext, f))
		clear(buffer)
	}
	g.open()
	drained(t, q)
	require.Equal(t, want, g.pushes)
}

// The buffers of large and small pushes come from one pool.
func TestQueueTakesLargePushes(t *testing.T) {
	large := push("large", strings.Repeat("x", 2<<20))
	want := map[string][]string{}
	var mu sync.Mutex
	got := map[string][]string{}
	q := dispatch.NewQueue(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
			mu.Lock()
			defer mu.Unlock()
			got[string(f.Name())] = append(got[string(f.Name())], string(f.Raw()))
			return nil
		}), dispatch.QueueWorkers(2), dispatch.QueueSize(4))
	for i := range 60 {
		name, wire := "small", push("small", fmt.Sprint(i))
		if i%10 == 3 {
			name, wire = "large", large
		}
		want[name] = append(want[name], wire)
		hand(t, q, wire)
	}
	drained(t, q)
	require.True(t, fmt.Sprint(want) == fmt.Sprint(got), "what was delivered is not what was given") // no dump of 12 MiB
}

// byValue and incomparable are contexts that are no pointers.
type byValue struct{ context.Context }

type incomparable struct {
	context.Context
	_ []int
}

func TestQueueContextHasTheValuesAndNotTheEnd(t *testing.T) {
	type key struct{}
	ended, cancel := context.WithTimeout(context.WithValue(context.Background(), key{}, "timeout"), time.Hour)
	other, cancelOther := context.WithCancel(context.WithValue(context.Background(), key{}, "cancel"))
	contexts := []context.Context{
		context.Background(), ended, ended, other, ended, byValue{other}, incomparable{ended, nil}, byValue{other},
		context.WithValue(context.Background(), key{}, "value"), byValue{context.Background()},
	}
	leave := make(chan struct{})
	var values []any
	var ends []any
	var from []dispatch.NotificationHandlerContext
	q := dispatch.NewQueue(dispatch.HandlerFunc(
		func(ctx context.Context, c dispatch.NotificationHandlerContext, _ parser.Frame) error {
			<-leave
			_, deadline := ctx.Deadline()
			values, from = append(values, ctx.Value(key{})), append(from, c)
			ends = append(ends, ctx.Done() != nil, ctx.Err() != nil, deadline)
			return nil
		}))
	var want []dispatch.NotificationHandlerContext
	for i, ctx := range contexts {
		want = append(want, dispatch.NotificationHandlerContext{Client: i, ConnPool: "pool", PubSub: &want, Conn: ctx, IsBlocking: i%2 == 0})
		require.NoError(t, q.HandlePush(ctx, want[i], framed(push("a"))))
	}
	cancel()
	cancelOther()
	close(leave)
	drained(t, q)
	require.Equal(t, []any{nil, "timeout", "timeout", "cancel", "timeout", "cancel", "timeout", "cancel", "value", nil}, values)
	require.NotContains(t, ends, true)
	require.Equal(t, want, from)
}

func TestQueueReportsAndCountsErrorsAndPanics(t *testing.T) {
	for _, reporterPanics := range []bool{false, true} {
		t.Run(fmt.Sprint("error handler panics=", reporterPanics), func(t *testing.T) {
			type key struct{}
			ctx := context.WithValue(t.Context(), key{}, "caller's")
			var failed reports
			var got record
			q := dispatch.NewQueue(dispatch.HandlerFunc(
				func(ctx context.Context, from dispatch.NotificationHandlerContext, f parser.Frame) error {
					switch string(f.Name()) {
					case "fails":
						return errHandler
					case "panics":
						panic("boom")
					}
					return got.HandlePush(ctx, from, f)
				}), dispatch.QueueErrorHandler(func(ctx context.Context, name []byte, err error) {
				failed.handle(ctx, name, err)
				if ctx.Value(key{}) != "caller's" || ctx.Err() != nil {
					t.Error("not the context of the handler")
				}
				if reporterPanics {
					panic("the error handler too")
				}
			}))
			var want []string
			for i := range 30 {
				other := push("other", fmt.Sprint(i))
				want = append(want, other)
				for _, wire := range []string{push([]string{"fails", "panics"}[i%2], "x"), other} {
					require.NoError(t, q.HandlePush(ctx, noContext, framed(wire)), "it is no failure of the queue")
				}
			}
			s := drained(t, q)
			require.Equal(t, want, got.pushes)
			require.Len(t, failed, 30)
			for i, r := range failed {
				var panicked *dispatch.PanicError
				if i%2 == 0 {
					require.Equal(t, report{"fails", errHandler}, r)
					continue
				}
				require.Equal(t, "panics", r.name)
				require.ErrorAs(t, r.err, &panicked)
				require.Equal(t, "boom", panicked.Value)
				require.Contains(t, string(panicked.Stack), "TestQueueReportsAndCounts", "the stack is that of the handler")
			}
			require.EqualValues(t, 60, s.Delivered)
			require.EqualValues(t, 15, s.Errors)
			if reporterPanics {
				require.EqualValues(t, 15+30, s.Panics)
			} else {
				require.EqualValues(t, 15, s.Panics)
			}
		})
	}
}

func TestQueueLogsErrorsByDefault(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	fail := func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return errHandler }
	for _, opts := range [][]dispatch.QueueOption{nil, {dispatch.QueueErrorHandler(nil)}} {
		log.Reset()
		q := dispatch.NewQueue(dispatch.HandlerFunc(fail), opts...)
		hand(t, q, push("fails"))
		drained(t, q)
		require.Contains(t, log.String(), "level=WARN")
		require.Contains(t, log.String(), "push=fails")
		require.Contains(t, log.String(), errHandler.Error())
	}
}

// The reply is read after its pushes, and the handler gets those in wire order, even if the queue is full or slow.
func TestQueueIsAHandlerOfAProcessor(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		got := new(record)
		q := dispatch.NewQueue(got, dispatch.QueueSize(3))
		p := dispatch.NewProcessor(dispatch.WithPubSub(), dispatch.WithFallback(q))
		require.NoError(t, p.Handle("invalidate", q))
		require.NoError(t, p.Handle("message", q))
		var wire strings.Builder
		var want []string
		for i := range 60 {
			f := push([]string{"invalidate", "message", "other"}[i%3], "channel", strings.Repeat("x", i))
			wire.WriteString(f)
			want = append(want, f)
		}
		wire.WriteString(">0\r\n>1\r\n:1\r\n") // without a name
		c := connect(t, chunks(wire.String()+pong+push("other", "last")+":1\r\n", 50)...)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, ":1\r\n", c.reply(t, p))
		s := drained(t, q)
		require.Equal(t, append(want, ">0\r\n", ">1\r\n:1\r\n", push("other", "last")), got.pushes)
		require.EqualValues(t, p.Stats().Pushes, s.Delivered)
		require.Zero(t, p.Stats().Errors)
	})
}

func TestQueueEndsItsGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		for workers := range 9 {
			q := dispatch.NewQueue(discard{}, dispatch.QueueWorkers(workers), dispatch.QueueOverflow(policy))
			for i := range 10 * workers {
				hand(t, q, push("message", fmt.Sprint(i), "x"))
			}
			require.Greater(t, runtime.NumGoroutine(), before)
			drained(t, q)
		}
	})
	eventually(t, func() bool { return runtime.NumGoroutine() <= before })
}

// discard does nothing, from any number of goroutines.
type discard struct{}

func (discard) HandlePush(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
	return nil
}
