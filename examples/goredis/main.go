// Command goredis shows a go-redis client whose pushes are handled by respush.
//
//	goredis redis://[user:password@]host[:port]
//
// The client tracks the keys that it reads, in pipelines and transactions,
// while another client changes them. It is also subscribed to a channel. The
// program checks every reply, and ends by itself when 1,000 keys have been
// changed ten times.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/notify"
)

const (
	prefix  = "respush-example-goredis:"
	channel = prefix + "news"
	keys    = 1000
	rounds  = 10
)

func main() {
	// With any processor, go-redis logs a line when a connection from its pool
	// has pushes waiting.
	redis.SetLogger(logging.NewBlacklistLogger([]string{"has buffered data, likely push notifications"}))
	program.Main(run)
}

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.Arg(args)
	if err != nil {
		return err
	}

	// All there is to it: a processor, which any number of clients may share, a
	// handler, and the option PushNotificationProcessor.
	processor := dispatch.NewProcessor()
	invalidated := 0
	err = processor.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			invalidated += i.Len() // no lock: with one connection the handler runs inside the calls below
			return nil
		}))
	if err != nil {
		return err
	}
	pushes := goredis.NewProcessor(processor) // for one client, which registers its own handlers here
	client := redis.NewClient(&redis.Options{
		Addr: server.Addr, Username: server.Username, Password: server.Password,
		Protocol:                  3,
		PushNotificationProcessor: pushes,
		PoolSize:                  1, // so that every invalidation comes with the next command
		OnConnect: func(ctx context.Context, conn *redis.Conn) error {
			return conn.Do(ctx, "CLIENT", "TRACKING", "ON").Err()
		},
	})
	defer client.Close()
	other := redis.NewClient(&redis.Options{Addr: server.Addr, Username: server.Username, Password: server.Password})
	defer other.Close()
	defer remove(context.WithoutCancel(ctx), other)

	// Subscriptions still belong to go-redis. The processor leaves their pushes
	// to it.
	news := client.Subscribe(ctx, channel)
	defer news.Close()
	if _, err := news.Receive(ctx); err != nil {
		return err
	}

	for round := range rounds {
		if err := change(ctx, other, round); err != nil {
			return err
		}
		if err := read(ctx, client, round); err != nil {
			return err
		}
		message, err := news.ReceiveMessage(ctx)
		if err != nil {
			return err
		}
		if message.Payload != strconv.Itoa(round) {
			return fmt.Errorf("the news of round %d are %q", round, message.Payload)
		}
	}
	fmt.Fprintf(stdout, "replies      %d, all as they should be\n", 2*keys*rounds)
	fmt.Fprintf(stdout, "messages     %d, through go-redis' PubSub\n", rounds)
	fmt.Fprintf(stdout, "invalidated  %d keys\n", invalidated)
	of := processor.Stats()
	fmt.Fprintf(stdout, "processor    %d pushes, %d bytes, %d unhandled\n", of.Pushes, of.Bytes, of.Unhandled)
	fmt.Fprintf(stdout, "handlers     of go-redis beside it: %s\n", registered(pushes))
	return nil
}

// change gives every key the value round, and publishes round on the channel.
func change(ctx context.Context, client *redis.Client, round int) error {
	pairs := make([]any, 0, 2*keys)
	for i := range keys {
		pairs = append(pairs, key(i), round)
	}
	return errors.Join(client.MSet(ctx, pairs...).Err(), client.Publish(ctx, channel, round).Err())
}

// read reads every key in a pipeline, and again in a transaction.
func read(ctx context.Context, client *redis.Client, round int) error {
	get := func(pipe redis.Pipeliner) error {
		for i := range keys {
			pipe.Get(ctx, key(i))
		}
		return nil
	}
	for _, run := range []func(context.Context, func(redis.Pipeliner) error) ([]redis.Cmder, error){client.Pipelined, client.TxPipelined} {
		replies, err := run(ctx, get)
		if err != nil {
			return err
		}
		for i, reply := range replies {
			if value := reply.(*redis.StringCmd).Val(); value != strconv.Itoa(round) {
				return fmt.Errorf("%s is %q in round %d", key(i), value, round)
			}
		}
	}
	return nil
}

// registered returns the names that go-redis has registered handlers for.
func registered(processor *goredis.Processor) string {
	var names []string
	for _, name := range []notify.Name{
		notify.NameMoving, notify.NameMigrating, notify.NameMigrated, notify.NameFailingOver, notify.NameFailedOver,
		notify.NameSMigrating, notify.NameSMigrated,
	} {
		if processor.GetHandler(string(name)) != nil {
			names = append(names, string(name))
		}
	}
	return strings.Join(names, " ")
}

// remove deletes the keys that the program has written. It ignores errors,
// since leftover keys do no harm.
func remove(ctx context.Context, client *redis.Client) {
	names := make([]string, keys)
	for i := range names {
		names[i] = key(i)
	}
	client.Del(ctx, names...)
}

func key(i int) string { return prefix + strconv.Itoa(i) }
