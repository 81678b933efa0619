package docs

import (
	"context"
	"log"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/notify"
)

// keepFeed is the README's self-healing connection.
func keepFeed(ctx context.Context, invalidate func(context.Context, dispatch.NotificationHandlerContext, notify.Invalidation) error) error {
	p := dispatch.NewProcessor()
	err := p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(invalidate)) // guard first, cache second
	if err != nil {
		return err
	}
	f := &feed.Feed{
		Addr:      "localhost:6379",
		Tracking:  &feed.Tracking{Prefixes: []string{"user:"}},
		Processor: p,
		OnGap:     func(ctx context.Context, g feed.Gap) { log.Printf("since %v: %v", g.Since, g.Cause) },
	}
	err = f.Run(ctx) // until ctx ends
	return err
}

func TestREADMEFeedFlushesBeforeItIsArmed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := keepFeed(ctx, func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
		require.True(t, i.FlushAll())
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
}

// subscribeToNews is the subscriber in the package documentation of feed.
func subscribeToNews(
	ctx context.Context,
	handle func(context.Context, dispatch.NotificationHandlerContext, notify.Message) error,
	resync func(context.Context, feed.Gap),
) error {
	p := dispatch.NewProcessor()
	p.HandleFunc("message", notify.OnMessage(handle))
	f := &feed.Feed{Addr: "localhost:6379", Channels: []string{"news"}, Processor: p, OnGap: resync}
	err := f.Run(ctx)
	return err
}

// loadGuarded is the load in the documentation of feed.Guard.
func loadGuarded(guard *feed.Guard, cache interface{ Set(key, value string) }, key string, fetch func(key string) (string, error)) error {
	load := guard.Begin(key) // before the read is sent
	value, err := fetch(key)
	if err != nil {
		load.Abandon()
		return err
	}
	load.Keep(func() { cache.Set(key, value) })
	return nil
}

// stored is a cache that holds one value.
type stored string

func (s *stored) Set(_, value string) { *s = stored(value) }

func TestThePageOfAGuardKeepsALoad(t *testing.T) {
	var guard feed.Guard
	var cache stored
	require.NoError(t, loadGuarded(&guard, &cache, "key", func(string) (string, error) { return "value", nil }))
	require.Equal(t, stored("value"), cache)
	require.Zero(t, guard.Loading())
}

func TestThePageOfFeedBeginsWithAGap(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := subscribeToNews(ctx, nil, func(_ context.Context, g feed.Gap) {
		require.ErrorIs(t, g.Cause, feed.ErrStart)
		cancel()
	})
	require.ErrorIs(t, err, context.Canceled)
}

// slotCache is a cache that is flushed by slots.
type slotCache struct{ flushed feed.Slots }

func (c *slotCache) flush(_ context.Context, s feed.Slots) { c.flushed = s }

// keepCluster is the README's feed of a cluster.
func keepCluster(ctx context.Context, client *redis.ClusterClient, opt *redis.Options, p *dispatch.Processor, cache *slotCache) error {
	c := &feed.Cluster{
		Topology: goredis.ClusterTopology(client), // or SentinelTopology, or one of your own
		New: func(feed.Node) *feed.Feed {
			return &feed.Feed{Tracking: &feed.Tracking{}, Processor: p, Dial: goredis.Dial(opt), Auth: goredis.Auth(opt)}
		},
		OnFlush: cache.flush, // of the slots that a fault concerns
	}
	err := c.Run(ctx)
	return err
}

func TestREADMEClusterEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}})
	defer client.Close()
	err := keepCluster(ctx, client, &redis.Options{}, dispatch.NewProcessor(), new(slotCache))
	require.ErrorIs(t, err, context.Canceled)
}
