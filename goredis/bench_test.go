package goredis_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// counter counts the pushes that reach it, in either form.
type counter struct{ n int }

func (c *counter) HandlePushNotification(context.Context, push.NotificationHandlerContext, []interface{}) error {
	c.n++
	return nil
}

func (c *counter) HandlePush(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
	c.n++
	return nil
}

// impl is a processor to be measured, whose handlers count.
type impl struct {
	name string
	make func(tb testing.TB, c *counter) push.NotificationProcessor
}

// impls are go-redis' own processor; ours with a handler of borrowed frames; and ours with a go-redis style handler.
var impls = []impl{
	{"builtin", func(tb testing.TB, c *counter) push.NotificationProcessor {
		p := push.NewProcessor()
		register(tb, p, c)
		return p
	}},
	{"respush", func(tb testing.TB, c *counter) push.NotificationProcessor {
		p := dispatch.NewProcessor()
		require.NoError(tb, p.Handle("invalidate", c))
		require.NoError(tb, p.Handle("MOVING", c))
		return goredis.NewProcessor(p)
	}},
	{"respush-decoded", func(tb testing.TB, c *counter) push.NotificationProcessor {
		p := goredis.NewProcessor(nil)
		register(tb, p, c)
		return p
	}},
}

func register(tb testing.TB, p push.NotificationProcessor, c *counter) {
	require.NoError(tb, p.RegisterHandler("invalidate", c, false))
	require.NoError(tb, p.RegisterHandler("MOVING", c, false))
}

// BenchmarkPush is the cost of a push for a client: each command is answered by many of them and its reply.
func BenchmarkPush(b *testing.B) {
	for _, id := range []string{"F1", "F2", "F7", "F8"} {
		frame := workload.Find(id).Frame
		burst := max(256<<10/len(frame), 1)
		for _, impl := range impls {
			b.Run("frame="+id+"/impl="+impl.name, func(b *testing.B) {
				var c counter
				conn := new(memoryConn)
				client := newMemoryClient(conn, 0, impl.make(b, &c))
				defer client.Close()
				ctx := context.Background()
				require.NoError(b, client.Ping(ctx).Err())
				conn.answer = append(bytes.Repeat(frame, burst), "+PONG\r\n"...)
				b.SetBytes(int64(len(frame)))
				b.ReportAllocs()
				b.ResetTimer()
				sent := 0
				for ; sent < b.N; sent += burst {
					if err := client.Ping(ctx).Err(); err != nil {
						b.Fatal(err)
					}
				}
				require.Equal(b, sent, c.n)
			})
		}
	}
}

// BenchmarkCommand is the cost of a command with no push pending.
func BenchmarkCommand(b *testing.B) {
	for _, impl := range impls[:2] {
		b.Run("impl="+impl.name, func(b *testing.B) {
			conn := new(memoryConn)
			client := newMemoryClient(conn, 0, impl.make(b, new(counter)))
			defer client.Close()
			ctx := context.Background()
			require.NoError(b, client.Ping(ctx).Err())
			conn.answer = []byte("+PONG\r\n")
			b.ReportAllocs()
			for b.Loop() {
				if err := client.Ping(ctx).Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPending is what a processor does when a reply is next.
func BenchmarkPending(b *testing.B) {
	for _, impl := range impls[:2] {
		b.Run("impl="+impl.name, func(b *testing.B) {
			l := newLink(b, impl.make(b, new(counter)), 0, arriving("+PONG\r\n"))
			b.ReportAllocs()
			for b.Loop() {
				if err := l.process(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPushAlone is the cost of a push that comes by itself, with the reply of a
// command. added-ns/op is what it adds to that command.
func BenchmarkPushAlone(b *testing.B) {
	const reply = "+PONG\r\n"
	for _, id := range []string{"F1", "F7"} {
		for _, impl := range impls {
			b.Run("frame="+id+"/impl="+impl.name, func(b *testing.B) {
				var c counter
				ping := func(answer []byte) func() {
					conn := new(memoryConn)
					client := newMemoryClient(conn, 0, impl.make(b, &c))
					b.Cleanup(func() { require.NoError(b, client.Close()) })
					ctx := context.Background()
					require.NoError(b, client.Ping(ctx).Err())
					conn.answer = answer
					return func() {
						if err := client.Ping(ctx).Err(); err != nil {
							b.Fatal(err)
						}
					}
				}
				bare, with := ping([]byte(reply)), ping(append(workload.Find(id).Frame, reply...))
				require.Equal(b, workload.Beside(b, 1000, bare, with), c.n)
			})
		}
	}
}
