// Command rueidis shows an observing tap under a client that handles pushes
// itself.
//
//	rueidis redis://[user:password@]host[:port]
//
// Rueidis caches the values that it reads, and drops them when the server
// invalidates them. An observing tap leaves the stream unchanged and dispatches
// the same pushes, which the program counts. Rueidis notices only the time that
// the handlers take. A hundred times, the program reads a key through the cache
// of rueidis and removes it, and publishes and receives a message. It prints
// what rueidis and the tap have counted.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/tap"
)

const (
	key     = "respush-example-rueidis:key"
	channel = "respush-example-rueidis:news"
	rounds  = 100
)

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.Arg(args)
	if err != nil {
		return err
	}
	var invalidations, messages atomic.Int64 // rueidis reads each of its connections on a goroutine of its own
	processor := dispatch.NewProcessor()
	err = errors.Join(
		processor.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
			func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
				invalidations.Add(int64(i.Len()))
				return nil
			})),
		processor.HandleFunc(notify.NameMessage, notify.OnMessage(
			func(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
				messages.Add(1)
				return nil
			})))
	if err != nil {
		return err
	}
	told := make(chan int, 1) // receives the number of keys of each invalidation that rueidis reports
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{server.Addr}, Username: server.Username, Password: server.Password,
		ForceSingleClient: true,
		DialCtxFn: func(ctx context.Context, addr string, dialer *net.Dialer, _ *tls.Config) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, "tcp", addr)
			if err != nil {
				return nil, err
			}
			return tap.NewConn(conn, processor, tap.Observe()), nil
		},
		OnInvalidations: func(keys []rueidis.RedisMessage) {
			if len(keys) > 0 { // rueidis reports none when a connection ends
				told <- len(keys)
			}
		},
	})
	if err != nil {
		return err
	}
	defer client.Close()

	invalidated, err := change(ctx, client, told)
	if err != nil {
		return err
	}
	if err := listen(ctx, client); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "rueidis  %d keys invalidated, %d messages\n", invalidated, rounds)
	fmt.Fprintf(stdout, "tap      %d keys invalidated, %d messages\n", invalidations.Load(), messages.Load())
	return nil
}

// change reads the key through the cache of rueidis and removes it, once in
// each round. It returns the number of keys that rueidis reported as
// invalidated.
func change(ctx context.Context, client rueidis.Client, told <-chan int) (invalidated int, err error) {
	for round := range rounds {
		if err := client.Do(ctx, client.B().Set().Key(key).Value(strconv.Itoa(round)).Build()).Error(); err != nil {
			return 0, err
		}
		for _, hit := range []bool{false, true} {
			reply := client.DoCache(ctx, client.B().Get().Key(key).Cache(), time.Minute)
			value, err := reply.AsInt64()
			if err != nil {
				return 0, err
			}
			if value != int64(round) || reply.IsCacheHit() != hit {
				return 0, fmt.Errorf("round %d: read %d, from the cache: %v", round, value, reply.IsCacheHit())
			}
		}
		if err := client.Do(ctx, client.B().Del().Key(key).Build()).Error(); err != nil {
			return 0, err
		}
		select {
		case n := <-told:
			invalidated += n
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return invalidated, nil
}

// listen subscribes, publishes a message in each round and waits for it.
func listen(ctx context.Context, client rueidis.Client) error {
	dedicated, release := client.Dedicate()
	defer release()
	messages := make(chan string, rounds)
	ended := dedicated.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) { messages <- m.Message }})
	if err := dedicated.Do(ctx, client.B().Subscribe().Channel(channel).Build()).Error(); err != nil {
		return err
	}
	for round := range rounds {
		if err := client.Do(ctx, client.B().Publish().Channel(channel).Message(strconv.Itoa(round)).Build()).Error(); err != nil {
			return err
		}
		select {
		case message := <-messages:
			if message != strconv.Itoa(round) {
				return fmt.Errorf("message %d is %q", round, message)
			}
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
