// Command cluster shows sharded pub/sub on a Redis Cluster, and one processor
// for the pushes of all its nodes.
//
//	cluster redis://[user:password@]host[:port]
//
// Any node of the cluster will do. The program writes keys and publishes to
// sharded channels that are spread over the cluster. It subscribes to these
// channels, and each node sends it invalidations of the keys written there.
// When slots migrate or masters fail over, it follows them. It runs until
// Ctrl-C, and ends at once if the cluster has no slots.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/notify"
)

const (
	prefix   = "respush-example-cluster:"
	channels = 9
	pace     = 10 * time.Millisecond // of publishing
	again    = 50 * time.Millisecond // between two attempts
)

func main() {
	redis.SetLogger(new(logging.VoidLogger)) // this program expects errors for a while
	program.Main(run)
}

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.Arg(args)
	if err != nil {
		return err
	}
	if err := findSlots(ctx, server); err != nil {
		return err
	}
	t := &tally{log: log.New(stdout, "", 0), messages: map[string]int{}, invalidated: map[string]int{}}

	// One processor serves all nodes. The handler context tells a handler which
	// node sent the push.
	processor := dispatch.NewProcessor()
	if err := processor.HandleFunc(string(notify.NameInvalidate), notify.OnInvalidate(t.invalidate)); err != nil {
		return err
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{server.Addr}, Username: server.Username, Password: server.Password,
		Protocol:  3,
		NewClient: goredis.NewClient(processor), // each node's client registers its own handlers on top of those of processor
		PoolSize:  1,                            // for each node, so that its invalidations come with the next command to it
		OnConnect: func(ctx context.Context, conn *redis.Conn) error {
			return conn.Do(ctx, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix).Err()
		},
	})
	defer client.Close()

	group, ctx := errgroup.WithContext(ctx)
	for i := range channels {
		group.Go(func() error { return t.follow(ctx, client, name(i)) })
	}
	group.Go(func() error { return t.publish(ctx, client) })
	err = group.Wait()
	t.show()
	return err
}

// errNoSlots is the error for a cluster that cannot hold a key.
var errNoSlots = errors.New("the cluster has no slots; redis-cli --cluster create assigns them")

// findSlots returns an error if the server knows no slots. Without slots every
// command of this program would fail.
func findSlots(ctx context.Context, server program.Server) error {
	node := redis.NewClient(&redis.Options{Addr: server.Addr, Username: server.Username, Password: server.Password})
	defer node.Close()
	info, err := node.ClusterInfo(ctx).Result()
	if err == nil && strings.Contains(info, "cluster_slots_assigned:0\r\n") {
		err = errNoSlots
	}
	if err != nil {
		return fmt.Errorf("%s: %w", server.Addr, err)
	}
	return nil
}

// tally counts messages and invalidations. Invariant: mu is held while the maps
// are used.
type tally struct {
	log         *log.Logger
	mu          sync.Mutex
	messages    map[string]int // by channel
	invalidated map[string]int // by the node's address
}

// invalidate is the handler of invalidations.
func (t *tally) invalidate(_ context.Context, handlerCtx dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	conn, ok := handlerCtx.Conn.(interface{ RemoteAddr() net.Addr })
	if !ok {
		return fmt.Errorf("a connection of type %T", handlerCtx.Conn)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.invalidated[conn.RemoteAddr().String()] += i.Len()
	return nil
}

// follow keeps a subscription to channel until ctx ends.
func (t *tally) follow(ctx context.Context, client *redis.ClusterClient, channel string) error {
	for {
		subscription := client.SSubscribe(ctx, channel)
		stop := context.AfterFunc(ctx, func() { subscription.Close() })
		err := t.receive(ctx, subscription, channel)
		stop()
		subscription.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", channel, err)
		}
		client.ReloadState(ctx) // another node may have the slot now
		wait(ctx, again)
	}
}

// receive counts messages. It returns nil when the channel needs a new
// subscription. When a connection breaks, go-redis makes another one and
// subscribes there. A server that gives a slot away keeps the connection
// instead, and sends an unrequested sunsubscribe. Go-redis returns it from
// Receive and does not subscribe again. Neither does it subscribe again when a
// node refuses a subscription because it does not have the slot.
func (t *tally) receive(ctx context.Context, subscription *redis.PubSub, channel string) error {
	first := true
	for {
		received, err := subscription.Receive(context.Background()) // until subscription is closed
		var refusal redis.Error
		if _, moved := redis.IsMovedError(err); moved || errors.Is(err, redis.ErrClosed) || redis.IsClusterDownError(err) {
			return nil
		} else if errors.As(err, &refusal) {
			return err
		}
		switch received := received.(type) {
		case nil: // the connection broke, or none could be made
			wait(ctx, again)
		case *redis.Subscription:
			if received.Kind == string(notify.NameSUnsubscribe) {
				t.log.Printf("%s: unsubscribed by the server", channel)
				return nil
			}
		case *redis.Message:
			if first {
				t.log.Printf("%s: message %s is the first", channel, received.Payload)
				first = false
			}
			t.mu.Lock()
			t.messages[channel]++
			t.mu.Unlock()
		}
	}
}

// publish writes a key and publishes a message for each channel in turn until
// ctx ends.
func (t *tally) publish(ctx context.Context, client *redis.ClusterClient) error {
	defer func() {
		for i := range channels {
			client.Del(context.WithoutCancel(ctx), name(i)) // a leftover key does no harm
		}
	}()
	for n := 0; ; n++ {
		name := name(n % channels)
		err := client.Set(ctx, name, n, 0).Err()
		if err == nil {
			err = client.SPublish(ctx, name, n).Err()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // the cluster may not have replaced a lost master yet
			t.log.Printf("%s: message %d: %v", name, n, err)
		}
		wait(ctx, pace)
	}
}

// show prints the counts.
func (t *tally) show() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range channels {
		t.log.Printf("%s: %d messages", name(i), t.messages[name(i)])
	}
	for addr, n := range t.invalidated {
		t.log.Printf("%s: %d invalidations", addr, n)
	}
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// name returns the name of a channel, and of a key in the same slot.
func name(i int) string { return fmt.Sprintf("%s{%d}", prefix, i) }
