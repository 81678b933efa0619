package goredis_test

import (
	"context"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"
)

// goRedisReader is what these tests use of go-redis' internal reader.
type goRedisReader interface {
	Buffered() int
	Discard(line []byte) error
	Peek(n int) ([]byte, error)
	ReadLine() ([]byte, error)
	ReadReply() (interface{}, error)
	Reset(rd io.Reader)
}

// link is a connection of go-redis in the hands of a test: its reader, and a processor for it.
type link struct {
	rd     goRedisReader
	proc   push.NotificationProcessor
	pubSub bool // the connection is that of a PubSub
	conn   any  // go-redis' connection, as far as there is one
	call   func(ctx context.Context, handlerCtx push.NotificationHandlerContext) error
}

// newLink returns a link whose reader has a buffer of size bytes, or as few as go-redis allows, and reads from rd.
func newLink(tb testing.TB, proc push.NotificationProcessor, size int, rd io.Reader) *link {
	tb.Helper()
	return newTypedLink(push.NotificationProcessor.ProcessPendingNotifications, tb, proc, size, rd)
}

func newTypedLink[R goRedisReader](
	method func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error,
	tb testing.TB, proc push.NotificationProcessor, size int, from io.Reader,
) *link {
	tb.Helper()
	c := &capture[R]{NotificationProcessor: push.NewProcessor()}
	client := newMemoryClient(new(memoryConn), size, any(c).(push.NotificationProcessor))
	require.NoError(tb, client.Ping(context.Background()).Err())
	require.NoError(tb, client.Close())
	rd := c.rd
	rd.Reset(from)
	return &link{rd: rd, proc: proc, call: func(ctx context.Context, handlerCtx push.NotificationHandlerContext) error {
		return method(proc, ctx, handlerCtx, rd)
	}}
}

// newReaders returns a function that makes readers of go-redis, with the least buffer.
func newReaders(tb testing.TB) func(from io.Reader) goRedisReader {
	return func(from io.Reader) goRedisReader { return newLink(tb, nil, 128, from).rd }
}

// newMemoryClient returns a client with one connection, conn.
func newMemoryClient(conn net.Conn, size int, proc push.NotificationProcessor) *redis.Client {
	return redis.NewClient(withoutMaintenance(&redis.Options{
		Dialer:                    func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		Protocol:                  3,
		MaxRetries:                -1,
		PoolSize:                  1,
		ReadBufferSize:            size,
		PushNotificationProcessor: proc,
	}))
}

// withoutMaintenance turns maintenance notifications off, where go-redis has them.
func withoutMaintenance(opt *redis.Options) *redis.Options {
	setMaintenance(opt, "disabled")
	return opt
}

// setMaintenance sets the mode of maintenance notifications, and reports whether go-redis has them. The option has had
// another name in the first of the versions that these tests are for.
func setMaintenance(opt *redis.Options, mode string) bool {
	for _, name := range []string{"MaintNotificationsConfig", "HitlessUpgradeConfig"} {
		if field := reflect.ValueOf(opt).Elem().FieldByName(name); field.IsValid() {
			field.Set(reflect.New(field.Type().Elem()))
			field.Elem().FieldByName("Mode").SetString(mode)
			return true
		}
	}
	return false
}

// process is what go-redis does before it reads a reply.
func (l *link) process() error {
	if l.pubSub {
		return l.processPubSub()
	}
	if l.conn != nil {
		return l.call(context.Background(), push.NotificationHandlerContext{Conn: l.conn})
	}
	return l.call(context.Background(), push.NotificationHandlerContext{})
}

// processPubSub is what a PubSub does before it reads a message.
func (l *link) processPubSub() error {
	return l.call(context.Background(), push.NotificationHandlerContext{PubSub: l, Conn: l.conn, IsBlocking: true})
}

// capture is a processor that gets hold of the reader of a connection.
type capture[R any] struct {
	push.NotificationProcessor
	rd R
}

func (c *capture[R]) ProcessPendingNotifications(_ context.Context, _ push.NotificationHandlerContext, rd R) error {
	c.rd = rd
	return nil
}

// memoryConn is a connection to a server that answers everything politely, at once, and in memory.
type memoryConn struct {
	mu     sync.Mutex
	out    []byte
	answer []byte // to every further write, if not nil
}

func (c *memoryConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, c.out)
	c.out = c.out[n:]
	return n, nil
}

// Write answers the commands in b, which are whole, as those of these tests are.
func (c *memoryConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer != nil {
		c.out = c.answer
		return len(b), nil
	}
	for _, line := range strings.Split(strings.ToLower(string(b)), "\r\n") {
		switch line {
		case "hello":
			c.out = append(c.out, "%1\r\n$5\r\nproto\r\n:3\r\n"...)
		case "ping", "client":
			c.out = append(c.out, "+PONG\r\n"...)
		}
	}
	return len(b), nil
}

func (c *memoryConn) Close() error                     { return nil }
func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

// arrivals is what arrives on a connection, read by read: strings, and errors, which stay until the test lets the
// connection go on. When there is nothing left it counts a read that would have blocked for ever.
type arrivals struct {
	pieces  []any
	errors  int // returned
	blocked int
}

func arriving(pieces ...any) *arrivals { return &arrivals{pieces: pieces} }

// errBlocked stands for a read that would not have come back.
const errBlocked = testError("nothing more arrives")

func (a *arrivals) Read(b []byte) (int, error) {
	a.skipEmpty()
	if len(a.pieces) == 0 {
		a.blocked++
		return 0, errBlocked
	}
	switch p := a.pieces[0].(type) {
	case error:
		a.errors++
		return 0, p
	default:
		n := copy(b, p.(string))
		a.pieces[0] = p.(string)[n:]
		return n, nil
	}
}

// stopped returns the error that the connection is stopped at, or nil.
func (a *arrivals) stopped() error {
	a.skipEmpty()
	if len(a.pieces) == 0 {
		return nil
	}
	err, _ := a.pieces[0].(error)
	return err
}

// goOn ends the error that the connection is stopped at, if it is at one.
func (a *arrivals) goOn() {
	if a.stopped() != nil {
		a.pieces = a.pieces[1:]
	}
}

func (a *arrivals) skipEmpty() {
	for len(a.pieces) > 0 && a.pieces[0] == "" {
		a.pieces = a.pieces[1:]
	}
}

// cut returns s in pieces of n bytes.
func cut(s string, n int) (pieces []any) {
	for ; len(s) > n; s = s[n:] {
		pieces = append(pieces, s[:n])
	}
	return append(pieces, s)
}

type testError string

func (e testError) Error() string { return string(e) }

// errTimeout is what a read returns that a deadline has ended.
const errTimeout = timeoutError("deadline")

type timeoutError string

func (e timeoutError) Error() string { return string(e) }
func (timeoutError) Timeout() bool   { return true }
