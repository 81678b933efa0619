package e2e_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// A subscriber is a program that stays subscribed to sharded channels of a
// cluster. It subscribes again when the server ends a subscription or the
// connection ends.
type subscriber interface {
	// follow stays subscribed until ctx ends. It returns at once, and wg counts
	// the goroutines that it has started.
	follow(ctx context.Context, wg *sync.WaitGroup, channels ...string)
	// journals are those of all receivers of the pushes. Each of them must have
	// all pushes.
	journals() []*journal
	// connections are those that the pushes arrive on.
	connections() *wires
}

// An ownSubscriber reads its connections itself, with Serve. Its channels begin
// on one connection, and separate as their slots do.
type ownSubscriber struct {
	tb    testing.TB
	addrs []string
	p     *dispatch.Processor
	told  journal
	wires wires
}

func newOwnSubscriber(tb testing.TB, addrs []string) *ownSubscriber {
	s := &ownSubscriber{tb: tb, addrs: addrs}
	s.p = newProcessor(tb, dispatch.WithFallback(&s.told))
	handle(tb, s.p, "sunsubscribe", s.unsubscribed)
	return s
}

func (s *ownSubscriber) journals() []*journal { return []*journal{&s.told} }

func (s *ownSubscriber) connections() *wires { return &s.wires }

func (s *ownSubscriber) follow(ctx context.Context, wg *sync.WaitGroup, channels ...string) {
	spawn(wg, func() { s.stay(ctx, wg, s.addrs, channels) })
}

// stay serves channels on the first of the nodes at addrs that can be had, and
// then on others, until ctx ends or none of the channels is left to it.
func (s *ownSubscriber) stay(ctx context.Context, wg *sync.WaitGroup, addrs, channels []string) {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for i := 0; ctx.Err() == nil && len(channels) > 0; i++ {
		conn, err := s.wires.dial(ctx, "tcp", addrs[i%len(addrs)])
		if err == nil {
			channels = s.serve(ctx, wg, conn.(*wire), channels)
			_ = conn.Close() // it has ended, or nothing more is wanted of it
		}
		<-pace.C
	}
}

// serve subscribes on a node and reads until the connection ends. It returns
// the channels that this leaves without one: those that another node has are
// followed to that node.
func (s *ownSubscriber) serve(ctx context.Context, wg *sync.WaitGroup, conn *wire, channels []string) []string {
	commands := redistest.Append(nil, "HELLO", "3")
	for _, channel := range channels {
		commands = redistest.Append(commands, "SSUBSCRIBE", channel)
	}
	_, err := conn.Write(commands)
	if err != nil {
		return channels
	}
	err = s.p.Serve(ctx, dispatch.NotificationHandlerContext{Conn: conn}, parser.NewReader(conn), func(reply parser.Frame) error {
		if reply.Type() != parser.TypeSimpleError {
			return nil
		}
		fields := strings.Fields(reply.Value().String())
		if fields[0] != "MOVED" {
			return errRefused
		}
		channels = except(channels, func(channel string) bool {
			moved := strconv.Itoa(slotOf[tagOf(channel)]) == fields[1]
			if moved {
				spawn(wg, func() { s.stay(ctx, wg, append([]string{fields[2]}, s.addrs...), []string{channel}) })
			}
			return moved
		})
		if len(channels) == 0 {
			return errRefused
		}
		return nil
	})
	if err != nil && err != errRefused && ctx.Err() == nil && !lost(err) {
		s.tb.Error(err)
	}
	return channels
}

// errRefused means that a node has none of the channels that were requested.
var errRefused = errors.New("refused")

// unsubscribed is the handler of sunsubscribe. It asks the node that has given
// up the channel, which then answers who has it.
func (s *ownSubscriber) unsubscribed(ctx context.Context, h dispatch.NotificationHandlerContext, push parser.Frame) error {
	for channel := range push.Args() {
		_, err := h.Conn.(*wire).Write(redistest.Append(nil, "SSUBSCRIBE", channel.String()))
		return errors.Join(err, s.told.HandlePush(ctx, h, push))
	}
	return errors.New("sunsubscribe without a channel")
}

// A goRedisSubscriber has a PubSub of go-redis for each channel. go-redis hands
// an unsolicited sunsubscribe to the program like any confirmation and leaves
// it at that, so that a new PubSub is the program's to open.
type goRedisSubscriber struct {
	tb     testing.TB
	client *redis.ClusterClient
	told   journal
	tapped *journal // of the handlers of a tap under the client, or nil
	wires  wires
}

func newGoRedisSubscriber(tb testing.TB, addrs []string) *goRedisSubscriber {
	s := &goRedisSubscriber{tb: tb}
	s.client = newClusterClient(tb, addrs, s.wires.dial, newProcessor(tb))
	return s
}

// newTappedSubscriber returns one with a tap that observes the connections:
// handlers get what the PubSub gets.
func newTappedSubscriber(tb testing.TB, addrs []string) *goRedisSubscriber {
	s := &goRedisSubscriber{tb: tb, tapped: new(journal)}
	p := newProcessor(tb, dispatch.WithFallback(s.tapped))
	s.client = newClusterClient(tb, addrs, observed(s.wires.dial, p), newProcessor(tb))
	return s
}

func (s *goRedisSubscriber) journals() []*journal {
	if s.tapped == nil {
		return []*journal{&s.told}
	}
	return []*journal{&s.told, s.tapped}
}

func (s *goRedisSubscriber) connections() *wires { return &s.wires }

func (s *goRedisSubscriber) follow(ctx context.Context, wg *sync.WaitGroup, channels ...string) {
	for _, channel := range channels {
		spawn(wg, func() { s.stay(ctx, channel) })
	}
}

// stay opens one PubSub after another until ctx ends.
func (s *goRedisSubscriber) stay(ctx context.Context, channel string) {
	for ctx.Err() == nil {
		ps := s.client.SSubscribe(ctx, channel)
		stop := context.AfterFunc(ctx, func() { _ = ps.Close() })
		addr := s.receive(ps)
		stop()
		_ = ps.Close() // it may be closed already
		s.client.ReloadState(ctx)
		s.awaitMaster(ctx, channel, addr)
	}
}

// receive reads ps until it is closed, or the channel is no longer there, and
// then returns where the server says it is, if it does. That the connection
// breaks is not an end: go-redis makes a new one and subscribes on it.
func (s *goRedisSubscriber) receive(ps *redis.PubSub) (addr string) {
	for {
		msg, err := ps.Receive(context.Background())
		var refusal redis.Error
		switch {
		case errors.Is(err, redis.ErrClosed):
			return ""
		case errors.As(err, &refusal):
			addr, _ = redis.IsMovedError(err)
			return addr
		case err != nil:
			if !lost(err) {
				s.tb.Error(err)
			}
			continue
		}
		s.told.received(msg, "smessage")
		if sub, ok := msg.(*redis.Subscription); ok && sub.Kind == "sunsubscribe" {
			return ""
		}
	}
}

// awaitMaster waits until the client has learnt that the node at addr has the
// channel's slot; any node will do for "".
func (s *goRedisSubscriber) awaitMaster(ctx context.Context, channel, addr string) {
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil && addr != "" {
		node, err := s.client.MasterForKey(ctx, channel)
		if err == nil && node.Options().Addr == addr {
			return
		}
		<-pace.C
	}
}

// except returns the channels for which drop is false.
func except(channels []string, drop func(string) bool) (kept []string) {
	for _, channel := range channels {
		if !drop(channel) {
			kept = append(kept, channel)
		}
	}
	return kept
}
