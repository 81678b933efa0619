package dispatch_test

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
)

// go-redis drains idle connections in this way: it waits for one push and for no further one.
func TestBurstWaitsForTheFirstPushOnly(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording()
		c := connect(t, push("a")+push("b"))
		burst := func() (err error) {
			c.within(t, func() {
				err = p.ProcessPendingNotificationsBuffered(context.Background(), dispatch.NotificationHandlerContext{}, c.rd)
			})
			return err
		}
		for len(got.pushes) < 2 { // a small buffer holds only one of them
			require.NoError(t, burst())
		}
		c.send(pong)
		require.NoError(t, burst(), "a reply is next")
		require.Equal(t, pong, c.reply(t, p))
		c.send(timeout)
		require.NoError(t, burst(), "a time-out between frames")
		c.send(push("c")[:6], timeout)
		require.Equal(t, timeout, burst(), "a time-out inside a push, which goes on")
		c.send(push("c")[6:], io.EOF)
		require.NoError(t, burst())
		require.Equal(t, []string{push("a"), push("b"), push("c")}, got.pushes)
		require.Equal(t, io.EOF, burst(), "a connection that has ended is to be given up")
	})
}
