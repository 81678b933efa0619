package goredis_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// go-redis caches what it reads, and drops what it is told has changed: with its own handler, in our registry.
func TestClientSideCaching(t *testing.T) {
	for name, p := range map[string]push.NotificationProcessor{"builtin": push.NewProcessor(), "respush": goredis.NewProcessor(nil)} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			opt := redis.Options{Addr: server.Addr, PoolSize: 1}
			writer := newClient(t, opt, nil)
			if !enableCache(&opt, time.Millisecond) {
				t.Skip("this go-redis has no client-side caching")
			}
			client := newClient(t, *withoutMaintenance(&opt), p)

			h := p.GetHandler("invalidate")
			require.Equal(t, "*redis.invalidateHandler", reflect.TypeOf(h).String())
			require.Same(t, h, client.GetPushNotificationHandler("invalidate"))
			require.True(t, push.IsProtectedHandlerError(p.UnregisterHandler("invalidate")))
			require.True(t, push.IsHandlerExistsError(p.RegisterHandler("invalidate", h, false)))

			for i := range 100 {
				require.NoError(t, writer.Set(background, "key", i, 0).Err())
				deadline := time.Now().Add(patience)
				for client.Get(background, "key").Val() != fmt.Sprint(i) {
					// The connection's next command brings the invalidation, if nothing else has.
					require.NoError(t, client.Ping(background).Err())
					require.Less(t, time.Now(), deadline)
				}
			}
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
		})
	}
}

// While no command runs, go-redis drains its idle connections: it must not be made to wait, nor to give them up.
func TestIdleConnectionsAreDrained(t *testing.T) {
	if !drainsSockets() {
		t.Skip("this go-redis drains no sockets with a processor that is not its own")
	}
	server := redistest.Start(t)
	opt := redis.Options{Addr: server.Addr, PoolSize: 1}
	writer := newClient(t, opt, nil)
	if !enableCache(&opt, time.Millisecond) {
		t.Skip("this go-redis has no client-side caching")
	}
	client := newClient(t, *withoutMaintenance(&opt), goredis.NewProcessor(nil))
	for i := range 100 {
		require.NoError(t, writer.Set(background, "key", i, 0).Err())
		require.Eventually(t, func() bool { return client.Get(background, "key").Val() == fmt.Sprint(i) }, patience, time.Millisecond)
	}
	require.Zero(t, client.PoolStats().StaleConns)
	require.LessOrEqual(t, client.PoolStats().Misses, uint32(1))
}

// drainsSockets reports whether go-redis is older than 9.23.
func drainsSockets() bool {
	var minor int
	_, err := fmt.Sscanf(redis.Version(), "9.%d", &minor)
	return err == nil && minor < 23
}
