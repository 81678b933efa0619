package dispatch_test

import (
	"io"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// The socket is empty and stays empty. The pushes that came with the last reply are in the client's buffer.
func TestPushesThatCameWithAReplyAreFoundWithoutReading(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording()
		c := connect(t, pong+push("a")+push("b"))
		require.Equal(t, pong, c.reply(t, p))
		for pushes := 0; pushes < 2; {
			var n int
			var err error
			whole := c.rd.Buffered() / len(push("a"))
			c.without(t, func() { n, err = c.buffered(p) })
			require.NoError(t, err)
			require.Equal(t, whole, n, "what is there whole, and no more")
			if pushes += n; pushes < 2 { // a buffer this small has not taken them all in
				require.NoError(t, c.rd.Driver().Fill())
			}
		}
		require.Equal(t, []string{push("a"), push("b")}, got.pushes)
		c.without(t, func() {
			n, err := c.buffered(p)
			require.NoError(t, err)
			require.Zero(t, n)
		})
	})
}

// idle reports whether a connection in a pool is fit for the next command. Pushes do not make it unfit. Bytes of a reply
// that nobody has read do, and so does the end of the connection.
func (c *client) idle(p *dispatch.Processor) bool {
	for range 100 {
		err := c.rd.Driver().Fill()
		if err == timeout {
			t, _ := c.rd.Pending()
			return t == 0 && c.rd.Buffered() == 0
		}
		if err != nil {
			return false
		}
		if _, err = c.buffered(p); err != nil {
			return false
		}
		if typ, _ := c.rd.Pending(); typ != parser.TypePush && c.rd.Buffered() > 0 {
			return false
		}
	}
	return false // the loop makes no progress
}

func TestPendingPushIsNeitherABrokenConnectionNorAClosedPeer(t *testing.T) {
	long := push("invalidate", strings.Repeat("k", 200))
	for _, c := range []struct {
		name   string
		pieces []any
		idle   bool
		pushes int
	}{
		{"nothing", []any{timeout}, true, 0},
		{"a push", []any{push("a"), timeout}, true, 1},
		{"pushes", []any{push("a") + long, push("b"), timeout}, true, 3},
		{"a push in pieces", []any{long[:100], long[100:], timeout}, true, 1},
		{"a push that is not whole", []any{push("a") + long[:100], timeout}, false, 1},
		{"closed", []any{io.EOF}, false, 0},
		{"a push and closed", []any{push("a"), io.EOF}, false, 1},
		{"closed in a push", []any{push("a") + long[:100], io.EOF}, false, 1},
		{"a reply", []any{pong, timeout}, false, 0},
		{"a push and a reply", []any{push("a"), pong, timeout}, false, 1},
		{"nonsense", []any{push("a"), "HTTP/1.1 400\r\n", timeout}, false, 1},
		{"a malformed push", []any{push("a"), ">x\r\n", timeout}, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, got, _ := recording()
				conn := connect(t, c.pieces...)
				var idle bool
				conn.within(t, func() { idle = conn.idle(p) })
				require.Equal(t, c.idle, idle)
				require.Len(t, got.pushes, c.pushes)
			})
		})
	}
}
