package docs

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
)

// localCache stands for the cache of a program. It reports what happens to it.
type localCache struct {
	dropped chan string
	cleared chan struct{}
}

func newLocalCache() *localCache {
	return &localCache{dropped: make(chan string, 1000), cleared: make(chan struct{}, 1000)}
}

// newCached returns a processor that gives invalidations to the cache.
func newCached(t *testing.T) (*dispatch.Processor, *localCache) {
	t.Helper()
	p, cache := dispatch.NewProcessor(), newLocalCache()
	require.NoError(t, p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(cache.Invalidate)))
	return p, cache
}

func (c *localCache) Drop(key []byte) { c.dropped <- string(key) }
func (c *localCache) Clear()          { c.cleared <- struct{}{} }

func (c *localCache) Invalidate(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	if i.FlushAll() {
		c.Clear()
	}
	for key := range i.Keys() {
		c.Drop(key)
	}
	return nil
}

// patience bounds waits that take almost no time on an idle machine.
const patience = 30 * time.Second

// receive returns the next value of c.
func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}

// awaitDrop writes a key until the cache is told to drop it. From then on the
// server tracks the key.
func (c *localCache) awaitDrop(t *testing.T, server *redistest.Server) {
	t.Helper()
	writer := server.Dial(t)
	end := time.After(patience)
	for {
		writer.Do("SET", "user:1", "ada")
		select {
		case key := <-c.dropped:
			require.Equal(t, "user:1", key)
			return
		case <-time.After(time.Millisecond):
		case <-end:
			require.FailNow(t, "no invalidation came")
		}
	}
}
