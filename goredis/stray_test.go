package goredis_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// A connection of the pool that has been subscribed with Do hears messages between its replies.
func TestAStrayMessageIsNoReply(t *testing.T) {
	for _, opts := range [][]dispatch.Option{nil, {dispatch.WithPubSub()}} {
		server := redistest.Start(t, "--notify-keyspace-events", "KEA")
		var heard []string
		p := dispatch.NewProcessor(opts...)
		for _, name := range []string{"message", "pmessage", "smessage"} {
			require.NoError(t, p.HandleFunc(name, func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
				heard = append(heard, push.Value().String())
				return nil
			}))
		}
		client := newClient(t, redis.Options{Addr: server.Addr, PoolSize: 1}, goredis.NewProcessor(p))
		writer := newClient(t, redis.Options{Addr: server.Addr}, nil)
		do := func(args ...any) any {
			v, err := client.Do(background, args...).Result()
			require.NoError(t, err, args...)
			return v
		}

		require.Equal(t, []any{"subscribe", "news", int64(1)}, do("subscribe", "news"))
		require.Equal(t, []any{"psubscribe", "__keyspace@0__:tx", int64(2)}, do("psubscribe", "__keyspace@0__:tx"))
		require.Equal(t, []any{"ssubscribe", "shard", int64(1)}, do("ssubscribe", "shard"))
		var want []string
		for i := range 100 {
			require.NoError(t, writer.Publish(background, "news", i).Err())
			require.NoError(t, writer.SPublish(background, "shard", i).Err())
			want = append(want, fmt.Sprintf(`["message" "news" "%d"]`, i), fmt.Sprintf(`["smessage" "shard" "%d"]`, i))
			require.Equal(t, fmt.Sprint(i), do("echo", fmt.Sprint(i)))
		}
		require.Equal(t, want, heard)

		heard = nil
		cmds, err := client.TxPipelined(background, func(pipe redis.Pipeliner) error {
			for i := range 20 {
				pipe.Set(background, "tx", i, 0)
			}
			return nil
		})
		require.NoError(t, err)
		require.Len(t, cmds, 20)
		require.Equal(t, "PONG", do("ping"))
		for len(heard) < 20 {
			require.Equal(t, "PONG", do("ping"))
		}
		require.Equal(t, `["pmessage" "__keyspace@0__:tx" "__keyspace@0__:tx" "set"]`, heard[0])
		require.Equal(t, []any{"unsubscribe", "news", int64(1)}, do("unsubscribe", "news"))
		require.EqualValues(t, 1, client.PoolStats().TotalConns)
		require.Zero(t, client.PoolStats().StaleConns)
	}
}

func TestAPubSubHasItsMessagesWhateverTheProcessorTakes(t *testing.T) {
	server := redistest.Start(t)
	p := dispatch.NewProcessor(dispatch.WithPubSub(), dispatch.WithFallback(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			t.Errorf("%s is the client's", push.Value())
			return nil
		})))
	client := newClient(t, redis.Options{Addr: server.Addr}, goredis.NewProcessor(p))
	sub := client.Subscribe(background, "news")
	defer sub.Close()
	for i := range 100 {
		if i == 0 {
			_, err := sub.Receive(background)
			require.NoError(t, err)
		}
		require.NoError(t, client.Publish(background, "news", i).Err())
		message, err := sub.ReceiveMessage(background)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), message.Payload)
	}
}
