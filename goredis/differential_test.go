package goredis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// processors make a processor that calls invalidated for every key that the server says has changed.
var processors = map[string]func(t *testing.T, invalidated func(key string)) push.NotificationProcessor{
	"builtin": func(t *testing.T, f func(string)) push.NotificationProcessor {
		return decoding(t, push.NewProcessor(), f)
	},
	"decoding": func(t *testing.T, f func(string)) push.NotificationProcessor {
		return decoding(t, goredis.NewProcessor(nil), f)
	},
	"borrowing": func(t *testing.T, invalidated func(string)) push.NotificationProcessor {
		p := dispatch.NewProcessor()
		require.NoError(t, p.HandleFunc("invalidate", func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			for keys := range push.Args() {
				for key := range keys.All() {
					invalidated(key.String())
				}
			}
			return nil
		}))
		return goredis.NewProcessor(p)
	},
}

// decoding registers a handler as go-redis has them.
func decoding(t *testing.T, p push.NotificationProcessor, invalidated func(key string)) push.NotificationProcessor {
	require.NoError(t, p.RegisterHandler("invalidate", handlerFunc(func(notification []any) error {
		if keys, ok := notification[1].([]any); ok {
			for _, key := range keys {
				invalidated(key.(string))
			}
		}
		return nil
	}), false))
	return p
}

func TestTheSameProgramGivesTheSameResults(t *testing.T) {
	names := []string{"builtin", "decoding", "borrowing"}
	if builtinLosesMessages(t) { // for which the program waits
		t.Log("without go-redis' own processor of this version, which does not come through")
		names = names[1:]
	}
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("tls=", secure), func(t *testing.T) {
			var want *results
			for _, name := range names {
				server := redistest.Start(t, "--notify-keyspace-events", "KEA")
				opt := redis.Options{Addr: server.Addr}
				if secure {
					opt.Addr, opt.TLSConfig = terminateTLS(t, server.Addr)
				}
				got := runProgram(t, opt, processors[name])
				require.Len(t, got.invalidated, trackedKeys, name)
				for i, k := range got.invalidated {
					require.Equal(t, key(i), k, name)
				}
				if want == nil {
					want = got
				}
				got.requireEqual(t, want, name)
			}
		})
	}
}

// builtinLosesMessages reports whether go-redis' own processor drops a message whose name comes in two reads.
func builtinLosesMessages(t *testing.T) bool {
	l := newLink(t, push.NewProcessor(), 0, arriving(message[:10], message[10:]+"+OK\r\n"))
	require.NoError(t, l.process())
	reply, err := l.rd.ReadReply()
	require.NoError(t, err)
	return reply == "OK"
}

// results are what a program has seen.
type results struct {
	invalidated []string // keys, in order
	pipelined   []string
	transaction []string
	messages    []string
	popped      []string
	shared      []string
}

// requireEqual compares two results, and shows where they begin to differ.
func (r *results) requireEqual(t *testing.T, want *results, name string) {
	for part, c := range map[string][2][]string{
		"pipelined": {want.pipelined, r.pipelined}, "transaction": {want.transaction, r.transaction},
		"messages": {want.messages, r.messages}, "popped": {want.popped, r.popped}, "shared": {want.shared, r.shared},
	} {
		require.NotEmpty(t, c[0], "%s, %s", name, part)
		require.Len(t, c[1], len(c[0]), "%s, %s", name, part)
		for i := range c[0] {
			require.Equal(t, c[0][i], c[1][i], "%s, %s %d", name, part, i)
		}
	}
}

// program is one go-redis program, at work.
type program struct {
	t         *testing.T
	opt       redis.Options
	processor func(t *testing.T, invalidated func(key string)) push.NotificationProcessor
	writer    *redis.Client // without tracking
	results   results
}

func runProgram(t *testing.T, opt redis.Options, processor func(*testing.T, func(string)) push.NotificationProcessor) *results {
	p := &program{t: t, opt: opt, processor: processor}
	p.writer = newClient(t, opt, nil)
	p.track()
	p.transact()
	p.subscribe()
	p.block()
	p.share()
	return &p.results
}

// tracking returns a client whose connections are told what has changed.
func (p *program) tracking(poolSize int, invalidated func(key string), args ...any) *redis.Client {
	opt := p.opt
	opt.PoolSize = poolSize
	opt.OnConnect = func(ctx context.Context, conn *redis.Conn) error {
		return conn.Process(ctx, redis.NewCmd(ctx, append([]any{"client", "tracking", "on"}, args...)...))
	}
	return newClient(p.t, opt, p.processor(p.t, invalidated))
}

func key(i int) string { return fmt.Sprintf("user:%011d", i) }

const trackedKeys = 10_000

