//go:build respushdebug

package dispatch_test

import (
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// kept holds what a handler may try to retain of a push.
type kept struct {
	frame, clone parser.Frame
	name, arg    []byte
	owned        string
}

func (k *kept) keep(f parser.Frame) error {
	k.frame, k.clone, k.name = f, f.Clone(), f.Name()
	for v := range f.Args() {
		k.arg, k.owned = v.Bytes(), v.String()
		break
	}
	return nil
}

// shows checks that what was borrowed is overwritten and what was copied is not.
func (k *kept) shows(t *testing.T, wire, name, arg string) {
	t.Helper()
	overwritten := func(n int) string { return strings.Repeat("!", n) }
	require.Equal(t, overwritten(len(wire)), string(k.frame.Raw()))
	require.Equal(t, overwritten(len(name)), string(k.name))
	require.Equal(t, overwritten(len(arg)), string(k.arg))
	require.Equal(t, wire, string(k.clone.Raw()))
	require.Equal(t, arg, k.owned)
}

func TestKeptBytesAreOverwrittenWhenTheHandlerReturns(t *testing.T) {
	wire := push("a", "some value")
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, failed := recording()
		var k kept
		handle(t, p, "a", k.keep)
		handle(t, p, "check", func(parser.Frame) error {
			k.shows(t, wire, "a", "some value") // although nothing has been read since
			return nil
		})
		c := connect(t, wire+push("check")+push("b", "another value")+pong)
		require.Equal(t, pong, c.reply(t, p))
		k.shows(t, wire, "a", "some value")
		require.Equal(t, []string{push("b", "another value")}, others.pushes, "the stream is not touched")
		require.Empty(t, *failed)
	})
}

func TestReplyAroundANestedPushIsIntact(t *testing.T) {
	inner := push("a", "some value")
	wire := "*2\r\n+OK\r\n" + inner + bulk("v")
	f, _, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	var k kept
	p, _, failed := recording()
	handle(t, p, "a", k.keep)
	require.Equal(t, 1, p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
	k.shows(t, inner, "a", "some value")
	require.Equal(t, wire, string(f.Raw()))

	var replies []string
	c := ownBuffer()(t, wire+pong, errHandler)
	err = p.Serve(t.Context(), dispatch.NotificationHandlerContext{}, c.rd, func(f parser.Frame) error {
		k.shows(t, inner, "a", "some value")
		replies = append(replies, string(f.Raw()))
		return nil
	})
	require.Equal(t, errHandler, err)
	require.Equal(t, []string{wire, pong}, replies)
	require.Empty(t, *failed)
}

// A handler that panics or ends its goroutine also loses its right to the borrowed bytes.
func TestKeptBytesAreOverwrittenAfterErrors(t *testing.T) {
	wire := push("a", "some value")
	for _, behave := range []func() error{
		func() error { return errHandler },
		func() error { panic("boom") },
	} {
		p, _, failed := recording()
		var k kept
		handle(t, p, "a", func(f parser.Frame) error { _ = k.keep(f); return behave() })
		c := ownBuffer()(t, wire+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Len(t, *failed, 1)
		require.Equal(t, "a", (*failed)[0].name, "the error handler's name is its own")
		k.shows(t, wire, "a", "some value")
	}
}

func TestDecodedPushesAreTheHandlersOwn(t *testing.T) {
	p := dispatch.NewProcessor()
	owned := new(notified)
	require.NoError(t, p.RegisterHandler("a", owned, false))
	c := ownBuffer()(t, push("a", "some value")+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, [][]interface{}{{"a", "some value"}}, owned.got)
}
