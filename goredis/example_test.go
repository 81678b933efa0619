package goredis_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A local cache in front of a client: each connection asks the server to be told when something that was read over it
// changes, and a handler drops that from the cache. It hears of a change with the next command on that connection, so this
// is for a program that goes on using all of its connections; examples/cache has one that is always read.
func ExampleNewProcessor() {
	var cache sync.Map // key to *string
	p := dispatch.NewProcessor()
	err := p.HandleFunc("invalidate", notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			if i.FlushAll() {
				cache.Clear()
			}
			for key := range i.Keys() { // borrowed until this function returns
				cache.Delete(string(key))
			}
			return nil
		}))
	if err != nil {
		panic(err)
	}

	client := redis.NewClient(&redis.Options{
		Addr:                      "localhost:6379",
		Protocol:                  3,
		PushNotificationProcessor: goredis.NewProcessor(p),
		OnConnect: func(ctx context.Context, conn *redis.Conn) error {
			cache.Clear() // of what a lost connection would have been told
			return conn.Process(ctx, redis.NewStatusCmd(ctx, "client", "tracking", "on"))
		},
	})
	defer client.Close()

	ctx := context.Background()
	reading := new(string) // gone by the time the value is there if it has changed meanwhile
	cache.Store("user:1", reading)
	value, err := client.Get(ctx, "user:1").Result()
	if err == nil {
		cache.CompareAndSwap("user:1", reading, &value)
	}
}

// A name may have a handler of borrowed frames, which all clients share, and go-redis style handlers, such as those that
// each client registers itself.
func ExampleProcessor_RegisterHandler() {
	p := dispatch.NewProcessor()
	err := p.HandleFunc("MOVING", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil })
	fmt.Println(err)

	one, two := goredis.NewProcessor(p), goredis.NewProcessor(p)
	fmt.Println(one.RegisterHandler("MOVING", movingHandler{}, true), two.RegisterHandler("MOVING", movingHandler{}, true))
	fmt.Println(one.RegisterHandler("MOVING", movingHandler{}, true))
	// Output:
	// <nil>
	// <nil> <nil>
	// handler register failed for 'MOVING': cannot overwrite existing handler
}

// Each node of a cluster has a client, and each of these a processor over the same handlers.
func ExampleNewClient() {
	p := dispatch.NewProcessor()
	addrs := []string{"localhost:7000", "localhost:7001", "localhost:7002"}
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:     addrs,
		NewClient: goredis.NewClient(p),
	})
	defer client.Close()
}

type movingHandler struct{}

func (movingHandler) HandlePushNotification(context.Context, push.NotificationHandlerContext, []interface{}) error {
	return nil
}
