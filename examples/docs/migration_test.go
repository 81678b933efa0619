package docs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// dropKeys is a handler written for go-redis.
type dropKeys struct{ cache *localCache }

func (h dropKeys) HandlePushNotification(_ context.Context, _ push.NotificationHandlerContext, notification []interface{}) error {
	keys, ok := notification[1].([]interface{})
	if !ok {
		h.cache.Clear() // null: every key
	}
	for _, key := range keys {
		h.cache.Drop([]byte(key.(string)))
	}
	return nil
}

// keptHandlers uses a go-redis style handler with respush.
func keptHandlers(addr string, cache *localCache) (*redis.Client, error) {
	p := dispatch.NewProcessor()
	client := redis.NewClient(&redis.Options{
		Addr:                      addr,
		Protocol:                  3,
		PushNotificationProcessor: goredis.NewProcessor(p),
	})
	err := client.RegisterPushNotificationHandler("invalidate", dropKeys{cache}, false)
	return client, err
}

// borrowedHandlers has the same handler, but for borrowed frames.
func borrowedHandlers(addr string, cache *localCache) (*redis.Client, error) {
	p := dispatch.NewProcessor()
	err := p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			if i.FlushAll() {
				cache.Clear()
			}
			for key := range i.Keys() { // []byte, borrowed until this function returns
				cache.Drop(key)
			}
			return nil
		}))
	client := redis.NewClient(&redis.Options{
		Addr:                      addr,
		Protocol:                  3,
		PushNotificationProcessor: goredis.NewProcessor(p),
	})
	return client, err
}

func TestHandlersOfGoRedisMigrate(t *testing.T) {
	server := redistest.Start(t)
	for name, connect := range map[string]func(string, *localCache) (*redis.Client, error){
		"kept": keptHandlers, "borrowed": borrowedHandlers,
	} {
		t.Run(name, func(t *testing.T) {
			cache := newLocalCache()
			client, err := connect(server.Addr, cache)
			require.NoError(t, err)
			defer client.Close()
			conn := client.Conn()
			defer conn.Close()
			for _, command := range [][]any{{"CLIENT", "TRACKING", "ON", "BCAST"}, {"SET", "user:1", "ada"}, {"PING"}} {
				require.NoError(t, conn.Process(t.Context(), redis.NewCmd(t.Context(), command...)))
			}
			require.Equal(t, "user:1", receive(t, cache.dropped))
		})
	}
}

// withOnInvalidations returns a rueidis client with rueidis' own callback.
func withOnInvalidations(addr string, cache *localCache) (rueidis.Client, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{addr},
		OnInvalidations: func(keys []rueidis.RedisMessage) {
			if keys == nil {
				cache.Clear()
			}
			for _, key := range keys {
				name, _ := key.ToString()
				cache.Drop([]byte(name))
			}
		},
	})
	return client, err
}

func TestOnInvalidationsAndATapHearTheSame(t *testing.T) {
	server := redistest.Start(t)
	own := newLocalCache()
	one, err := withOnInvalidations(server.Addr, own)
	require.NoError(t, err)
	defer one.Close()
	p, tapped := newCached(t)
	other, err := withTap(p, server.Addr)
	require.NoError(t, err)
	defer other.Close()
	for _, client := range []rueidis.Client{one, other} {
		err = client.DoCache(t.Context(), client.B().Get().Key("user:1").Cache(), time.Minute).Error()
		require.True(t, rueidis.IsRedisNil(err), err)
	}
	server.Dial(t).Do("SET", "user:1", "ada")
	require.Equal(t, "user:1", receive(t, own.dropped))
	require.Equal(t, "user:1", receive(t, tapped.dropped))
}

// handWritten is a subscriber that parses only what it needs.
func handWritten(conn net.Conn, handle func(channel, payload string)) error {
	if _, err := io.WriteString(conn, "SUBSCRIBE news\r\n"); err != nil {
		return err
	}
	rd := bufio.NewReader(conn)
	for {
		elements, err := readArray(rd) // your own
		if err != nil {
			return err
		}
		if elements[0] == "message" {
			handle(elements[1], elements[2])
		}
	}
}

// readArray reads an array of bulk strings and integers.
func readArray(rd *bufio.Reader) (elements []string, err error) {
	var n, size int
	if _, err = fmt.Fscanf(rd, "*%d\r\n", &n); err != nil {
		return nil, err
	}
	for range n {
		if c, _ := rd.Peek(1); len(c) == 1 && c[0] == ':' {
			line, err := rd.ReadString('\n')
			if err != nil {
				return nil, err
			}
			elements = append(elements, line)
			continue
		}
		if _, err = fmt.Fscanf(rd, "$%d\r\n", &size); err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err = io.ReadFull(rd, text); err != nil {
			return nil, err
		}
		elements = append(elements, string(text[:size]))
	}
	return elements, nil
}

// served is the same subscriber, written with Serve.
func served(ctx context.Context, conn net.Conn, handle func(channel, payload string)) error {
	p := dispatch.NewProcessor()
	err := p.HandleFunc(notify.NameMessage, notify.OnMessage(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
			handle(string(m.Channel), m.Payload.String()) // both are copies
			return nil
		}))
	if err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "HELLO 3\r\nSUBSCRIBE news\r\n"); err != nil {
		return err
	}
	return p.Serve(ctx, dispatch.NotificationHandlerContext{Conn: conn}, parser.NewReader(conn), func(reply parser.Frame) error {
		if reply.Type() == parser.TypeSimpleError {
			return errors.New(reply.Value().String()) // no HELLO, or no permission
		}
		return nil
	})
}

func TestSubscribersMigrate(t *testing.T) {
	server := redistest.Start(t)
	for name, subscribe := range map[string]func(net.Conn, func(channel, payload string)) error{
		"hand-written": handWritten,
		"served": func(conn net.Conn, handle func(channel, payload string)) error {
			return served(t.Context(), conn, handle)
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Addr)
			require.NoError(t, err)
			messages, ended := make(chan string, 1), make(chan error, 1)
			go func() {
				ended <- subscribe(conn, func(channel, payload string) { messages <- channel + " " + payload })
			}()
			publisher := server.Dial(t)
			require.Eventually(t, func() bool {
				return publisher.Do("PUBLISH", "news", "hello").String() == "1"
			}, patience, time.Millisecond)
			require.Equal(t, "news hello", receive(t, messages))
			require.NoError(t, conn.Close())
			require.Error(t, receive(t, ended))
		})
	}
}
