package goredis_test

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// staysFresh is the one version of those tested whose cache hears of changes through any processor.
const staysFresh = "9.22.0"

// cachingClient returns a client of opt.Addr that is to cache what it reads; it skips the test if go-redis has no cache.
func cachingClient(t *testing.T, opt redis.Options, p push.NotificationProcessor) *redis.Client {
	opt.PoolSize = 1
	if !enableCache(&opt, time.Millisecond) {
		t.Skip("this go-redis has no client-side caching")
	}
	return newClient(t, *withoutMaintenance(&opt), p)
}

// hasCache reports whether client caches what it reads.
func hasCache(client *redis.Client) bool {
	return client.GetPushNotificationHandler("invalidate") != nil
}

// A key that is read and nothing else, as from a cache it sends no command that could bring the news along.
func TestACachedKeyIsFreshOrNotCached(t *testing.T) {
	for name, make := range map[string]func() push.NotificationProcessor{
		"builtin": func() push.NotificationProcessor { return push.NewProcessor() },
		"respush": func() push.NotificationProcessor { return goredis.NewProcessor(nil) },
	} {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/tls=", secure), func(t *testing.T) {
				server := redistest.Start(t)
				opt := redis.Options{Addr: server.Addr}
				writer := newClient(t, opt, nil)
				if secure {
					opt.Addr, opt.TLSConfig = terminateTLS(t, server.Addr)
				}
				lines := logs.record(t)
				client := cachingClient(t, opt, make())
				cached := hasCache(client)
				require.Equal(t, name == "builtin" || redis.Version() == staysFresh, cached, redis.Version())
				var slowest time.Duration
				for i := range 50 {
					require.NoError(t, writer.Set(background, "key", i, 0).Err())
					changed := time.Now()
					for client.Get(background, "key").Val() != fmt.Sprint(i) {
						require.Less(t, time.Since(changed), patience)
					}
					slowest = max(slowest, time.Since(changed))
				}
				t.Logf("go-redis %s, cached %t: fresh after %v at most", redis.Version(), cached, slowest)
				require.Zero(t, client.PoolStats().StaleConns)
				if !cached {
					require.Regexp(t, "go-redis empties idle connections with its own only", lines())
					info, err := writer.Do(background, "info", "clients").Text()
					require.NoError(t, err)
					require.Contains(t, info, "tracking_clients:0")
				}
			})
		}
	}
}

// go-redis caches what it reads, and drops what it is told has changed: with its own handler, over the user's.
func TestEveryClientOfOneProcessorHasACache(t *testing.T) {
	server := redistest.Start(t)
	writer := newClient(t, redis.Options{Addr: server.Addr}, nil)
	var heard atomic.Int64
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("invalidate", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		heard.Add(1)
		return nil
	}))
	for i := range 3 { // the last one when another has been closed
		r := goredis.NewProcessor(p)
		client := cachingClient(t, redis.Options{Addr: server.Addr}, r)
		if !hasCache(client) {
			t.Skip("this go-redis has no client-side caching with a processor that is not its own")
		}
		h := r.GetHandler("invalidate")
		require.Equal(t, "*redis.invalidateHandler", reflect.TypeOf(h).String())
		require.Same(t, h, client.GetPushNotificationHandler("invalidate"))
		require.True(t, push.IsProtectedHandlerError(r.UnregisterHandler("invalidate")))
		require.True(t, push.IsHandlerExistsError(r.RegisterHandler("invalidate", h, false)))

		before := heard.Load()
		for n := range 100 {
			require.NoError(t, writer.Set(background, "key", n, 0).Err())
			require.Eventually(t, func() bool { return client.Get(background, "key").Val() == fmt.Sprint(n) }, patience, time.Millisecond)
		}
		require.Greater(t, heard.Load(), before)
		require.NoError(t, writer.ConfigResetStat(background).Err())
		for range 100 {
			require.Equal(t, "99", client.Get(background, "key").Val())
		}
		stats, err := writer.Do(background, "info", "commandstats").Text()
		require.NoError(t, err)
		require.NotContains(t, stats, "cmdstat_get:") // all were served from the cache
		require.EqualValues(t, 1, client.PoolStats().TotalConns)
		require.Zero(t, client.PoolStats().StaleConns)
		require.LessOrEqual(t, client.PoolStats().Misses, uint32(1)) // the one connection has served all
		if i == 1 {
			require.NoError(t, client.Close())
		}
	}
}

// A handler of the user's is nobody's cache, whatever go-redis does with its own.
func TestAHandlerOfInvalidationsIsNotRefused(t *testing.T) {
	client := newMemoryClient(new(memoryConn), 0, goredis.NewProcessor(nil))
	defer client.Close()
	h := new(contextHandler)
	require.NoError(t, client.RegisterPushNotificationHandler("invalidate", h, false))
	require.Same(t, h, client.GetPushNotificationHandler("invalidate"))
}
