package docs

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// serve is the README's dedicated connection.
func serve(ctx context.Context, addr string, cache *localCache) error {
	p := dispatch.NewProcessor()
	err := p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			if i.FlushAll() {
				cache.Clear()
			}
			for key := range i.Keys() {
				cache.Drop(key) // borrowed: valid until this function returns
			}
			return nil
		}))
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close() // Serve does not
	_, err = io.WriteString(conn, "HELLO 3\r\nCLIENT TRACKING ON BCAST\r\n")
	if err != nil {
		return err
	}
	err = p.Serve(ctx, dispatch.NotificationHandlerContext{Conn: conn}, parser.NewReader(conn), func(reply parser.Frame) error {
		if reply.Type() == parser.TypeSimpleError {
			return errors.New(reply.Value().String())
		}
		return nil // the replies to the two commands, in order
	})
	cache.Clear() // the server tracks no longer, even if err is nil
	return err
}

func TestServeKeepsACacheFresh(t *testing.T) {
	server := redistest.Start(t)
	cache := newLocalCache()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, server.Addr, cache) }()
	cache.awaitDrop(t, server)
	cancel()
	require.ErrorIs(t, receive(t, ended), context.Canceled)
	receive(t, cache.cleared)
}

// withGoRedis is the README's go-redis client.
func withGoRedis(p *dispatch.Processor, addr string) *redis.Client {
	client := redis.NewClient(&redis.Options{
		Addr:                      addr,
		Protocol:                  3,
		PushNotificationProcessor: goredis.NewProcessor(p),
	})
	return client
}

func TestGoRedisHandsItsPushesToTheProcessor(t *testing.T) {
	server := redistest.Start(t)
	p, cache := newCached(t)
	client := withGoRedis(p, server.Addr)
	defer client.Close()
	conn := client.Conn()
	defer conn.Close()
	for _, command := range [][]any{{"CLIENT", "TRACKING", "ON", "BCAST"}, {"SET", "user:1", "ada"}, {"PING"}} {
		require.NoError(t, conn.Process(t.Context(), redis.NewCmd(t.Context(), command...)))
	}
	require.Equal(t, "user:1", receive(t, cache.dropped)) // before the reply to PING
}

// withTap is the README's rueidis client under a tap.
func withTap(p *dispatch.Processor, addr string) (rueidis.Client, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{addr},
		DialCtxFn: func(ctx context.Context, addr string, dialer *net.Dialer, _ *tls.Config) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, "tcp", addr)
			if err != nil {
				return nil, err
			}
			return tap.NewConn(conn, p, tap.Observe()), nil
		},
	})
	return client, err
}

func TestTapObservesTheInvalidationsOfRueidis(t *testing.T) {
	server := redistest.Start(t)
	p, cache := newCached(t)
	client, err := withTap(p, server.Addr)
	require.NoError(t, err)
	defer client.Close()
	err = client.DoCache(t.Context(), client.B().Get().Key("user:1").Cache(), time.Minute).Error()
	require.True(t, rueidis.IsRedisNil(err), err)
	server.Dial(t).Do("SET", "user:1", "ada")
	require.Equal(t, "user:1", receive(t, cache.dropped))
}

// lines is the README's client with its own parser. It returns the replies,
// each of which is a line.
func lines(ctx context.Context, conn net.Conn, p *dispatch.Processor) ([]string, error) {
	var replies []string
	buffered := bufio.NewReader(conn)
	rd := parser.NewReader(buffered) // works in the buffer of buffered
	next := func() error {
		if err := p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{Conn: conn}, rd); err != nil {
			return err // a push was cut short, malformed or over a limit: close the connection
		}
		reply, err := readReply(buffered) // your own
		replies = append(replies, reply)
		return err
	}
	for {
		if err := next(); err != nil {
			return replies, err
		}
	}
}

func readReply(buffered *bufio.Reader) (string, error) {
	line, err := buffered.ReadString('\n')
	return strings.TrimSpace(line), err
}

func TestClientWithItsOwnParserReadsOnlyReplies(t *testing.T) {
	p, cache := newCached(t)
	conn, server := net.Pipe()
	go func() {
		_, _ = io.WriteString(server, "+OK\r\n>2\r\n+invalidate\r\n*1\r\n+user:1\r\n:1\r\n")
		_ = server.Close()
	}()
	replies, err := lines(t.Context(), conn, p)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, []string{"+OK", ":1", ""}, replies)
	require.Equal(t, "user:1", receive(t, cache.dropped))
}

// queued is the README's queue.
func queued(p *dispatch.Processor, cache *localCache) (*dispatch.Queue, error) {
	queue := dispatch.NewQueueFunc(notify.OnInvalidate(cache.Invalidate), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	err := p.Handle(notify.NameInvalidate, queue)
	return queue, err
}

func TestQueueTakesWhatAnOnFunctionReturns(t *testing.T) {
	cache := newLocalCache()
	q := dispatch.NewQueueFunc(notify.OnInvalidate(cache.Invalidate))
	require.NoError(t, q.Close(t.Context()))
}

func TestQueueTakesInvalidationsOffTheReadingGoroutine(t *testing.T) {
	p, cache := dispatch.NewProcessor(), newLocalCache()
	queue, err := queued(p, cache)
	require.NoError(t, err)
	f, _, err := parser.Parse([]byte(">2\r\n+invalidate\r\n*1\r\n+user:1\r\n"))
	require.NoError(t, err)
	require.Equal(t, 1, p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
	require.NoError(t, queue.Close(t.Context()))
	require.Equal(t, "user:1", receive(t, cache.dropped))
}
