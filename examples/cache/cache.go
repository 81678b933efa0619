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

// A cache holds values of a server or a cluster. Feeds, one for each primary,
// invalidate them. All methods may be called concurrently.
//
// The lines between the markers are what a near cache needs in addition to its
// own business. A test checks that there are at most 25 of them.
type cache struct {
	read   readFunc
	values *otter.Cache[string, string]
	missed atomic.Int64 // values read but not kept
	busy   sync.Mutex   // held while an invalidation is applied
	// feed: begin
	feed  *feed.Cluster
	guard feed.Guard
	queue *dispatch.Queue
	// feed: end
}

// A readFunc reads the value of a key. It also returns the address of the primary
// that answered.
type readFunc func(ctx context.Context, key string) (value, addr string, err error)

// newCache returns a cache of the keys with a prefix. The cache keeps values
// while its feed.Run runs. All primaries accept the login of server.
func newCache(server program.Server, primaries feed.Topology, prefix string, options otter.Options[string, string], read readFunc) *cache {
	c := &cache{read: read, values: otter.Must(&options)}
	// feed: begin
	c.queue = dispatch.NewQueueFunc(notify.OnInvalidate(c.invalidate), dispatch.QueueSize(queued), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	p, tracking := dispatch.NewProcessor(), &feed.Tracking{Prefixes: []string{prefix}}
	_ = p.Handle(notify.NameInvalidate, c.queue) // cannot fail, since the name is new
	c.feed = &feed.Cluster{Topology: primaries, New: func(feed.Node) *feed.Feed {
		return &feed.Feed{Auth: server.Auth, Probe: c.feed.Probe, Tracking: tracking, Processor: p, Queues: []*dispatch.Queue{c.queue}}
	}}
	// feed: end
	return c
}

// get returns the value of a key, from the cache if it is there. It answers from
// the cache only while the primary of the key reports every change. It does not
// keep a value that was changed during the read or that comes from another node.
func (c *cache) get(ctx context.Context, key string) (string, error) {
	// feed: begin
	covered := c.feed.CoverageOf(key).Armed // asked before the value is looked up
	// feed: end
	if value, ok := c.values.GetIfPresent(key); ok && covered {
		return value, nil
	}
	// feed: begin
	load := c.guard.Begin(key)
	defer load.Abandon()
	// feed: end
	value, addr, err := c.read(ctx, key)
	if err != nil {
		return "", err
	}
	// feed: begin
	primary, _ := c.feed.Primary(key)
	kept := addr == primary.Addr && c.feed.CoverageOf(key).Armed && load.Keep(func() { c.values.Set(key, value) })
	// feed: end
	if !kept {
		c.missed.Add(1)
	}
	return value, nil
}

// feed: begin

// invalidate drops the keys of i. It must tell the guard before it drops them.
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
