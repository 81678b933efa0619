// Command cache shows a local cache that a server keeps up to date.
//
//	cache redis://[user:password@]host[:port]
//
// It reads keys through a cache that is too small for all of them, and changes
// them at the same time. At the end it compares the cached values with those of
// the server. It ends by itself after 40,000 reads.
//
// The invalidations have a connection of their own, and a Queue between that
// connection and the cache. When they arrive faster than the cache applies
// them, the Queue overflows: it replaces them with one flush of everything, and
// the connection is never held up. Halfway, the program makes that happen. It
// keeps the cache busy while it changes every key.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
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
	size    = 150 // keys that the cache holds at most
	readers = 4
	rounds  = 2
	reads   = 5000 // of each reader in each round
	writes  = 1000 // in each round
	queued  = 16   // invalidations that wait at most
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
	var busy sync.Mutex // held while the cache applies an invalidation
	queue := dispatch.NewQueueFunc(notify.OnInvalidate(
		func(ctx context.Context, handlerCtx dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			busy.Lock()
			defer busy.Unlock()
			return cache.invalidate(ctx, handlerCtx, i)
		}), dispatch.QueueSize(queued), dispatch.QueueOverflow(dispatch.CoalesceToFlush))

	var repeated atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	t := &tracking{conn: conn, settled: make(chan struct{}, 1)}
	group.Go(func() error { return t.run(groupCtx, queue, cache) })
	group.Go(func() error {
		for round := range rounds {
			if round > 0 {
				if err := overflow(groupCtx, client, t, &busy); err != nil {
					return err
				}
			}
			if err := work(groupCtx, client, cache, &repeated); err != nil {
				return err
			}
			if err := t.settle(groupCtx); err != nil {
				return err
			}
		}
		return t.end()
	})
	err = group.Wait()
	// Close applies the invalidations that wait in the queue.
	if err := errors.Join(err, queue.Close(ctx)); err != nil {
		return err
	}

	cached, stale, err := compare(ctx, client, cache)
	if err != nil {
		return err
	}
	applied, took := queue.Stats(), counter.Snapshot()
	fmt.Fprintf(stdout, "reads          %d, from the cache %d\n", rounds*readers*reads, took.Hits)
	fmt.Fprintf(stdout, "loaded again   %d, because they were invalidated meanwhile\n", repeated.Load())
	fmt.Fprintf(stdout, "writes         %d\n", rounds*writes+(rounds-1)*keys)
	fmt.Fprintf(stdout, "invalidations  %d: %d applied, %d replaced by flushes of everything\n",
		applied.Pushes, applied.Delivered, applied.Coalesced)
	fmt.Fprintf(stdout, "flushes        %d\n", applied.Flushes)
	fmt.Fprintf(stdout, "cached now     %d, stale %d\n", cached, stale)
	return nil
}

// A tracking is a connection that carries invalidations.
type tracking struct {
	conn    net.Conn
	settled chan struct{} // receives when the server has answered settle
}

// The replies to the PINGs of a tracking.
const (
	pong    = "PONG"
	goodbye = "goodbye"
)

// errEnd ends a tracking that is no longer needed.
var errEnd = errors.New("end of tracking")

// run gives the invalidations to queue, and keeps cache on as long as they
// can arrive. It returns nil after end. A service would dial again when the
// connection ends, and would read from the server until then.
func (t *tracking) run(ctx context.Context, queue *dispatch.Queue, cache *cache) error {
	processor := dispatch.NewProcessor()
	if err := processor.Handle(notify.NameInvalidate, queue); err != nil {
		return err
	}
	if _, err := t.conn.Write(program.Command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix)); err != nil {
		return err
	}
	err := processor.Serve(ctx, dispatch.NotificationHandlerContext{Conn: t.conn}, parser.NewReader(t.conn), func(reply parser.Frame) error {
		switch string(reply.Value().Bytes()) {
		case pong:
			t.settled <- struct{}{}
			return nil
		case goodbye:
			return errEnd
		}
		if err := program.Refused(reply); err != nil {
			return err
		}
		cache.on() // the server reports every change from here on
		return nil
	})
	if errors.Is(err, errEnd) {
		return nil
	}
	cache.off()
	if err == nil {
		err = io.ErrUnexpectedEOF // the server closed the connection
	}
	return err
}

// settle waits until the queue has the invalidations of all writes that the
// server has answered: the server sends them before it answers a PING.
func (t *tracking) settle(ctx context.Context) error {
	if _, err := t.conn.Write(program.Command("PING")); err != nil {
		return err
	}
	select {
	case <-t.settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end makes run return nil.
func (t *tracking) end() error {
	_, err := t.conn.Write(program.Command("PING", goodbye))
	return err
}

// overflow changes every key while the cache is busy. The queue has no room for
// that many invalidations, so the cache is flushed when it is free again.
func overflow(ctx context.Context, client *redis.Client, t *tracking, busy *sync.Mutex) error {
	busy.Lock()
	defer busy.Unlock()
	for i := range keys {
		if err := client.Set(ctx, key(i), "changed", 0).Err(); err != nil {
			return err
		}
	}
	return t.settle(ctx)
}

// work reads and writes, and counts in repeated the loads that had to be
// repeated.
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

// compare returns the number of cached values, and the number of those that
// differ from the server's.
func compare(ctx context.Context, client *redis.Client, cache *cache) (cached, stale int, err error) {
	current := cache.current.Load()
	current.CleanUp() // otter evicts with a delay
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

// remove deletes the keys that the program has written. It ignores an error,
// since keys that stay behind do no harm.
func remove(ctx context.Context, client *redis.Client) {
	names := make([]string, keys)
	for i := range names {
		names[i] = key(i)
	}
	client.Del(ctx, names...)
}

func key(i int) string { return prefix + strconv.Itoa(i) }
