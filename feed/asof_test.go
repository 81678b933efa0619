package feed_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/internal/test/soak"
	"github.com/seed79615202/respush/notify"
)

// rounds returns the number of rounds of a test that can be made longer.
func rounds(t *testing.T, n int) int {
	if soak.For(t) > 0 {
		return 10 * n
	}
	return n
}

// TestAsOfIsTrue writes keys, and checks again and again that the invalidation of
// each one that was acknowledged before AsOf has been handled. The server sleeps
// before each write, so that the write and a probe that arrives meanwhile are
// handled in one turn of its loop.
func TestAsOfIsTrue(t *testing.T) {
	for _, queued := range []bool{false, true} {
		t.Run("queue="+strconv.FormatBool(queued), func(t *testing.T) { testAsOf(t, queued) })
	}
}

func testAsOf(t *testing.T, queued bool) {
	s := redistest.Start(t)
	n := rounds(t, 1000)
	acknowledged := make([]atomic.Int64, n) // when, in Unix nanoseconds
	handled := make([]atomic.Bool, n)
	p := dispatch.NewProcessor()
	f := &feed.Feed{
		Addr: s.Addr, Tracking: &feed.Tracking{Prefixes: []string{"k:"}}, Processor: p,
		Probe: feed.Probe{Every: time.Millisecond, Within: 10 * time.Second},
	}
	handle := dispatch.HandlerFunc(notify.OnInvalidate(func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
		for key := range i.Keys() {
			at, err := strconv.Atoi(string(key[2:]))
			if err != nil {
				return err
			}
			handled[at].Store(true)
		}
		return nil
	}))
	if queued {
		q := dispatch.NewQueue(handle)
		f.Queues = []*dispatch.Queue{q}
		t.Cleanup(func() { _ = q.Close(context.Background()) })
		require.NoError(t, p.Handle(notify.NameInvalidate, q))
	} else {
		require.NoError(t, p.Handle(notify.NameInvalidate, handle))
	}
	w := start(t, f)

	written, checked := make(chan struct{}), make(chan int)
	go func() { // checks
		next, checks := 0, 0
		for {
			select {
			case <-written:
				checked <- checks
				return
			default:
			}
			c := w.Coverage()
			if !c.Armed {
				t.Error("not armed")
			}
			for ; next < n; next++ {
				at := acknowledged[next].Load()
				if at == 0 || at >= c.AsOf.UnixNano() {
					break
				}
				if !handled[next].Load() {
					t.Errorf("key %d was acknowledged before AsOf and has not been handled", next)
				}
				checks++
			}
		}
	}()
	sleeper, writer := s.Dial(t), s.Dial(t)
	for i := range n {
		sleeper.Send([]string{"DEBUG", "SLEEP", "0.002"})
		writer.Do("SET", "k:"+strconv.Itoa(i), "x")
		acknowledged[i].Store(time.Now().UnixNano())
		_, err := sleeper.Reader.Next()
		require.NoError(t, err)
	}
	last := time.Now()
	until(t, "freshness", func() bool { return w.Coverage().AsOf.After(last) })
	close(written)
	checks := <-checked
	t.Logf("%d keys checked before the end; %d probes", checks, w.Stats().Probes)
	for i := range n {
		require.True(t, handled[i].Load(), "key %d", i)
	}
	require.Greater(t, checks, n/2)
}

// TestAsOfWaitsForAScript has a key changed in the turn of the server's loop in
// which a long script begins. The server acknowledges the change and answers
// HELLO while the script runs, but reports the change only when it has ended.
func TestAsOfWaitsForAScript(t *testing.T) {
	s := redistest.Start(t, "--busy-reply-threshold", "1")
	var handled atomic.Bool
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			handled.Store(true)
			return nil
		})))
	w := start(t, &feed.Feed{
		Addr: s.Addr, Tracking: &feed.Tracking{}, Processor: p,
		Probe: feed.Probe{Every: time.Millisecond, Within: 10 * time.Second},
	})
	const script = "local i = 0 while i < 5000000 do i = i + 1 end return 1"
	sleeper, writer, other := s.Dial(t), s.Dial(t), s.Dial(t)
	early := 0
	for range rounds(t, 10) {
		handled.Store(false)
		sleeper.Send([]string{"DEBUG", "SLEEP", "0.01"})
		writer.Send([]string{"SET", "k", "v"})
		other.Send([]string{"EVAL", script, "0"})
		_, err := writer.Reader.Next()
		require.NoError(t, err)
		at := time.Now()
		if !handled.Load() {
			early++
		}
		for !handled.Load() {
			c := w.Coverage()
			if c.Armed && c.AsOf.After(at) {
				require.True(t, handled.Load(), "not handled, and AsOf is later than the acknowledgement")
			}
		}
		for _, c := range []*redistest.Client{sleeper, other} {
			_, err := c.Reader.Next()
			require.NoError(t, err)
		}
	}
	t.Logf("%d changes were acknowledged before they were reported; %d gaps", early, w.Stats().Gaps-1)
}
