package feed_test

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// demo is a server for the examples: it confirms everything, sends some pushes,
// and closes the connection.
func demo(pushes string) func(ctx context.Context, addr string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			rd := parser.NewReader(server)
			for {
				f, err := rd.Next()
				if err != nil {
					return
				}
				var words []string
				for v := range f.Value().All() {
					words = append(words, v.String())
				}
				answer := "+OK\r\n"
				switch words[0] {
				case "HELLO":
					answer = "%2\r\n+proto\r\n:3\r\n+role\r\n+master\r\n"
				case "SUBSCRIBE":
					answer = ">3\r\n+subscribe\r\n+" + words[1] + "\r\n:1\r\n"
				case "PING":
					answer = "+PONG\r\n" + pushes
				}
				if _, err := server.Write([]byte(answer)); err != nil {
					return
				}
			}
		}()
		return client, nil
	}
}

// A subscriber does something about each message, and something else about a gap,
// in which it may have missed some.
func Example_subscriber() {
	p := dispatch.NewProcessor()
	f := &feed.Feed{
		Addr:      "localhost:6379",
		Dial:      demo(">3\r\n+message\r\n+news\r\n+hello\r\n"), // instead of a server
		Channels:  []string{"news"},
		Processor: p,
		OnGap:     func(_ context.Context, g feed.Gap) { fmt.Println("gap:", g.Cause) },
	}
	_ = p.HandleFunc("message", notify.OnMessage(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
			fmt.Printf("%s on %s\n", m.Payload.Bytes(), m.Channel)
			f.Stop(nil) // one is enough for an example
			return nil
		}))
	fmt.Println(f.Run(context.Background()))
	// Output:
	// gap: feed: not armed yet
	// hello on news
	// <nil>
}

// A near cache answers only while its Feed is armed, and keeps a value only if
// nothing was invalidated since it was asked for. Any cache will do in place of
// the map.
func Example_nearCache() {
	var (
		mu    sync.Mutex
		cache = map[string]string{}
		guard feed.Guard
	)
	p := dispatch.NewProcessor()
	_ = p.HandleFunc("invalidate", notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			if i.FlushAll() {
				guard.Flush()
				mu.Lock()
				clear(cache)
				mu.Unlock()
			}
			for key := range i.Keys() {
				guard.Invalidate(key) // the guard first
				mu.Lock()
				delete(cache, string(key))
				mu.Unlock()
			}
			return nil
		}))
	armed := make(chan struct{})
	f := &feed.Feed{
		Addr:      "localhost:6379",
		Dial:      demo(""), // instead of a server
		Tracking:  &feed.Tracking{Prefixes: []string{"user:"}},
		Processor: p,
		OnArmed:   func(context.Context, feed.Coverage) { close(armed) },
	}
	get := func(key string, read func(key string) (string, error)) (string, error) {
		if f.Coverage().Armed {
			mu.Lock()
			value, ok := cache[key]
			mu.Unlock()
			if ok {
				return value, nil
			}
		}
		load := guard.Begin(key) // before the read is sent
		value, err := read(key)
		if err != nil || !f.Coverage().Armed {
			load.Abandon()
			return value, err
		}
		load.Keep(func() {
			mu.Lock()
			cache[key] = value
			mu.Unlock()
		})
		return value, nil
	}

	go func() { _ = f.Run(context.Background()) }()
	<-armed
	read := func(key string) (string, error) {
		fmt.Println("read", key)
		return "Ada", nil
	}
	for range 2 {
		value, _ := get("user:1", read)
		fmt.Println(value)
	}
	f.Stop(nil)
	// Output:
	// read user:1
	// Ada
	// Ada
}
