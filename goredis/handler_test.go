package goredis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/parser"
)

// handlerFunc is a function as a handler of go-redis.
type handlerFunc func(notification []any) error

func (f handlerFunc) HandlePushNotification(_ context.Context, _ push.NotificationHandlerContext, notification []interface{}) error {
	return f(notification)
}

// contextHandler keeps the context that it is called with, and what is pushed.
type contextHandler struct {
	handlerCtx   push.NotificationHandlerContext
	notification []interface{}
}

func (h *contextHandler) HandlePushNotification(_ context.Context, handlerCtx push.NotificationHandlerContext, notification []interface{}) error {
	h.handlerCtx, h.notification = handlerCtx, notification
	return nil
}

func TestWhatIsRegisteredLivesInTheProcessorOfItsClient(t *testing.T) {
	p := dispatch.NewProcessor()
	r, other := goredis.NewProcessor(p), goredis.NewProcessor(p)
	builtin := push.NewProcessor()
	h := new(contextHandler)
	borrowed := func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil }

	require.NoError(t, r.RegisterHandler("MOVING", h, true))
	require.Same(t, h, r.GetHandler("MOVING"))
	require.Nil(t, other.GetHandler("MOVING"))
	require.Nil(t, p.GetHandler("MOVING"))
	require.NoError(t, other.UnregisterHandler("MOVING"), "not registered there")
	require.NoError(t, other.RegisterHandler("MOVING", h, false))
	require.NoError(t, p.HandleFunc("MOVING", borrowed))

	require.NoError(t, p.HandleFunc("invalidate", borrowed, dispatch.Protected()))
	require.Nil(t, r.GetHandler("invalidate"))
	require.NoError(t, r.RegisterHandler("invalidate", h, false))
	require.NoError(t, r.UnregisterHandler("invalidate"))
	require.True(t, dispatch.IsHandlerExistsError(p.HandleFunc("invalidate", borrowed)))

	require.Nil(t, r.GetHandler("unknown"))
	require.NoError(t, r.UnregisterHandler("unknown"))

	// go-redis' errors, in its types and words.
	require.NoError(t, builtin.RegisterHandler("MOVING", h, true))
	for _, do := range []func(p push.NotificationProcessor) error{
		func(p push.NotificationProcessor) error { return p.RegisterHandler("MOVING", h, false) },
		func(p push.NotificationProcessor) error { return p.RegisterHandler("x", nil, false) },
		func(p push.NotificationProcessor) error { return p.UnregisterHandler("MOVING") },
	} {
		want := do(builtin)
		require.Error(t, want)
		require.Equal(t, want, do(r))
	}
}

func TestAHandlerOfTheSharedProcessorComesFirst(t *testing.T) {
	for name, register := range map[string]func(p *dispatch.Processor, j *journal) error{
		"borrowed": func(p *dispatch.Processor, j *journal) error { return p.HandleFunc("invalidate", j.handle) },
		"decoded": func(p *dispatch.Processor, j *journal) error {
			return p.RegisterHandler("invalidate", ownedHandler(func(notification []any) error {
				j.add(fmt.Sprint("push ", notification))
				return nil
			}), false)
		},
		"panicking": func(p *dispatch.Processor, j *journal) error {
			return p.HandleFunc("invalidate", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
				j.add("push")
				panic("panic")
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var j journal
			p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(context.Context, []byte, error) {}))
			require.NoError(t, register(p, &j))
			r := goredis.NewProcessor(p)
			require.NoError(t, r.RegisterHandler("invalidate", handlerFunc(func(notification []any) error {
				j.add(fmt.Sprint("own ", notification))
				return nil
			}), true))
			j.read(t, newLink(t, r, 128, arriving(invalidate+flush+"+OK\r\n")), 1)
			require.Len(t, j.entries, 5)
			require.Regexp(t, "^push", j.entries[0])
			require.Equal(t, "own [invalidate [user:00000000042]]", j.entries[1])
			require.Regexp(t, "^push", j.entries[2])
			require.Equal(t, []string{"own [invalidate <nil>]", "reply OK"}, j.entries[3:])
		})
	}
}

