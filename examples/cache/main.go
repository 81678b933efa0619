// Command cache shows a local cache that a server keeps right.
//
//	cache redis://[user:password@]host[:port]
//
// It reads some keys through a cache that is too small for them, changes them
// beside that on another connection, and compares at the end what is cached
// with what the server has. It ends by itself after 40,000 reads.
//
// The invalidations have a connection to themselves, and a Queue between it and
// the cache: when they come faster than they are applied, the next thing that
// is applied is one flush of everything, and the connection is never held up.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

const (
	prefix  = "respush-example-cache:"
	keys    = 200
	size    = 150 // how many of them are cached
	readers = 4
	reads   = 10_000 // of each reader
	writes  = 2000
	queued  = 64
)

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.Arg(args)
	if err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Username: server.Username, Password: server.Password})
	defer client.Close()
	defer remove(context.WithoutCancel(ctx), client)
	for i := range keys {
		if err := client.Set(ctx, key(i), 0, 0).Err(); err != nil {
			return err
		}
	}

	conn, err := server.Dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()

	counter := stats.NewCounter()
	cache := newCache(func(ctx context.Context, key string) (string, error) {
		value, err := client.Get(ctx, key).Result()
		if errors.Is(err, redis.Nil) {
			err = otter.ErrNotFound
		}
		return value, err
	}, otter.Options[string, string]{MaximumSize: size, StatsRecorder: counter})
	queue := dispatch.NewQueueFunc(notify.OnInvalidate(cache.invalidate),
		dispatch.QueueSize(queued), dispatch.QueueOverflow(dispatch.CoalesceToFlush))

	var repeated atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return track(groupCtx, conn, queue, cache) })
	group.Go(func() error {
		if err := work(groupCtx, client, cache, &repeated); err != nil {
			return err
		}
		// The server answers this behind the invalidations of all writes that it has answered before.
		_, err := conn.Write(program.Command("PING"))
		return err
	})
	err = group.Wait()
	if err := errors.Join(err, queue.Close(ctx)); err != nil { // what waits in the queue is applied first
		return err
	}

	cached, stale, err := compare(ctx, client, cache)
	if err != nil {
		return err
	}
	of, took := queue.Stats(), counter.Snapshot()
	fmt.Fprintf(stdout, "reads          %d, from the cache %d\n", readers*reads, took.Hits)
	fmt.Fprintf(stdout, "loaded again   %d, because they were invalidated meanwhile\n", repeated.Load())
	fmt.Fprintf(stdout, "writes         %d\n", writes)
	fmt.Fprintf(stdout, "invalidations  %d, applied %d, and %d as %d flushes of everything\n", of.Pushes, of.Delivered, of.Coalesced, of.Flushes)
	fmt.Fprintf(stdout, "cached now     %d, stale %d\n", cached, stale)
	return nil
}

// errSettled ends the tracking when all that was written has been heard of.
var errSettled = errors.New("settled")

// track gives the invalidations of conn to queue, and lets cache be on as long as they come. A service would then dial
// again, and meanwhile read from the server.
func track(ctx context.Context, conn net.Conn, queue *dispatch.Queue, cache *cache) error {
	processor := dispatch.NewProcessor()
	if err := processor.Handle(notify.NameInvalidate, queue); err != nil {
		return err
	}
	if _, err := conn.Write(program.Command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix)); err != nil {
		return err
	}
	err := processor.Serve(ctx, dispatch.NotificationHandlerContext{Conn: conn}, parser.NewReader(conn), func(reply parser.Frame) error {
		if string(reply.Value().Bytes()) == "PONG" {
			return errSettled
		}
		if err := program.Refused(reply); err != nil {
			return err
		}
		cache.on() // from here on every change is told
		return nil
	})
	if errors.Is(err, errSettled) {
		return nil
	}
	cache.off()
	if err == nil {
		err = io.ErrUnexpectedEOF // the server hung up
	}
	return err
}

// work reads and writes, and counts the loads that had to be repeated.
func work(ctx context.Context, client *redis.Client, cache *cache, repeated *atomic.Int64) error {
	group, ctx := errgroup.WithContext(ctx)
	for range readers {
		group.Go(func() error {
			for range reads {
				_, loads, err := cache.get(ctx, key(rand.IntN(keys)))
				if err != nil {
					return err
				}
				repeated.Add(int64(max(0, loads-1)))
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

// compare returns how many values are cached, and how many of them the server has others for.
func compare(ctx context.Context, client *redis.Client, cache *cache) (cached, stale int, err error) {
	current := cache.current.Load()
	current.CleanUp() // otter evicts with some delay
	for key, value := range current.All() {
		now, err := client.Get(ctx, key).Result()
		if err != nil {
			return 0, 0, err
		}
		cached++
		if now != value {
			stale++
		}
	}
	return cached, stale, nil
}

// remove deletes what the program has written. An error leaves the keys behind, which is no harm.
func remove(ctx context.Context, client *redis.Client) {
	names := make([]string, keys)
	for i := range names {
		names[i] = key(i)
	}
	client.Del(ctx, names...)
}

func key(i int) string { return prefix + strconv.Itoa(i) }
