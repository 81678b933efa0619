package e2e_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed79615202/respush/goredis"
)

// A goRedisTalker is a go-redis client with one connection for commands and one
// for a PubSub, and no second try of what fails. The PubSub does try again,
// until finish.
type goRedisTalker struct {
	tb        testing.TB
	client    *redis.Client
	ps        *redis.PubSub
	receiving sync.WaitGroup
	told      journal // of what the PubSub returned
	wires     wires
}

func newGoRedisTalker(tb testing.TB, addr string) (talker, error) {
	p := newTellingProcessor(tb)
	g := &goRedisTalker{tb: tb}
	ctx := context.Background()
	g.client = redis.NewClient(&redis.Options{
		Addr:                      addr,
		Protocol:                  3,
		PushNotificationProcessor: goredis.NewProcessor(p),
		Dialer:                    g.wires.dial,
		DialerRetries:             1,
		MaxRetries:                -1,
		PoolSize:                  1,
		OnConnect: func(ctx context.Context, conn *redis.Conn) error {
			return conn.Process(ctx, command(ctx, setUp))
		},
	})
	g.ps = g.client.Subscribe(ctx)
	err := g.ps.Subscribe(ctx, "news") // after an error there is no subscription, whatever go-redis connects to
	if err == nil {
		var msg any
		if msg, err = g.ps.Receive(ctx); err == nil {
			g.told.received(msg, "message")
		}
	}
	spawn(&g.receiving, g.receive)
	return g, err
}

func (g *goRedisTalker) connections() *wires { return &g.wires }

func (g *goRedisTalker) returned() *journal { return &g.told }

func (g *goRedisTalker) do(steps []step) (replies []any, err error) {
	ctx := context.Background()
	commands, err := g.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, step := range steps {
			if err := pipe.Process(ctx, command(ctx, step.args)); err != nil {
				return err
			}
		}
		return nil
	})
	for _, cmd := range commands {
		reply, err := cmd.(*redis.Cmd).Result()
		var refusal redis.Error
		switch {
		case errors.As(err, &refusal):
			reply = refusal
		case err != nil:
			return replies, err
		}
		replies = append(replies, reply)
	}
	if len(replies) < len(steps) {
		return replies, err
	}
	return replies, nil
}

func (g *goRedisTalker) finish() {
	_ = g.ps.Close() // of a connection that may have broken
	g.receiving.Wait()
	_ = g.client.Close()
}

// receive keeps what the PubSub returns until that is closed.
func (g *goRedisTalker) receive() {
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for {
		msg, err := g.ps.Receive(context.Background())
		switch {
		case errors.Is(err, redis.ErrClosed):
			return
		case err != nil:
			if !lost(err) {
				g.tb.Error(err)
			}
			<-pace.C
		default:
			g.told.received(msg, "message")
		}
	}
}

// command returns a command of go-redis.
func command(ctx context.Context, args []string) *redis.Cmd {
	list := make([]any, len(args))
	for i, arg := range args {
		list[i] = arg
	}
	return redis.NewCmd(ctx, list...)
}
