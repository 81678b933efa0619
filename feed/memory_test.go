package feed_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// until waits until done is true.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	timeout := time.After(patience)
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-again.C:
		case <-timeout:
			t.Fatal("waited in vain: " + what)
		}
	}
}

func TestNothingIsAllocatedPerPushAndProbe(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	s := redistest.Start(t)
	var pushes atomic.Int64
	handle := dispatch.HandlerFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		pushes.Add(1)
		return nil
	})
	queue := dispatch.NewQueue(handle)
	t.Cleanup(func() { _ = queue.Close(context.Background()) })
	p := dispatch.NewProcessor()
	require.NoError(t, p.Handle("message", handle))
	require.NoError(t, p.Handle("invalidate", queue))
	w := start(t, &feed.Feed{
		Addr: s.Addr, Processor: p, Queues: []*dispatch.Queue{queue}, Channels: []string{"c"},
		Tracking: &feed.Tracking{}, Probe: feed.Probe{Every: time.Millisecond},
	})
	script := `for i = 1, 100 do redis.call('PUBLISH', 'c', 'x') redis.call('SET', 'k' .. i, 1) end`
	client := s.Dial(t)
	one := func() { client.Do("EVAL", script, "0") }
	one()
	until(t, "probes", func() bool { return w.Stats().Answers > 100 })

	const times = 100
	var before, after runtime.MemStats
	sent, answers := pushes.Load(), w.Stats().Answers
	own := allocs.PerRun(times, one) // what the other client allocates, and the Feed meanwhile
	until(t, "pushes", func() bool { return pushes.Load() >= sent+(times+1)*100 })
	runtime.ReadMemStats(&before)
	answers = w.Stats().Answers
	until(t, "probes", func() bool { return w.Stats().Answers > answers+200 })
	runtime.ReadMemStats(&after)
	t.Logf("%v allocations for 200 pushes, those of the writer included; %d for 200 probes", own, after.Mallocs-before.Mallocs)
	require.Less(t, own, 20.0)
	// The timers of the test allocate as well.
	require.Less(t, after.Mallocs-before.Mallocs, uint64(150))
}

// TestAThousandFeeds measures what an idle Feed holds, and restarts the server
// under all of them.
func TestAThousandFeeds(t *testing.T) {
	if testing.Short() || race.Enabled {
		t.Skip("many connections")
	}
	s := redistest.Start(t)
	n := 1000
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	goroutines := runtime.NumGoroutine()
	used := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	before := used()
	armed := make(chan feed.Coverage, 10*n)
	feeds := make([]*feed.Feed, n)
	p := dispatch.NewProcessor()
	for i := range feeds {
		feeds[i] = &feed.Feed{
			Addr: s.Addr, Processor: p, ClientName: "feed-" + strconv.Itoa(i), Tracking: &feed.Tracking{},
			Probe:   feed.Probe{Within: patience},
			OnArmed: func(_ context.Context, c feed.Coverage) { armed <- c },
		}
		group.Add(1)
		go func() {
			defer group.Done()
			_ = feeds[i].Run(ctx)
		}()
	}
	for range n {
		await(t, armed)
	}
	each := (used() - before) / int64(n)
	t.Logf("%d feeds: %d bytes each, %d goroutines each", n, each, (runtime.NumGoroutine()-goroutines)/n)
	require.Less(t, each, int64(16<<10))
	require.Equal(t, n, runtime.NumGoroutine()-goroutines)

	lost := time.Now()
	s.Dial(t).Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	waits := make([]time.Duration, 0, n)
	for range n {
		c := await(t, armed)
		require.Equal(t, uint64(2), c.Gen)
		waits = append(waits, time.Since(lost))
	}
	t.Logf("armed again after %v to %v", waits[0], waits[n-1])
	require.Greater(t, waits[n-1]-waits[0], 50*time.Millisecond, "the dials are spread")
	for _, f := range feeds {
		require.Equal(t, uint64(2), f.Stats().Arms)
	}
}

// resources returns the numbers of goroutines and of descriptors.
func resources(t testing.TB) [2]int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("the system does not list descriptors")
	}
	return [2]int{runtime.NumGoroutine(), len(files)}
}
