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

// cacheOf returns a cache of the given size.
func cacheOf(server program.Server, client redis.UniversalClient, size int, read readFunc) *cache {
	return newCache(server, server.Topology(client), prefix, otter.Options[string, string]{MaximumSize: size}, read)
}

// runFeed runs the Cluster of a cache until the end of the test. It returns when
// the Cluster covers all keys.
func runFeed(t *testing.T, c *cache) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.feed.Run(ctx) // returns the error of ctx
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		require.NoError(t, c.queue.Close(context.Background()))
	})
	require.NoError(t, settle(t.Context(), c.feed))
}

// A value is read, changed and invalidated before it is stored.
func TestValueInvalidatedOrFlushedWhileLoadedIsNotCached(t *testing.T) {
	server := redistest.Start(t)
	for _, wire := range []string{invalidateK, flush} {
		var meanwhile func()
		c := cacheOf(program.Server{Addr: server.Addr}, nil, 10, func(context.Context, string) (value, addr string, err error) {
			meanwhile()
			return "value", server.Addr, nil
		})
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
	for _, node := range c.feed.Feeds() {
		require.Equal(t, 1, node.Processor.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
	}
	handled := make(chan struct{})
	require.True(t, c.queue.Barrier(func() { close(handled) }))
	<-handled
}

func TestCacheWhoseFeedIsNotArmedKeepsNothing(t *testing.T) {
	loads := 0
	failure := errors.New("no server")
	c := cacheOf(program.Server{Addr: "localhost:1"}, nil, 10, func(context.Context, string) (value, addr string, err error) {
		if loads++; loads > 2 {
			return "", "", failure
		}
		return "value", "localhost:1", nil
	})
	for range 2 {
		_, err := c.get(t.Context(), "k")
		require.NoError(t, err)
	}
	_, err := c.get(t.Context(), "k")
	require.ErrorIs(t, err, failure)
	require.Zero(t, c.guard.Loading())
	require.NoError(t, c.queue.Close(t.Context()))
}

// A value that another node returns may be out of date.
func TestValueOfAnotherNodeIsNotCached(t *testing.T) {
	server := redistest.Start(t)
	addr := "localhost:1"
	c := cacheOf(program.Server{Addr: server.Addr}, nil, 10, func(context.Context, string) (string, string, error) { return "value", addr, nil })
	runFeed(t, c)
	for _, addr = range []string{"localhost:1", server.Addr} {
		_, err := c.get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, addr == server.Addr, c.values.EstimatedSize() == 1)
	}
}

// impatient returns the options of clients in tests with faults.
func impatient(addr string) *redis.UniversalOptions {
	return &redis.UniversalOptions{Addrs: []string{addr}, MaxRetries: -1, ReadTimeout: 100 * time.Millisecond, DialTimeout: 100 * time.Millisecond}
}

// A fault is something that goes wrong while a cache is used.
type fault struct {
	name   string
	strike func(*cache)
}

// requireNothingStale lets readers and a writer go on during each fault.
// Afterwards every value in the cache must equal the server's.
func requireNothingStale(t *testing.T, server program.Server, client redis.UniversalClient, faults []fault) {
	t.Helper()
	c := cacheOf(server, client, size, func(ctx context.Context, key string) (string, string, error) { return program.Get(ctx, client, key) })
	c.feed.Probe = feed.Probe{Every: 100 * time.Millisecond, Within: 300 * time.Millisecond}
	runFeed(t, c)
	for _, f := range faults {
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
					// Faults cause errors.
					if i == 0 {
						_ = client.Set(t.Context(), key(rand.IntN(keys)), n, 0).Err()
					} else {
						_, _ = c.get(t.Context(), key(rand.IntN(keys)))
					}
				}
			}()
		}
		f.strike(c)
		require.NoError(t, settle(t.Context(), c.feed))
		require.NoError(t, program.Until(t.Context(), func() bool { return c.values.EstimatedSize() > size/3 }))
		close(stop)
		group.Wait()
		require.NoError(t, settle(t.Context(), c.feed))
		require.NoError(t, program.Until(t.Context(), func() bool { // the last changes may have overflowed the queue, which flushes everything
			_, _ = c.get(t.Context(), key(rand.IntN(keys))) // not every key has been set
			return c.values.EstimatedSize() > 0
		}))
		cached, stale, err := compare(t.Context(), client, c)
		require.NoError(t, err)
		t.Logf("%-8s  %d gaps  %d cached  %d stale", f.name, c.feed.Stats().Gaps-1, cached, stale)
		require.Positive(t, cached, f.name)
		require.Zero(t, stale, f.name)
	}
}

// awaitGap waits for a gap of a cache.
func awaitGap(t *testing.T, c *cache) {
	t.Helper()
	gaps := c.feed.Stats().Gaps
	require.NoError(t, program.Until(t.Context(), func() bool { return c.feed.Stats().Gaps > gaps }))
}

// flood changes every key while the cache is busy.
func flood(t *testing.T, c *cache, client redis.UniversalClient) {
	t.Helper()
	c.busy.Lock()
	defer c.busy.Unlock()
	for i := range keys {
		_ = client.Set(t.Context(), key(i), "changed", 0).Err() // enough of them succeed
	}
}

func TestNothingStaleIsLeftByFaults(t *testing.T) {
	server := redistest.Start(t)
	client := redis.NewUniversalClient(impatient(server.Addr))
	defer client.Close()
	requireNothingStale(t, program.Server{Addr: server.Addr}, client, []fault{
		{"none", func(c *cache) { require.NoError(t, settle(t.Context(), c.feed)) }},
		{"restart", func(*cache) { server.Restart(t) }},
		{"freeze", func(c *cache) { server.Stop(t); awaitGap(t, c); server.Cont(t) }},
		{"kicked", func(*cache) { server.Dial(t).Do("CLIENT", "KILL", "TYPE", "normal") }},
		{"overflow", func(c *cache) { flood(t, c, client) }},
	})
}

func TestNothingStaleIsLeftByFaultsOfACluster(t *testing.T) {
	cluster := redistest.StartReplicatedCluster(t)
	nodes := cluster.Nodes
	options := impatient(nodes[0].Addr)
	options.IsClusterMode = true
	client := redis.NewUniversalClient(options)
	defer client.Close()
	moved := 0
	for feed.Slot(key(moved))*3/feed.SlotCount != 2 {
		moved++
	}
	requireNothingStale(t, program.Server{Addr: nodes[0].Addr, Cluster: true}, client, []fault{
		{"none", func(c *cache) { require.NoError(t, settle(t.Context(), c.feed)) }},
		{"freeze", func(c *cache) { nodes[1].Stop(t); awaitGap(t, c); nodes[1].Cont(t) }},
		{"kicked", func(*cache) { nodes[2].Dial(t).Do("CLIENT", "KILL", "TYPE", "normal") }},
		{"overflow", func(c *cache) { flood(t, c, client) }},
		{"move", func(c *cache) { cluster.Migrate(t, feed.Slot(key(moved)), 2, 0); awaitPrimary(t, c, moved, nodes[0]) }},
		{"failover", func(c *cache) { cluster.Promote(t, 3); awaitPrimary(t, c, moved, nodes[3]) }},
		{"crash", func(*cache) { nodes[1].Kill(); cluster.Promote(t, 4, "FORCE") }},
	})
}

// awaitPrimary waits until a key has a primary.
func awaitPrimary(t *testing.T, c *cache, i int, node *redistest.Server) {
	t.Helper()
	require.NoError(t, program.Until(t.Context(), func() bool {
		primary, _ := c.feed.Primary(key(i))
		return primary.Addr == node.Addr
	}))
}
