package dispatch_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// journal is what handlers were called with, in order.
type journal struct{ entries []string }

// shared returns a handler of borrowed frames that writes into the journal.
func (j *journal) shared(f parser.Frame) error {
	j.entries = append(j.entries, "shared "+f.Value().String())
	return nil
}

// own returns a go-redis style handler that writes into the journal as whose.
func (j *journal) own(whose string) dispatch.NotificationHandler {
	return handler(func(notification []any) error {
		j.entries = append(j.entries, whose+" "+notification[1].(string))
		return nil
	})
}

// handler is a function as a go-redis style handler.
type handler func(notification []any) error

func (h handler) HandlePushNotification(_ context.Context, _ dispatch.NotificationHandlerContext, notification []interface{}) error {
	return h(notification)
}

// overlaid handles what has been received through an Overlay.
func (c *client) overlaid(t *testing.T, o *dispatch.Overlay) int {
	t.Helper()
	require.NoError(t, c.rd.Driver().Fill())
	n, err := o.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, c.rd)
	require.NoError(t, err)
	return n
}

func TestEachOverlayHasItsOwnHandlersOverSharedNames(t *testing.T) {
	var j journal
	p, others, failed := recording()
	handle(t, p, "both", j.shared)
	handle(t, p, "shared", j.shared)
	one, two, none := p.Overlay(), p.Overlay(), p.Overlay()
	for _, name := range []string{"both", "own"} {
		require.NoError(t, one.RegisterHandler(name, j.own("one"), true))
		require.NoError(t, two.RegisterHandler(name, j.own("two"), false))
	}
	require.Nil(t, one.GetHandler("shared"))
	require.NoError(t, two.UnregisterHandler("shared"), "it is not the Overlay's")
	wire := push("both", "1") + push("both", "2") + push("shared", "3") + push("own", "4") + push("own", "5") + push("nobody", "6")
	for _, c := range []struct {
		o    *dispatch.Overlay
		want []string
		left []string
	}{
		{one, []string{`shared ["both" "1"]`, "one 1", `shared ["both" "2"]`, "one 2", `shared ["shared" "3"]`, "one 4", "one 5"},
			[]string{push("nobody", "6")}},
		{two, []string{`shared ["both" "1"]`, "two 1", `shared ["both" "2"]`, "two 2", `shared ["shared" "3"]`, "two 4", "two 5"},
			[]string{push("nobody", "6")}},
		{none, []string{`shared ["both" "1"]`, `shared ["both" "2"]`, `shared ["shared" "3"]`},
			[]string{push("own", "4"), push("own", "5"), push("nobody", "6")}},
	} {
		j.entries, others.pushes = nil, nil
		require.Equal(t, 6, ownBuffer()(t, wire).overlaid(t, c.o))
		require.Equal(t, c.want, j.entries)
		require.Equal(t, c.left, others.pushes)
	}
	require.EqualValues(t, 18, p.Stats().Pushes)
	require.EqualValues(t, 3*len(wire), p.Stats().Bytes)
	require.Empty(t, *failed)

	require.True(t, dispatch.IsProtectedHandlerError(one.UnregisterHandler("own")))
	require.NoError(t, two.UnregisterHandler("own"))
	require.Nil(t, two.GetHandler("own"))
	require.NotNil(t, one.GetHandler("own"))
}

func TestOverlayGetsAPushWhoseSharedHandlerFails(t *testing.T) {
	failure := errors.New("failure")
	for name, fail := range map[string]func() error{
		"error": func() error { return failure },
		"panic": func() error { panic(failure) },
	} {
		t.Run(name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				var j journal
				p, _, failed := recording()
				handle(t, p, "a", func(parser.Frame) error { return fail() })
				o := p.Overlay()
				c := connect(t, push("a", "1")+push("a", "2")+push("b", "3")+pong)
				require.NoError(t, o.RegisterHandler("a", handler(func(notification []any) error {
					_, err := c.rd.Next()
					require.Equal(t, parser.ErrReentrant, err)
					return j.own("own").HandlePushNotification(context.Background(), dispatch.NotificationHandlerContext{}, notification)
				}), false))
				for len(j.entries) < 2 {
					c.overlaid(t, o)
				}
				require.Equal(t, []string{"own 1", "own 2"}, j.entries)
				require.Len(t, *failed, 2)
				require.ErrorIs(t, (*failed)[0].err, failure)
				require.Equal(t, pong, c.reply(t, p))
			})
		})
	}
}

func TestOverlayGetsThePushThatTheSharedHandlerHasReadPast(t *testing.T) {
	var j journal
	p, _, failed := recording()
	reply := bulk(strings.Repeat("r", 100))
	c := inPlace(64)(t, push("a", "1"), reply) // what the handler reads fills the buffer again
	handle(t, p, "a", func(parser.Frame) error {
		wire, err := readFrame(c.own)
		require.Equal(t, reply, wire)
		return err
	})
	o := p.Overlay()
	require.NoError(t, o.RegisterHandler("a", j.own("own"), false))
	require.Equal(t, 1, c.overlaid(t, o))
	require.Equal(t, []string{"own 1"}, j.entries)
	require.Empty(t, *failed)
}

func TestOverlayLeavesThePushesOfPublishAndSubscribe(t *testing.T) {
	for _, opts := range [][]dispatch.Option{nil, {dispatch.WithPubSub()}} {
		for _, name := range pubSubNames {
			p, others, _ := recording(opts...)
			c := ownBuffer()(t, push("a", "1")+push(name, "x", "y"))
			require.Equal(t, 1, c.overlaid(t, p.Overlay()), name)
			wire, err := c.next()
			require.NoError(t, err)
			require.Equal(t, push(name, "x", "y"), wire)
			require.Equal(t, []string{push("a", "1")}, others.pushes)
		}
	}
}

func TestOverlayGoesWithItsClient(t *testing.T) {
	p := dispatch.NewProcessor()
	gone := make(chan struct{})
	func() {
		o := p.Overlay()
		h := new(notified)
		require.NoError(t, o.RegisterHandler("a", h, true))
		runtime.AddCleanup(h, func(int) { close(gone) }, 0)
	}()
	for {
		runtime.GC()
		select {
		case <-gone:
			return
		default:
			runtime.Gosched()
		}
	}
}
