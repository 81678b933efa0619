package goredis_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"
)

// patience bounds every wait; a test that runs into it fails.
const patience = 30 * time.Second

// await returns the next value of c.
func await[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		require.FailNow(t, "nothing happened")
		panic("unreachable")
	}
}

// spy is a processor that shows the contexts another one is called with.
type spy[R any] struct {
	push.NotificationProcessor
	call func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error
	seen func(push.NotificationHandlerContext)
}

func newSpy[R any](
	call func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error,
	p push.NotificationProcessor, seen func(push.NotificationHandlerContext),
) push.NotificationProcessor {
	return any(&spy[R]{p, call, seen}).(push.NotificationProcessor)
}

func (s *spy[R]) ProcessPendingNotifications(ctx context.Context, handlerCtx push.NotificationHandlerContext, rd R) error {
	s.seen(handlerCtx)
	return s.call(s.NotificationProcessor, ctx, handlerCtx, rd)
}

// enableCache turns client-side caching on, and reports whether go-redis has it.
func enableCache(opt *redis.Options, drainInterval time.Duration) bool {
	field := reflect.ValueOf(opt).Elem().FieldByName("ClientSideCacheConfig")
	if !field.IsValid() {
		return false
	}
	field.Set(reflect.New(field.Type().Elem()))
	field.Elem().FieldByName("DrainInterval").SetInt(int64(drainInterval))
	return true
}

// drainClient returns what go-redis passes for a client while it drains an idle connection.
func drainClient(t *testing.T) any {
	drained := make(chan any, 1)
	conn := new(memoryConn)
	opt := withoutMaintenance(&redis.Options{
		Dialer:   func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		Protocol: 3,
		PoolSize: 1,
	})
	if !enableCache(opt, time.Millisecond) {
		t.Skip("this go-redis has no client-side caching")
	}
	opt.PushNotificationProcessor = newSpy(push.NotificationProcessor.ProcessPendingNotifications, push.NewProcessor(),
		func(handlerCtx push.NotificationHandlerContext) {
			if c := handlerCtx.Client; c != nil && reflect.TypeOf(c).Kind() == reflect.Struct {
				select {
				case drained <- c:
				default:
				}
			}
		})
	client := redis.NewClient(opt)
	defer client.Close()
	require.NoError(t, client.Ping(context.Background()).Err())
	conn.mu.Lock()
	conn.out = append(conn.out, flush...)
	conn.mu.Unlock()
	return await(t, drained)
}

func TestADrainTakesWhatHasArrived(t *testing.T) {
	handlerCtx := push.NotificationHandlerContext{Client: drainClient(t)}
	drain := func(pieces ...any) (j *journal, a *arrivals, l *link, err error) {
		j, a = new(journal), arriving(pieces...)
		l = newLink(t, j.processor(), 128, a)
		return j, a, l, l.call(context.Background(), handlerCtx)
	}

	// No wait behind the last push, whole or not.
	j, a, _, err := drain(flush + invalidate)
	require.NoError(t, err)
	require.Len(t, j.entries, 2)
	require.Zero(t, a.blocked)
	for i := range invalidate {
		j, a, l, err := drain(flush+invalidate[:i], errTimeout, invalidate[i:]+"+OK\r\n")
		require.NoError(t, err, i)
		require.Len(t, j.entries, 1, i)
		require.Zero(t, a.errors, i) // the deadline has not been waited for
		a.goOn()
		j.read(t, l, 1, i)
		require.Equal(t, []string{pushIn(t, flush), pushIn(t, invalidate), "reply OK"}, j.entries, i)
	}

	// A reply stays.
	j, a, l, err := drain(flush + "+OK\r\n")
	require.NoError(t, err)
	require.Zero(t, a.blocked)
	j.read(t, l, 1)
	require.Equal(t, []string{pushIn(t, flush), "reply OK"}, j.entries)

	// Nothing there, or nothing any more.
	_, _, _, err = drain(errTimeout)
	require.NoError(t, err)
	_, _, _, err = drain(io.EOF)
	require.Equal(t, io.EOF, err)
}

func TestADrainWaitsForTheFirstPush(t *testing.T) {
	handlerCtx := push.NotificationHandlerContext{Client: drainClient(t)}
	large := ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(600)
	for _, wire := range []string{invalidate, large} {
		for i := 1; i < len(wire); i++ {
			var j journal
			a := arriving(wire[:i], wire[i:])
			l := newLink(t, j.processor(), 128, a)
			require.NoError(t, l.call(context.Background(), handlerCtx), i)
			require.Equal(t, []string{pushIn(t, wire)}, j.entries, i)
			require.Zero(t, a.blocked, i)
		}
	}
}

// While it drains go-redis gives up a connection for any error, and elsewhere it calls until no push is next.
func TestADrainThatTimesOutInsideAPush(t *testing.T) {
	handlerCtx := push.NotificationHandlerContext{Client: drainClient(t)}
	for i := 1; i < len(invalidate)-1; i++ {
		at := fmt.Sprint("cut at ", i)
		var j journal
		a := arriving(invalidate[:i], errTimeout, invalidate[i:i+1], errTimeout, invalidate[i+1:]+"+OK\r\n")
		p := j.processor()
		l := newLink(t, p, 128, a)
		drain := func() error { return l.call(context.Background(), handlerCtx) }
		require.NoError(t, drain(), at)
		require.Equal(t, i, l.rd.Buffered(), at) // nothing is lost
		require.Equal(t, errTimeout, drain(), at)
		require.Equal(t, i, l.rd.Buffered(), at)
		a.goOn()
		require.NoError(t, drain(), at)
		require.Equal(t, errTimeout, drain(), at)
		require.Empty(t, j.entries, at)
		a.goOn()
		j.read(t, l, 1, at)
		require.Equal(t, []string{pushIn(t, invalidate), "reply OK"}, j.entries, at)
		require.Zero(t, p.Unfinished())
	}

	// Of a large push a part is gone.
	var j journal
	large := ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(600)
	a := arriving(large[:300], errTimeout, large[300:])
	l := newLink(t, j.processor(), 128, a)
	require.Equal(t, errTimeout, l.call(context.Background(), handlerCtx))
	a.goOn()
	require.NoError(t, l.call(context.Background(), handlerCtx))
	require.Equal(t, []string{pushIn(t, large)}, j.entries)
}

// go-redis' TestDrainPushNotifications_IncompleteFrameTimeouts/payload wants an error for half a push, since its own
// processor has taken a part of it by then. This one has taken nothing, so that the connection may go on.
func TestADrainThatTimesOutInsideThePayloadHasTakenNothing(t *testing.T) {
	handlerCtx := push.NotificationHandlerContext{Client: drainClient(t)}
	const half, rest = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nfo", "o\r\n"
	var j journal
	a := arriving(half, errTimeout, rest+"+OK\r\n")
	l := newLink(t, j.processor(), 0, a)
	require.NoError(t, l.call(context.Background(), handlerCtx))
	b, err := l.rd.Peek(len(half))
	require.NoError(t, err)
	require.Equal(t, half, string(b))
	a.goOn()
	j.read(t, l, 1)
	require.Equal(t, []string{pushIn(t, half+rest), "reply OK"}, j.entries)
}
