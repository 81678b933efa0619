package goredis_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// maintenance are the pushes that go-redis has handlers for in every version.
var maintenance = []string{"MOVING", "MIGRATING", "MIGRATED", "FAILING_OVER", "FAILED_OVER"}

// Each client of a shared processor handles its own maintenance, with go-redis' handlers, and the processor hears of all.
func TestEveryClientOfOneProcessorHasMaintenanceNotifications(t *testing.T) {
	server := redistest.Start(t)
	var heard atomic.Int64
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("MIGRATING", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		heard.Add(1)
		return nil
	}))
	type user struct {
		m      *maintainer
		client *redis.Client
		last   atomic.Pointer[push.NotificationHandlerContext]
	}
	connect := func() *user {
		u := &user{m: newMaintainer(t, server.Addr)}
		opt := redis.Options{Addr: u.m.addr, PoolSize: 1}
		if !setMaintenance(&opt, "enabled") {
			t.Skip("this go-redis has no maintenance notifications, or by another name")
		}
		r := goredis.NewProcessor(p)
		u.client = newClient(t, opt, newSpy(push.NotificationProcessor.ProcessPendingNotifications, r,
			func(handlerCtx push.NotificationHandlerContext) { u.last.Store(&handlerCtx) }))
		for _, name := range maintenance {
			require.NotNil(t, u.client.GetPushNotificationHandler(name), name)
			require.True(t, push.IsProtectedHandlerError(r.UnregisterHandler(name)), name)
		}
		return u
	}
	relaxed := func(u *user) bool {
		require.NoError(t, u.client.Ping(background).Err())
		return u.last.Load().Conn.(interface{ HasRelaxedTimeout() bool }).HasRelaxedTimeout()
	}
	users := []*user{connect(), connect(), connect()}
	for i, u := range users {
		u.m.push(">4\r\n+MIGRATING\r\n:1\r\n:10\r\n*1\r\n+1\r\n")
		for j, other := range users {
			require.Equal(t, j <= i, relaxed(other), "client %d, told %d", j, i)
		}
		require.EqualValues(t, i+1, heard.Load())
	}
	require.NotSame(t, users[0].client.GetPushNotificationHandler("MOVING"), users[1].client.GetPushNotificationHandler("MOVING"))

	for _, u := range users {
		require.NoError(t, u.client.Close())
	}
	after := connect() // when the others are gone
	require.False(t, relaxed(after))
	after.m.push(">4\r\n+MIGRATING\r\n:2\r\n:10\r\n*1\r\n+1\r\n")
	require.True(t, relaxed(after))
	require.EqualValues(t, 4, heard.Load())
}

func TestEveryNodeOfAClusterHasAProcessorOfItsOwn(t *testing.T) {
	cluster := redistest.StartCluster(t)
	var mu sync.Mutex
	invalidated := map[string]int{} // by address
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("invalidate", func(_ context.Context, from dispatch.NotificationHandlerContext, push parser.Frame) error {
		mu.Lock()
		defer mu.Unlock()
		for keys := range push.Args() {
			invalidated[from.Conn.(interface{ RemoteAddr() net.Addr }).RemoteAddr().String()] += keys.Len()
		}
		return nil
	}))
	var nodes []*redis.Client
	newNode := goredis.NewClient(p)
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:    cluster.Addrs(),
		Protocol: 3,
		PoolSize: 1,
		NewClient: func(opt *redis.Options) *redis.Client {
			node := newNode(opt)
			mu.Lock()
			defer mu.Unlock()
			nodes = append(nodes, node)
			return node
		},
		OnConnect: func(ctx context.Context, conn *redis.Conn) error {
			return conn.Do(ctx, "CLIENT", "TRACKING", "ON", "BCAST").Err()
		},
	})
	defer client.Close()
	const keys = 100
	for range 2 {
		for i := range keys {
			require.NoError(t, client.Set(background, fmt.Sprint("key:", i), i, 0).Err())
		}
	}
	var masters sync.Map
	require.NoError(t, client.ForEachMaster(background, func(ctx context.Context, node *redis.Client) error {
		masters.Store(node.Options().Addr, true)
		return node.Ping(ctx).Err()
	}))

	mu.Lock()
	defer mu.Unlock()
	told, total := 0, 0
	for address, n := range invalidated {
		if _, ok := masters.Load(address); ok { // the replica tells of its master's keys if the client has asked it something
			told, total = told+1, total+n
		}
	}
	require.Equal(t, 3, told, "each master has told of its keys")
	require.Equal(t, 2*keys, total)
	handlers := map[push.NotificationHandler]bool{}
	for _, node := range nodes {
		if h := node.GetPushNotificationHandler("MOVING"); h != nil {
			handlers[h] = true
		}
	}
	if registersItself(t) {
		require.Len(t, handlers, len(nodes))
	}
}

// registersItself reports whether clients of this go-redis register handlers of their own when they are not told to.
func registersItself(t *testing.T) bool {
	client := redis.NewClient(&redis.Options{Protocol: 3})
	defer client.Close()
	return client.GetPushNotificationHandler("MOVING") != nil
}
