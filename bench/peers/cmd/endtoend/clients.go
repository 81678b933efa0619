//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/redis/go-redis/v9/push"
	"github.com/redis/rueidis"

	"github.com/seed79615202/respush/parser"
)

// clientNames lists the clients in the order of the tables. Each of the first
// five does more than the one before it, so their differences show where
// respush spends its time.
var clientNames = []string{"read", "scan", "respush-counts", "respush-values", "respush", "go-redis", "rueidis"}

var clients = map[string]client{
	"read":           onlyRead,
	"scan":           onlyScan,
	"respush-counts": useRespush(countTail),
	"respush-values": useRespush(readValues),
	"respush":        useRespush(readViews),
	"go-redis":       useGoRedis,
	"rueidis":        useRueidis,
}

// fail ends the process, since a client that stops reading has no result.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "endtoend:", err)
	os.Exit(1)
}

// greet asks for pushes of a kind on conn and reads the replies with rd.
func greet(j job, conn net.Conn, rd *parser.Reader) error {
	b := appendCommand(nil, "HELLO", "3")
	if j.Kind == messages {
		b = appendCommand(b, "SUBSCRIBE", channel)
	} else {
		b = appendCommand(b, "CLIENT", "TRACKING", "ON", "BCAST")
	}
	if _, err := conn.Write(b); err != nil {
		return err
	}
	for range 2 { // the subscription is confirmed by a push
		f, err := rd.Next()
		if err != nil {
			return err
		}
		if f.Type() == parser.TypeSimpleError {
			return fmt.Errorf("%s", f.Value())
		}
	}
	return nil
}

// onlyRead reads, which every client must do, and does nothing else. It
// recognizes the last push by the byte before the last CR LF. It takes the time
// from the text at the end of each read.
func onlyRead(j job, dial func(string) (net.Conn, error), r *recorder) error {
	conn, err := dial(j.Addr)
	if err != nil {
		return err
	}
	if err := greet(j, conn, parser.NewReader(conn)); err != nil {
		return err
	}
	go func() {
		const kept = 2 // bytes kept of the previous read
		buf := make([]byte, kept+readBuffer)
		size := textSize(j.Kind)
		for {
			n, err := conn.Read(buf[kept:])
			if err != nil {
				fail(err)
			}
			b := buf[:kept+n]
			if b[len(b)-3] == endMark {
				close(r.done)
				return
			}
			if j.Paced && n >= size+2 {
				record(r, b[len(b)-2-size:len(b)-2])
			}
			copy(buf, b[n:])
		}
	}()
	return nil
}

// goRedisKeys is the handler that go-redis calls for invalidations.
type goRedisKeys struct{ r *recorder }

// HandlePushNotification records the keys.
func (h goRedisKeys) HandlePushNotification(_ context.Context, _ push.NotificationHandlerContext, notification []interface{}) error {
	keys, _ := notification[1].([]interface{})
	for _, key := range keys {
		if text, ok := key.(string); ok {
			record(h.r, text)
		}
	}
	return nil
}

// useGoRedis receives on a PubSub. The goroutine that receives also handles the
// other pushes of the connection.
func useGoRedis(j job, dial func(string) (net.Conn, error), r *recorder) error {
	ctx := context.Background()
	opts := &redis.Options{
		Addr:                     j.Addr,
		Dialer:                   func(_ context.Context, _, addr string) (net.Conn, error) { return dial(addr) },
		Protocol:                 3,
		DisableIdentity:          true,
		ReadBufferSize:           readBuffer,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	subscription := channel
	if j.Kind == invalidations {
		subscription = "none" // a PubSub connects when it subscribes to something
		opts.OnConnect = func(ctx context.Context, cn *redis.Conn) error {
			return cn.Do(ctx, "CLIENT", "TRACKING", "ON", "BCAST").Err()
		}
	}
	c := redis.NewClient(opts)
	if err := c.RegisterPushNotificationHandler("invalidate", goRedisKeys{r}, false); err != nil {
		return err
	}
	pubsub := c.Subscribe(ctx, subscription)
	if _, err := pubsub.Receive(ctx); err != nil { // the confirmation
		return err
	}
	go func() {
		for {
			m, err := pubsub.ReceiveMessage(ctx)
			if err != nil {
				fail(err)
			}
			record(r, m.Payload)
		}
	}()
	return nil
}

// useRueidis sets hooks on a dedicated connection.
func useRueidis(j job, dial func(string) (net.Conn, error), r *recorder) error {
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{j.Addr},
		DialCtxFn: func(_ context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return dial(addr)
		},
		ForceSingleClient:  true,
		DisableCache:       true,
		ClientSetInfo:      rueidis.DisableClientSetInfo,
		ReadBufferEachConn: readBuffer,
		OnInvalidations: func(keys []rueidis.RedisMessage) {
			for i := range keys {
				if text, err := keys[i].ToString(); err == nil {
					record(r, text)
				}
			}
		},
	})
	if err != nil {
		return err
	}
	dedicated, _ := c.Dedicate() // kept until the process ends
	dedicated.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) { record(r, m.Message) }})
	ctx := context.Background()
	if j.Kind == messages {
		return dedicated.Do(ctx, dedicated.B().Subscribe().Channel(channel).Build()).Error()
	}
	return dedicated.Do(ctx, dedicated.B().Arbitrary("CLIENT", "TRACKING", "ON", "BCAST").Build()).Error()
}