// track reads that many keys in pipelines of 100, and hears of each that it has changed, while further pipelines run.
func (p *program) track() {
	const batch = 100
	var mu sync.Mutex
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(p.results.invalidated)
	}
	client := p.tracking(1, func(key string) {
		mu.Lock()
		defer mu.Unlock()
		p.results.invalidated = append(p.results.invalidated, key)
	})
	pipeline := func(c *redis.Client, do func(pipe redis.Pipeliner, i int)) func(from int) {
		return func(from int) {
			cmds, err := c.Pipelined(background, func(pipe redis.Pipeliner) error {
				for i := range batch {
					do(pipe, from+i)
				}
				return nil
			})
			require.NoError(p.t, err)
			for _, cmd := range cmds {
				p.results.pipelined = append(p.results.pipelined, cmd.String())
			}
		}
	}
	set := pipeline(p.writer, func(pipe redis.Pipeliner, i int) { pipe.Set(background, key(i), i, 0) })
	get := pipeline(client, func(pipe redis.Pipeliner, i int) { pipe.Get(background, key(i)) })
	incr := pipeline(client, func(pipe redis.Pipeliner, i int) { pipe.Incr(background, "counter") })
	for i := 0; i < trackedKeys; i += batch {
		set(i)
		get(i)
	}
	for i := 0; i < trackedKeys; i += batch {
		set(i)
		incr(i)
	}
	for n := 0; count() < trackedKeys && n < 1000; n++ {
		require.NoError(p.t, client.Ping(background).Err())
	}
}

// transact runs transactions of a connection that hears of its own changes.
func (p *program) transact() {
	changed := new(atomic.Int64)
	client := p.tracking(1, func(string) { changed.Add(1) }, "bcast", "prefix", "tx:")
	record := func(cmds []redis.Cmder, err error) {
		p.results.transaction = append(p.results.transaction, fmt.Sprint(err))
		for _, cmd := range cmds {
			p.results.transaction = append(p.results.transaction, cmd.String())
		}
	}
	run := func(tx func(context.Context, func(redis.Pipeliner) error) ([]redis.Cmder, error), name string) {
		record(tx(background, func(pipe redis.Pipeliner) error {
			for i := range 20 {
				pipe.Set(background, "tx:"+name, i, 0)
				pipe.Incr(background, "tx:"+name)
				pipe.Get(background, "tx:"+name)
			}
			return nil
		}))
	}
	for i := range 20 {
		run(client.TxPipelined, fmt.Sprint(i))
	}
	require.NoError(p.t, client.Watch(background, func(tx *redis.Tx) error {
		run(tx.TxPipelined, "watched")
		return nil
	}, "tx:watched"))
	for n := 0; changed.Load() < 21 && n < 1000; n++ {
		require.NoError(p.t, client.Ping(background).Err())
	}
	p.results.transaction = append(p.results.transaction, fmt.Sprint(changed.Load() >= 21))
}

// subscribe hears messages, and of keyspace events, on a PubSub whose processor is ours as well.
func (p *program) subscribe() {
	client := p.tracking(2, func(string) {})
	sub := client.Subscribe(background, "news")
	defer sub.Close()
	receive := func() any {
		v, err := sub.ReceiveTimeout(background, patience)
		require.NoError(p.t, err)
		return v
	}
	receive()
	require.NoError(p.t, sub.PSubscribe(background, "__keyspace@0__:event*"))
	receive()
	_, err := p.writer.Pipelined(background, func(pipe redis.Pipeliner) error {
		for i := range 500 {
			pipe.Publish(background, "news", strings.Repeat("n", i))
			pipe.Set(background, "event", i, 0)
		}
		return nil
	})
	require.NoError(p.t, err)
	for range 1000 {
		p.results.messages = append(p.results.messages, fmt.Sprint(receive()))
	}
}

// block waits in blocking commands, while pushes arrive.
func (p *program) block() {
	client := p.tracking(4, func(string) {}, "bcast", "prefix", "block:")
	require.NoError(p.t, client.Ping(background).Err())
	for i := range 20 {
		popped := make(chan *redis.StringSliceCmd, 1)
		go func() { popped <- client.BLPop(background, patience, "list") }()
		for client.Ping(background).Err() == nil { // until it is blocked
			if n, err := p.writer.Do(background, "info", "clients").Text(); err == nil && strings.Contains(n, "blocked_clients:1") {
				break
			}
		}
		require.NoError(p.t, p.writer.Set(background, fmt.Sprint("block:", i), i, 0).Err())
		require.NoError(p.t, p.writer.RPush(background, "list", i).Err())
		p.results.popped = append(p.results.popped, (<-popped).String())
	}
	p.results.popped = append(p.results.popped, client.BLPop(background, 10*time.Millisecond, "list").String())
}

// share has 100 goroutines on a pool of 10, whose connections are told of every change there is.
func (p *program) share() {
	var heard atomic.Int64
	client := p.tracking(10, func(string) { heard.Add(1) }, "bcast")
	values := make([]string, 100)
	var wg sync.WaitGroup
	for g := range values {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var errs []error
			for i := range 100 {
				k := fmt.Sprint("shared:", g)
				errs = append(errs, client.Set(background, k, fmt.Sprint(g, i), 0).Err())
				v, err := client.Get(background, k).Result()
				errs = append(errs, err)
				if v != fmt.Sprint(g, i) {
					errs = append(errs, fmt.Errorf("%s is %q", k, v))
				}
			}
			values[g] = fmt.Sprint(errors.Join(errs...))
		}()
	}
	wg.Wait()
	p.results.shared = append(values, fmt.Sprint(heard.Load() > 1000))
	require.Zero(p.t, client.PoolStats().Timeouts)
}
