package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

const (
	invalidateK = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"
	flush       = ">2\r\n$10\r\ninvalidate\r\n_\r\n"
)

func TestNearCacheTakes25LinesBesideItsBusiness(t *testing.T) {
	source, err := os.ReadFile("cache.go")
	require.NoError(t, err)
	lines := program.Region(string(source))
	t.Logf("%d lines", lines)
	require.LessOrEqual(t, lines, 25)
}

// runFeed runs the Feed of a cache until the end of the test, and returns when it is
// armed.
func runFeed(t *testing.T, c *cache) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.feed.Run(ctx) // the end of ctx
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		require.NoError(t, c.feed.Queues[0].Close(context.Background()))
	})
	require.NoError(t, until(t.Context(), func() bool { return c.feed.Coverage().Armed }))
}

// A value is read, changed and invalidated before it is stored.
func TestValueInvalidatedOrFlushedWhileLoadedIsNotCached(t *testing.T) {
	server := redistest.Start(t)
	for _, wire := range []string{invalidateK, flush} {
		var meanwhile func()
		c := newCache(program.Server{Addr: server.Addr}, prefix, otter.Options[string, string]{MaximumSize: 10},
			func(context.Context, string) (string, error) { meanwhile(); return "value", nil })
		runFeed(t, c)
		get := func() {
			value, err := c.get(t.Context(), "k")
			require.NoError(t, err)
			require.Equal(t, "value", value)
		}
		meanwhile = func() { push(t, c, wire) }
		get()
		require.Zero(t, c.values.EstimatedSize(), wire)
		require.EqualValues(t, 1, c.missed.Load())
		meanwhile = func() {}
		get()
		meanwhile = func() { require.Fail(t, "it is cached") }
		get()
		push(t, c, wire)
		require.Zero(t, c.values.EstimatedSize(), wire)
	}
}

// push gives a push to the cache.
func push(t *testing.T, c *cache, wire string) {
	t.Helper()
	f, _, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	require.Equal(t, 1, c.feed.Processor.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
	handled := make(chan struct{})
	require.True(t, c.feed.Queues[0].Barrier(func() { close(handled) }))
	<-handled
}

func TestCacheWhoseFeedIsNotArmedKeepsNothing(t *testing.T) {
	loads := 0
	failure := errors.New("no server")
	c := newCache(program.Server{Addr: "localhost:1"}, prefix, otter.Options[string, string]{MaximumSize: 10},
		func(context.Context, string) (string, error) {
			if loads++; loads > 2 {
				return "", failure
			}
			return "value", nil
		})
	for range 2 {
		_, err := c.get(t.Context(), "k")
		require.NoError(t, err)
	}
	_, err := c.get(t.Context(), "k")
	require.ErrorIs(t, err, failure)
	require.Zero(t, c.guard.Loading())
	require.NoError(t, c.feed.Queues[0].Close(t.Context()))
}

// Readers and a writer go on during each fault. Afterwards every value in the
// cache is that of the server.
func TestNothingStaleIsLeftByFaults(t *testing.T) {
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr, MaxRetries: -1, ReadTimeout: 100 * time.Millisecond, DialTimeout: 100 * time.Millisecond})
	defer client.Close()
	c := newCache(program.Server{Addr: server.Addr}, prefix, otter.Options[string, string]{MaximumSize: size},
		func(ctx context.Context, key string) (string, error) { return client.Get(ctx, key).Result() })
	c.feed.Probe = feed.Probe{Every: 100 * time.Millisecond, Within: 300 * time.Millisecond}
	runFeed(t, c)
	gap := func() {
		gaps := c.feed.Stats().Gaps
		require.NoError(t, until(t.Context(), func() bool { return c.feed.Stats().Gaps > gaps }))
	}
	for name, fault := range map[string]func(){
		"none":    func() { require.NoError(t, settle(t.Context(), c.feed)) },
		"restart": func() { server.Restart(t) },
		"freeze":  func() { server.Stop(t); gap(); server.Cont(t) },
		"kicked":  func() { server.Dial(t).Do("CLIENT", "KILL", "TYPE", "normal") },
		"overflow": func() {
			c.busy.Lock()
			defer c.busy.Unlock()
			for i := range keys {
				_ = client.Set(t.Context(), key(i), "changed", 0).Err() // enough will succeed
			}
		},
	} {
		stop := make(chan struct{})
		var group sync.WaitGroup
		for i := range readers {
			group.Add(1)
			go func() {
				defer group.Done()
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					// Errors are what a fault brings.
					if i == 0 {
						_ = client.Set(t.Context(), key(rand.IntN(keys)), n, 0).Err()
					} else {
						_, _ = c.get(t.Context(), key(rand.IntN(keys)))
					}
				}
			}()
		}
		fault()
		require.NoError(t, settle(t.Context(), c.feed))
		require.NoError(t, until(t.Context(), func() bool { return c.values.EstimatedSize() > size/3 }))
		close(stop)
		group.Wait()
		require.NoError(t, settle(t.Context(), c.feed))
		cached, stale, err := compare(t.Context(), client, c)
		require.NoError(t, err)
		t.Logf("%-8s  %d gaps  %d cached  %d stale", name, c.feed.Stats().Gaps-1, cached, stale)
		require.Positive(t, cached, name)
		require.Zero(t, stale, name)
	}
}