// ownedHandler is a function as a handler of package dispatch.
type ownedHandler func(notification []any) error

func (h ownedHandler) HandlePushNotification(_ context.Context, _ dispatch.NotificationHandlerContext, notification []interface{}) error {
	return h(notification)
}

func TestHandlersGetTheContextAndTheSameValues(t *testing.T) {
	handlerCtx := push.NotificationHandlerContext{Client: 1, ConnPool: 2, PubSub: 3, Conn: 4, IsBlocking: true}
	const wire = ">9\r\n$4\r\nname\r\n:1\r\n,1.5\r\n#t\r\n_\r\n$-1\r\n*2\r\n+a\r\n$1\r\nb\r\n%1\r\n+k\r\n:2\r\n(12345678901234567890\r\n+OK\r\n"
	var ours, builtin contextHandler
	for _, c := range []struct {
		p push.NotificationProcessor
		h *contextHandler
	}{{goredis.NewProcessor(nil), &ours}, {push.NewProcessor(), &builtin}} {
		require.NoError(t, c.p.RegisterHandler("name", c.h, false))
		l := newLink(t, c.p, 0, arriving(wire))
		require.NoError(t, l.call(context.Background(), handlerCtx))
		require.Equal(t, handlerCtx, c.h.handlerCtx)
		reply, err := l.rd.ReadReply()
		require.NoError(t, err)
		require.Equal(t, "OK", reply)
	}
	require.Equal(t, builtin.notification, ours.notification)
}

func TestErrorsAndPanicsOfHandlers(t *testing.T) {
	var errs []error
	p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		require.Equal(t, "invalidate", string(name))
		errs = append(errs, err)
	}))
	r := goredis.NewProcessor(p)
	calls := 0
	failure := errors.New("failure")
	require.NoError(t, r.RegisterHandler("invalidate", handlerFunc(func([]any) error {
		if calls++; calls == 2 {
			panic("panic")
		}
		return failure
	}), false))
	var j journal
	l := newLink(t, r, 128, arriving(flush+flush+flush+"+OK\r\n"))
	j.read(t, l, 1)
	require.Equal(t, []string{"reply OK"}, j.entries)
	require.Equal(t, 3, calls)
	require.Len(t, errs, 3)
	require.Equal(t, failure, errs[0])
	require.ErrorAs(t, errs[1], new(*dispatch.PanicError))
}

func TestANilReader(t *testing.T) {
	require.NoError(t, callWithNil(push.NotificationProcessor.ProcessPendingNotifications, goredis.NewProcessor(nil)))
}

func callWithNil[R any](
	method func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error, p push.NotificationProcessor,
) error {
	var none R
	return method(p, context.Background(), push.NotificationHandlerContext{}, none)
}

// What the package looks at in a handler context is there, on the way to a reply.
func TestWhatGoRedisPasses(t *testing.T) {
	conn := new(memoryConn)
	calls := 0
	client := newMemoryClient(conn, 0, newSpy(push.NotificationProcessor.ProcessPendingNotifications, goredis.NewProcessor(nil),
		func(handlerCtx push.NotificationHandlerContext) {
			calls++
			require.Equal(t, reflect.Pointer, reflect.TypeOf(handlerCtx.Client).Kind())
			require.Same(t, conn, handlerCtx.Conn.(interface{ GetNetConn() net.Conn }).GetNetConn())
		}))
	defer client.Close()
	require.NoError(t, client.Ping(context.Background()).Err())
	_, err := client.TxPipelined(context.Background(), func(pipe redis.Pipeliner) error { return pipe.Ping(context.Background()).Err() })
	require.Error(t, err) // the server knows no transactions
	require.Positive(t, calls)
}
