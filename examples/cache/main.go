// Command cache shows a local cache that a server keeps up to date.
//
//	cache redis://[user:password@]host[:port][?cluster=true]
//
// With ?cluster=true the server is any node of a Redis Cluster, and the cache has
// the keys of all its primaries. The program is the same: a single server is one
// primary that has every slot.
//
// It reads keys through a cache that is too small for all of them, and changes
// them at the same time. At the end it compares the cached values with those of
// the server. It ends by itself after 40,000 reads.
//
// The invalidations of each primary have a connection of their own, which a Feed
// keeps. A Queue stands between these connections and the cache. When
// invalidations arrive faster than the cache applies them, the Queue overflows: it
// replaces them with one flush of everything, and no connection is ever held up.
// Halfway, the program makes that happen. It keeps the cache busy while it changes
// every key.
//
// A server may be killed, restarted, frozen or replaced meanwhile, and slots may
// move. If the cache cannot be sure of the primary of a key, it asks for the key
// every time until the primary reports changes again.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
)

const (
	prefix  = "respush-example-cache:"
	keys    = 200
	size    = 150 // the most keys that the cache holds
	readers = 4
	rounds  = 2
	reads   = 5000 // of each reader in each round
	writes  = 1000 // in each round
	queued  = 16   // the most invalidations that wait
)

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.ClusterArg(args)
	if err != nil {
		return err
	}
	client := server.Client()
	defer client.Close()
	defer remove(context.WithoutCancel(ctx), client)
	for i := range keys {
		if err := client.Set(ctx, key(i), 0, 0).Err(); err != nil {
			return err
		}
	}

	counter := stats.NewCounter()
	cache := newCache(server, server.Topology(client), prefix, otter.Options[string, string]{MaximumSize: size, StatsRecorder: counter},
		func(ctx context.Context, key string) (value, addr string, err error) {
			return program.Get(ctx, client, key)
		})
	cache.feed.Probe.Every = time.Second // so that settle does not take long

	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return cache.feed.Run(groupCtx) })
	group.Go(func() error {
		for round := range rounds {
			if round > 0 {
				if err := overflow(groupCtx, client, cache); err != nil {
					return err
				}
			}
			if err := work(groupCtx, client, cache); err != nil {
				return err
			}
		}
		if err := settle(groupCtx, cache.feed); err != nil {
			return err
		}
		return cache.feed.Shutdown(groupCtx)
	})
	err = group.Wait()
	if err := errors.Join(err, cache.queue.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}

	cached, stale, err := compare(ctx, client, cache)
	if err != nil {
		return err
	}
	applied, took := cache.queue.Stats(), counter.Snapshot()
	fmt.Fprintf(stdout, "reads          %d, from the cache %d\n", rounds*readers*reads, took.Hits)
	fmt.Fprintf(stdout, "not kept       %d\n", cache.missed.Load())
	fmt.Fprintf(stdout, "writes         %d\n", rounds*writes+(rounds-1)*keys)
	fmt.Fprintf(stdout, "invalidations  %d: %d applied, %d replaced by flushes of everything\n",
		applied.Pushes, applied.Delivered, applied.Coalesced)
	fmt.Fprintf(stdout, "flushes        %d\n", applied.Flushes)
	fmt.Fprintf(stdout, "later gaps     %d\n", cache.feed.Stats().Gaps-1) // one precedes the start
	fmt.Fprintf(stdout, "cached now     %d, stale %d\n", cached, stale)
	return nil
}

// settle waits until the cache has handled the invalidations of all changes that
// have been answered. A cache does not need that, but the comparison does.
func settle(ctx context.Context, c *feed.Cluster) error {
	written := time.Now()
	return program.Until(ctx, func() bool {
		for i := range keys {
			if !c.CoverageOf(key(i)).AsOf.After(written) {
				return false
			}
		}
		return true
	})
}

// overflow changes every key while the cache is busy. The queue has no room for
// that many invalidations, so the cache is flushed when it is free again.
func overflow(ctx context.Context, client redis.UniversalClient, cache *cache) error {
	cache.busy.Lock()
	defer cache.busy.Unlock()
	before := cache.queue.Stats().Coalesced
	for i := range keys {
		if err := client.Set(ctx, key(i), "changed", 0).Err(); err != nil {
			return err
		}
	}
	return program.Until(ctx, func() bool { return cache.queue.Stats().Coalesced > before })
}

// work reads through the cache and writes at the same time.
func work(ctx context.Context, client redis.UniversalClient, cache *cache) error {
	group, ctx := errgroup.WithContext(ctx)
	for range readers {
		group.Go(func() error {
			for range reads {
				if _, err := cache.get(ctx, key(rand.IntN(keys))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		for i := range writes {
			if err := client.Set(ctx, key(rand.IntN(keys)), i, 0).Err(); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// compare returns the number of cached values, and the number of those that
// differ from the server's.
func compare(ctx context.Context, client redis.UniversalClient, cache *cache) (cached, stale int, err error) {
	cache.values.CleanUp() // otter evicts with a delay
	for key, value := range cache.values.All() {
		now, err := client.Get(ctx, key).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return 0, 0, err
		}
		cached++
		if now != value {
			stale++
		}
	}
	return cached, stale, nil
}

// remove deletes the keys that the program has written. It ignores errors, since
// leftover keys do no harm.
func remove(ctx context.Context, client redis.UniversalClient) {
	_, _ = client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i := range keys {
			pipe.Del(ctx, key(i))
		}
		return nil
	})
}

func key(i int) string { return prefix + strconv.Itoa(i) }
