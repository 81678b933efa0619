package main

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
)

// A cache holds values of a server, which invalidates them through a Feed. All
// methods may be called concurrently.
//
// What stands between the two kinds of markers is what a near cache needs beside
// its business. A test counts it: at most 25 lines.
type cache struct {
	read   func(ctx context.Context, key string) (string, error) // asks the server
	values *otter.Cache[string, string]
	missed atomic.Int64 // values that were not kept
	busy   sync.Mutex   // held while an invalidation is applied
	// feed: begin
	feed  *feed.Feed
	guard feed.Guard
	// feed: end
}

// newCache returns a cache of the keys with a prefix. It keeps values while
// c.feed.Run runs.
func newCache(server program.Server, prefix string, options otter.Options[string, string],
	read func(ctx context.Context, key string) (string, error)) *cache {
	c := &cache{read: read, values: otter.Must(&options)}
	// feed: begin
	queue := dispatch.NewQueueFunc(notify.OnInvalidate(c.invalidate),
		dispatch.QueueSize(queued), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	c.feed = &feed.Feed{
		Addr: server.Addr, Auth: server.Auth, Tracking: &feed.Tracking{Prefixes: []string{prefix}},
		Processor: dispatch.NewProcessor(), Queues: []*dispatch.Queue{queue},
	}
	_ = c.feed.Processor.Handle(notify.NameInvalidate, queue) // cannot fail, since the name is new
	// feed: end
	return c
}

// get returns the value of a key, from the cache if it is there. It answers from
// the cache only while the server reports every change, and keeps no value that
// was changed while it was on its way.
func (c *cache) get(ctx context.Context, key string) (string, error) {
	// feed: begin
	if c.feed.Coverage().Armed {
		// feed: end
		if value, ok := c.values.GetIfPresent(key); ok {
			return value, nil
		}
		// feed: begin
	}
	load := c.guard.Begin(key)
	defer load.Abandon()
	// feed: end
	value, err := c.read(ctx, key)
	if err != nil {
		return "", err
	}
	// feed: begin
	kept := c.feed.Coverage().Armed && load.Keep(func() { c.values.Set(key, value) })
	// feed: end
	if !kept {
		c.missed.Add(1)
	}
	return value, nil
}

// feed: begin

// invalidate drops the keys of i. The guard has to know first.
func (c *cache) invalidate(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	// feed: end
	c.busy.Lock()
	defer c.busy.Unlock()
	// feed: begin
	if i.FlushAll() {
		c.guard.Flush()
		c.values.InvalidateAll()
	}
	for key := range i.Keys() {
		c.guard.Invalidate(key)
		c.values.Invalidate(string(key))
	}
	return nil
}

// feed: end
