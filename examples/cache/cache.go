package main

import (
	"context"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
)

// A cache holds values of the server that invalidates them. All methods may be
// called concurrently.
//
// The values must come from that server. A replica may still have an old value
// when the invalidation has already arrived. The cache must be off while no
// invalidations can arrive.
//
// A value may be read from the server, then changed and invalidated, and stored
// here only after that. Nothing would ever invalidate it again. An invalidation
// must therefore also reach a load that is under way. There are two cases:
//
//   - Otter discards the value of a load whose key is invalidated meanwhile,
//     and loads it again.
//   - Otter promises nothing of that kind for a flush. A flush here replaces
//     the otter cache, and the load stores its value in the old one.
type cache struct {
	load    otter.LoaderFunc[string, string]
	options otter.Options[string, string]
	current atomic.Pointer[otter.Cache[string, string]] // nil when off
}

// newCache returns a cache that is off.
func newCache(load otter.LoaderFunc[string, string], options otter.Options[string, string]) *cache {
	return &cache{load: load, options: options}
}

// on turns the cache on. It is then empty.
func (c *cache) on() { c.current.Store(otter.Must(&c.options)) }

// off drops all values. Every get then goes to the server.
func (c *cache) off() { c.current.Store(nil) }

// get returns the value of key, and the number of times that it was loaded.
func (c *cache) get(ctx context.Context, key string) (value string, loads int, err error) {
	load := otter.LoaderFunc[string, string](func(ctx context.Context, key string) (string, error) {
		loads++
		return c.load(ctx, key)
	})
	if current := c.current.Load(); current != nil {
		value, err = current.Get(ctx, key, load)
	} else {
		value, err = load(ctx, key)
	}
	return value, loads, err
}

// invalidate drops the keys of i.
func (c *cache) invalidate(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	current := c.current.Load()
	switch {
	case current == nil:
	case i.FlushAll():
		// The swap fails if the cache has been turned off or on meanwhile.
		c.current.CompareAndSwap(current, otter.Must(&c.options))
	default:
		for key := range i.Keys() {
			current.Invalidate(string(key))
		}
	}
	return nil
}
