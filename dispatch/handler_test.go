package dispatch_test

import (
	"context"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

var (
	_ dispatch.Handler             = dispatch.HandlerFunc(nil)
	_ dispatch.NotificationHandler = (*notified)(nil)
)

// notified is a handler as go-redis has them.
type notified struct {
	got  [][]interface{}
	ctx  context.Context
	from dispatch.NotificationHandlerContext
	err  error
}

func (n *notified) HandlePushNotification(ctx context.Context, from dispatch.NotificationHandlerContext, notification []interface{}) error {
	n.got, n.ctx, n.from = append(n.got, notification), ctx, from
	return n.err
}

// registrar is what go-redis' processor and registry have in common.
type registrar interface {
	GetHandler(pushNotificationName string) dispatch.NotificationHandler
	RegisterHandler(pushNotificationName string, handler dispatch.NotificationHandler, protected bool) error
	UnregisterHandler(pushNotificationName string) error
}

func eachRegistrar(t *testing.T, test func(t *testing.T, r registrar)) {
	t.Run("Processor", func(t *testing.T) { test(t, dispatch.NewProcessor()) })
	t.Run("zero Processor", func(t *testing.T) { test(t, new(dispatch.Processor)) })
	t.Run("Overlay", func(t *testing.T) { test(t, dispatch.NewProcessor().Overlay()) })
	t.Run("Registry", func(t *testing.T) { test(t, dispatch.NewRegistry()) })
	t.Run("zero Registry", func(t *testing.T) { test(t, new(dispatch.Registry)) })
}

func TestRegisteredHandlerIsHadUntilUnregistered(t *testing.T) {
	eachRegistrar(t, func(t *testing.T, r registrar) {
		require.Nil(t, r.GetHandler("a"))
		require.NoError(t, r.UnregisterHandler("a"), "an unknown name is nothing to unregister")
		one, two := new(notified), new(notified)
		require.NoError(t, r.RegisterHandler("a", one, false))
		require.NoError(t, r.RegisterHandler("b", two, false))
		require.Same(t, one, r.GetHandler("a"))
		require.Same(t, two, r.GetHandler("b"))
		require.Nil(t, r.GetHandler("A"))
		require.Nil(t, r.GetHandler(""))

		require.NoError(t, r.UnregisterHandler("a"))
		require.Nil(t, r.GetHandler("a"))
		require.Same(t, two, r.GetHandler("b"))
		require.NoError(t, r.UnregisterHandler("a"))
		require.NoError(t, r.RegisterHandler("a", two, false))
		require.Same(t, two, r.GetHandler("a"), "one handler may have several names")
	})
}

func TestTakenNameIsNotOverwritten(t *testing.T) {
	eachRegistrar(t, func(t *testing.T, r registrar) {
		one := new(notified)
		require.NoError(t, r.RegisterHandler("a", one, false))
		for _, again := range []*notified{one, new(notified)} {
			err := r.RegisterHandler("a", again, true)
			require.True(t, dispatch.IsHandlerExistsError(err))
			require.EqualError(t, err, "handler register failed for 'a': cannot overwrite existing handler")
		}
		require.Same(t, one, r.GetHandler("a"))
		require.NoError(t, r.UnregisterHandler("a"), "a refused registration protects nothing")
	})
}

func TestProtectedHandlerStaysRegistered(t *testing.T) {
	eachRegistrar(t, func(t *testing.T, r registrar) {
		one := new(notified)
		require.NoError(t, r.RegisterHandler("a", one, true))
		for range 2 {
			err := r.UnregisterHandler("a")
			require.True(t, dispatch.IsProtectedHandlerError(err))
			require.EqualError(t, err, "handler unregister failed for 'a': handler is protected")
		}
		require.True(t, dispatch.IsHandlerExistsError(r.RegisterHandler("a", new(notified), false)))
		require.Same(t, one, r.GetHandler("a"))
	})
}

func TestNilHandlerIsRefusedEverywhere(t *testing.T) {
	eachRegistrar(t, func(t *testing.T, r registrar) {
		for _, protected := range []bool{false, true} {
			err := r.RegisterHandler("a", nil, protected)
			require.True(t, dispatch.IsHandlerNilError(err))
			require.Equal(t, dispatch.ErrHandlerNil, err)
		}
		require.Nil(t, r.GetHandler("a"))
		require.NoError(t, r.RegisterHandler("a", new(notified), false))
		require.ErrorIs(t, r.RegisterHandler("a", nil, false), dispatch.ErrHandlerNil, "nil comes before taken")
	})
	p := dispatch.NewProcessor()
	require.ErrorIs(t, p.Handle("a", nil), dispatch.ErrHandlerNil)
	require.ErrorIs(t, p.Handle("a", nil, dispatch.Protected()), dispatch.ErrHandlerNil)
	require.ErrorIs(t, p.HandleFunc("a", nil), dispatch.ErrHandlerNil)
	require.NoError(t, p.Handle("a", new(record)))
}

func TestHandleAndRegisterHandlerShareTheNames(t *testing.T) {
	ignore := func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil }
	p := dispatch.NewProcessor()
	require.NoError(t, p.Handle("handled", new(record)))
	require.NoError(t, p.HandleFunc("function", ignore))
	require.NoError(t, p.RegisterHandler("registered", new(notified), false))
	for _, name := range []string{"handled", "function", "registered"} {
		require.True(t, dispatch.IsHandlerExistsError(p.Handle(name, new(record))), name)
		require.True(t, dispatch.IsHandlerExistsError(p.HandleFunc(name, ignore)), name)
		require.True(t, dispatch.IsHandlerExistsError(p.RegisterHandler(name, new(notified), false)), name)
	}
	for _, name := range []string{"handled", "function", "registered"} {
		require.NoError(t, p.UnregisterHandler(name))
		require.NoError(t, p.RegisterHandler(name, new(notified), false), "the name is free again")
	}
}

