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

// clientNames are the clients in the order of the tables. Each of the first
// five does what the one before it does, and more, so that their differences
// say where the time of respush goes.
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

// fail ends the process: a client that stops reading has nothing to tell.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "endtoend:", err)
	os.Exit(1)
}

// greet asks for pushes of a kind on a connection that is read with rd.
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

// onlyRead does what every client has to, and nothing else: it reads. It knows
// the last push by the byte that stands before the last CR LF, and looks for
// the time in the last push of each read, where its text is.
func onlyRead(j job, dial func(string) (net.Conn, error), r *recorder) error {
	conn, err := dial(j.Addr)
	if err != nil {
		return err
	}
	if err := greet(j, conn, parser.NewReader(conn)); err != nil {
		return err
	}
	go func() {
		const kept = 2 // bytes of the read before
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

// goRedisKeys is go-redis' handler for invalidations.
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

// useGoRedis receives on a PubSub, whose goroutine handles the other pushes of
// its connection as well.
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

// useRueidis has hooks on a dedicated connection.
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
	dedicated, _ := c.Dedicate() // until the process ends
	dedicated.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) { record(r, m.Message) }})
	ctx := context.Background()
	if j.Kind == messages {
		return dedicated.Do(ctx, dedicated.B().Subscribe().Channel(channel).Build()).Error()
	}
	return dedicated.Do(ctx, dedicated.B().Arbitrary("CLIENT", "TRACKING", "ON", "BCAST").Build()).Error()
}
