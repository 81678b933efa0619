package docs

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
)

// values is a cache of strings that every goroutine may use.
type values struct {
	mu   sync.Mutex
	kept map[string]string
}

func (v *values) Get(key string) (string, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	value, ok := v.kept[key]
	return value, ok
}

func (v *values) Set(key, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kept[key] = value
}

func (v *values) Drop(key []byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.kept, string(key))
}

func (v *values) Clear() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.kept)
}

// near is the guide's near cache in front of a rueidis client.
type near struct {
	client rueidis.Client
	cache  *values
	guard  feed.Guard
	feed   *feed.Feed
}

// newNear returns a near cache of the keys of users.
func newNear(addr string, client rueidis.Client) (*near, error) {
	n := &near{client: client, cache: &values{kept: map[string]string{}}}
	p := dispatch.NewProcessor()
	err := p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(n.invalidate))
	n.feed = &feed.Feed{Addr: addr, Tracking: &feed.Tracking{Prefixes: []string{"user:"}}, Processor: p}
	return n, err
}

func (n *near) invalidate(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	if i.FlushAll() {
		n.guard.Flush() // the guard first, the cache second
		n.cache.Clear()
	}
	for key := range i.Keys() {
		n.guard.Invalidate(key)
		n.cache.Drop(key)
	}
	return nil
}

func (n *near) get(ctx context.Context, key string) (string, error) {
	armed := n.feed.Coverage().Armed // asked before the value is looked up
	if value, ok := n.cache.Get(key); ok && armed {
		return value, nil
	}
	load := n.guard.Begin(key) // before the read is sent
	defer load.Abandon()       // does nothing after Keep
	value, err := n.client.Do(ctx, n.client.B().Get().Key(key).Build()).ToString()
	if err == nil && n.feed.Coverage().Armed {
		load.Keep(func() { n.cache.Set(key, value) })
	}
	return value, err
}

func TestDoCacheMigrates(t *testing.T) {
	server := redistest.Start(t)
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr}, DisableCache: true})
	require.NoError(t, err)
	defer client.Close()
	n, err := newNear(server.Addr, client)
	require.NoError(t, err)
	armed := make(chan struct{})
	arm := sync.OnceFunc(func() { close(armed) })
	n.feed.OnArmed = func(context.Context, feed.Coverage) { arm() }
	ended := make(chan error, 1)
	go func() { ended <- n.feed.Run(t.Context()) }()
	receive(t, armed)

	writer := server.Dial(t)
	writer.Do("SET", "user:1", "ada")
	require.Eventually(t, func() bool { // the invalidation of SET may still be under way
		value, err := n.get(t.Context(), "user:1")
		kept, ok := n.cache.Get("user:1")
		return err == nil && value == "ada" && ok && kept == value
	}, patience, time.Millisecond)
	writer.Do("SET", "user:1", "grace")
	require.Eventually(t, func() bool {
		_, ok := n.cache.Get("user:1")
		return !ok
	}, patience, time.Millisecond)
	value, err := n.get(t.Context(), "user:1")
	require.NoError(t, err)
	require.Equal(t, "grace", value)
	n.feed.Stop(nil)
	require.NoError(t, receive(t, ended))
}