func TestHandlersOfHandleAreNoNotificationHandlers(t *testing.T) {
	p := dispatch.NewProcessor()
	require.NoError(t, p.Handle("handled", new(record)))
	require.NoError(t, p.HandleFunc("function",
		func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil }))
	for _, name := range []string{"handled", "function", "unknown"} {
		h := p.GetHandler(name)
		require.True(t, h == nil, "%s: a nil interface, not an interface that holds nil", name)
	}
}

func TestProtectedOptionIsThatOfRegisterHandler(t *testing.T) {
	p := dispatch.NewProcessor()
	require.NoError(t, p.Handle("a", new(record), dispatch.Protected()))
	require.True(t, dispatch.IsProtectedHandlerError(p.UnregisterHandler("a")))
	require.NoError(t, p.HandleFunc("b",
		func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil }, dispatch.Protected()))
	require.True(t, dispatch.IsProtectedHandlerError(p.UnregisterHandler("b")))
	require.NoError(t, p.Handle("c", new(record)))
	require.NoError(t, p.UnregisterHandler("c"))
}

func TestVoidProcessorRefusesHandlers(t *testing.T) {
	for _, v := range []*dispatch.VoidProcessor{dispatch.NewVoidProcessor(), {}} {
		require.True(t, v.GetHandler("a") == nil)
		for _, handler := range []dispatch.NotificationHandler{nil, new(notified)} {
			err := v.RegisterHandler("a", handler, true)
			require.True(t, dispatch.IsVoidProcessorError(err))
			require.EqualError(t, err, "void_processor register failed for 'a': push notifications are disabled")
		}
		require.True(t, v.GetHandler("a") == nil)
		err := v.UnregisterHandler("a")
		require.True(t, dispatch.IsVoidProcessorError(err))
		require.EqualError(t, err, "void_processor unregister failed for 'a': push notifications are disabled")
	}
}

func TestNilReaderIsNothingToDo(t *testing.T) {
	from := dispatch.NotificationHandlerContext{}
	p := dispatch.NewProcessor()
	require.NoError(t, p.ProcessPendingNotifications(t.Context(), from, nil))
	require.NoError(t, dispatch.NewVoidProcessor().ProcessPendingNotifications(t.Context(), from, nil))
	n, err := p.ProcessBuffered(t.Context(), from, nil)
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestHandlerFuncCallsItself(t *testing.T) {
	f, _, err := parser.Parse([]byte(push("a")))
	require.NoError(t, err)
	from := dispatch.NotificationHandlerContext{Client: "client"}
	var h dispatch.HandlerFunc = func(ctx context.Context, got dispatch.NotificationHandlerContext, push parser.Frame) error {
		require.Equal(t, t.Context(), ctx)
		require.Equal(t, from, got)
		require.Equal(t, f, push)
		return errHandler
	}
	require.Equal(t, errHandler, h.HandlePush(t.Context(), from, f))
}

func TestHandlersGetTheCallersContexts(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "caller's")
	from := dispatch.NotificationHandlerContext{Client: "client", ConnPool: "pool", PubSub: "pubsub", Conn: "conn", IsBlocking: true}
	var gotCtx context.Context
	var gotFrom dispatch.NotificationHandlerContext
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("frame",
		func(ctx context.Context, from dispatch.NotificationHandlerContext, _ parser.Frame) error {
			gotCtx, gotFrom = ctx, from
			return nil
		}))
	owned := new(notified)
	require.NoError(t, p.RegisterHandler("owned", owned, false))

	c := ownBuffer()(t, push("frame")+push("owned", "x")+pong)
	require.NoError(t, p.ProcessPendingNotifications(ctx, from, c.rd))
	require.Equal(t, ctx, gotCtx)
	require.Equal(t, from, gotFrom)
	require.Equal(t, ctx, owned.ctx)
	require.Equal(t, from, owned.from)
	require.Equal(t, [][]interface{}{{"owned", "x"}}, owned.got)
}

// A decoded push is the handler's own: the frames behind it do not show in it.
func TestNotificationMayBeKept(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p := dispatch.NewProcessor()
		owned := new(notified)
		require.NoError(t, p.RegisterHandler("a", owned, false))
		c := connect(t, push("a", "first")+push("a", "second")+pong, push("a", "third")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, [][]interface{}{{"a", "first"}, {"a", "second"}, {"a", "third"}}, owned.got)
	})
}
