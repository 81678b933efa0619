package feed_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
)

// A nearCache is a server and a near cache of it in one process, with nothing to
// keep reads, writes and invalidations in order but the Guard. Its values are
// versions, which grow.
type nearCache struct {
	guard   feed.Guard
	keys    []string
	current []atomic.Int64 // the server's versions
	handled []atomic.Int64 // the newest versions whose invalidations have been handled
	pushes  chan []version // in one invalidation; all keys: a flush

	mu     sync.Mutex
	cached map[int]int64
}

// A version is what a write has made of a key.
type version struct {
	key   int
	value int64
}

func newNearCache(keys int) *nearCache {
	c := &nearCache{
		current: make([]atomic.Int64, keys), handled: make([]atomic.Int64, keys),
		pushes: make(chan []version, 4), cached: make(map[int]int64),
	}
	for i := range keys {
		c.keys = append(c.keys, fmt.Sprintf("key:%d", i))
	}
	return c
}

// write changes some keys and sends the invalidation.
func (c *nearCache) write(keys ...int) {
	var push []version
	for _, key := range keys {
		push = append(push, version{key, c.current[key].Add(1)})
	}
	c.pushes <- push
}

// handle is the handler of invalidations.
func (c *nearCache) handle(push []version) {
	if len(push) == len(c.keys) {
		c.guard.Flush()
		c.mu.Lock()
		clear(c.cached)
		c.mu.Unlock()
	} else {
		for _, v := range push {
			c.guard.Invalidate([]byte(c.keys[v.key]))
			c.mu.Lock()
			delete(c.cached, v.key)
			c.mu.Unlock()
		}
	}
	for _, v := range push {
		for h := c.handled[v.key].Load(); h < v.value && !c.handled[v.key].CompareAndSwap(h, v.value); {
			h = c.handled[v.key].Load()
		}
	}
}

// get returns an error when the cache has what an invalidation that has been
// handled before was about.
func (c *nearCache) get(key int) (hit bool, err error) {
	handled := c.handled[key].Load()
	c.mu.Lock()
	value, hit := c.cached[key]
	c.mu.Unlock()
	if hit && value < handled {
		err = fmt.Errorf("%s is cached in version %d after the invalidation for %d", c.keys[key], value, handled)
	}
	return hit, err
}

// load reads a key into the cache, and reports whether it was kept.
func (c *nearCache) load(key int, random *rand.Rand) bool {
	load := c.guard.Begin(c.keys[key])
	value := c.current[key].Load()
	for range random.IntN(3) { // the reply is on its way
		runtime.Gosched()
	}
	if random.IntN(20) == 0 {
		load.Abandon()
		return false
	}
	return load.Keep(func() {
		if random.IntN(4) == 0 {
			runtime.Gosched()
		}
		c.mu.Lock()
		c.cached[key] = value
		c.mu.Unlock()
	})
}

// The test reads, writes and invalidates a few keys at once. Whoever finds in
// the cache what was invalidated before has found a value that would stay.
func TestNothingStaysThatWasInvalidated(t *testing.T) {
	const keys, loaders, writers, handlers = 4, 6, 2, 2
	rounds := 20_000
	if testing.Short() {
		rounds = 2_000
	}
	c := newNearCache(keys)
	var kept, refused, hits atomic.Int64
	var failure atomic.Pointer[error]
	var loading, handling sync.WaitGroup
	over := make(chan struct{})
	for i := range loaders {
		loading.Add(1)
		go func() {
			defer loading.Done()
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range rounds {
				key := random.IntN(keys)
				hit, err := c.get(key)
				if err != nil {
					failure.CompareAndSwap(nil, &err)
				}
				switch {
				case hit && random.IntN(4) > 0:
					hits.Add(1)
				case c.load(key, random):
					kept.Add(1)
				default:
					refused.Add(1)
				}
			}
		}()
	}
	var writing sync.WaitGroup
	for i := range writers {
		writing.Add(1)
		go func() {
			defer writing.Done()
			random := rand.New(rand.NewPCG(2, uint64(i)))
			for {
				select {
				case <-over:
					return
				default:
				}
				switch random.IntN(10) {
				case 0:
					c.write(0, 1, 2, 3)
				case 1:
					c.write(1, 3)
				default:
					c.write(random.IntN(keys))
				}
				runtime.Gosched()
			}
		}()
	}
	for range handlers {
		handling.Add(1)
		go func() {
			defer handling.Done()
			for push := range c.pushes {
				c.handle(push)
			}
		}()
	}
	loading.Wait()
	close(over)
	writing.Wait()
	close(c.pushes)
	handling.Wait()
	if err := failure.Load(); err != nil {
		require.NoError(t, *err)
	}
	for key := range keys { // all is quiet now: what is cached is what the server has
		_, err := c.get(key)
		require.NoError(t, err)
		if value, hit := c.cached[key]; hit {
			require.Equal(t, c.current[key].Load(), value)
		}
	}
	require.Zero(t, c.guard.Loading())
	require.NotZero(t, kept.Load())
	require.NotZero(t, refused.Load())
	t.Logf("%d kept, %d refused, %d hits", kept.Load(), refused.Load(), hits.Load())
}
