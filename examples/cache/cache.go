package main

import (
	"context"
	"sync/atomic"

	"github.com/maypok86/otter/v2"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
)

// A cache holds values of the server that invalidates them. Values must come
// from that server and not from a replica, which may still have the old one
// when the invalidation has been and gone; and while no invalidations can come
// the cache has to be off. All methods may be called at the same time.
//
// The trap is a value that is read from the server, then changed there and
// invalidated here, and only then stored: nothing will ever invalidate it
// again. So an invalidation must also reach a load that is under way. Two things
// see to that: otter discards what it loads when the key is invalidated
// meanwhile, and loads it again; and a flush, for which otter promises nothing
// of the kind, puts a new cache in place of the one that the load will store
// into.
type cache struct {
	load    otter.LoaderFunc[string, string]
	options otter.Options[string, string]
	current atomic.Pointer[otter.Cache[string, string]] // nil: off
}

// newCache returns a cache that is off.
func newCache(load otter.LoaderFunc[string, string], options otter.Options[string, string]) *cache {
	return &cache{load: load, options: options}
}

// on begins to cache, with nothing.
func (c *cache) on() { c.current.Store(otter.Must(&c.options)) }

// off drops everything, and sends every get to the server.
func (c *cache) off() { c.current.Store(nil) }

// get returns the value of key, and how often it was loaded for that.
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

// invalidate drops what i names.
func (c *cache) invalidate(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	current := c.current.Load()
	switch {
	case current == nil:
	case i.FlushAll():
		c.current.CompareAndSwap(current, otter.Must(&c.options)) // unless it was turned off, or on, in between
	default:
		for key := range i.Keys() {
			current.Invalidate(string(key))
		}
	}
	return nil
}
