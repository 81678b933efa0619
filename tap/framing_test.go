package tap_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// The tests of this file and of routing_test.go are failures that were seen in other clients, turned into what must hold
// for a client over a tap. Its connection blocks when it has no more bytes.

// eachPiece runs a test with a wire in one piece and byte by byte, for a client over a tap, and its pushes on record.
func eachPiece(t *testing.T, wire string, test func(t *testing.T, c *client, got *record)) {
	t.Helper()
	for name, chunks := range map[string][]string{"whole": {wire}, "bytewise": bytewise(wire)} {
		t.Run(name, func(t *testing.T) {
			p, got := recording()
			test(t, tapped(t, p, chunks...), got)
		})
	}
}

func TestNameCutAtAReadBoundaryIsStillThatName(t *testing.T) {
	var wire strings.Builder
	var want []string
	for i := range 1000 {
		m := push("message", "news", fmt.Sprint("payload ", i))
		want = append(want, m)
		wire.WriteString(m)
	}
	for _, size := range []int{4072, 4096, 1000, 64, 7} {
		p, got := recording()
		conn, _ := connect(t, wire.String()+pong)
		c := newClient(t, tap.NewConn(inner{conn, readsOf{conn, size}}, p))
		require.Equal(t, "PONG", c.reply())
		require.Equal(t, want, got.pushes)
	}
}

// readsOf gives at most n bytes a Read.
type readsOf struct {
	io.Reader
	n int
}

func (r readsOf) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), r.n)]) }

func TestShortPushNeedsNoMoreThanItself(t *testing.T) {
	const wire = ">3\r\n$9\r\nsubscribe\r\n$6\r\naaaaaa\r\n:1\r\n"
	for _, wire := range []string{wire, ">0\r\n", ">1\r\n_\r\n"} {
		handled := make(chan struct{})
		p := dispatch.NewProcessor(dispatch.WithFallback(handler(func(parser.Frame) error { close(handled); return nil })))
		conn, server := connect(t, wire)
		c := newClient(t, tap.NewConn(conn, p))
		replied := make(chan string)
		go func() {
			r, _ := c.value()
			replied <- r
		}()
		receive(t, handled)
		_, err := io.WriteString(server, pong)
		require.NoError(t, err)
		require.Equal(t, "PONG", receive(t, replied))
	}
}

func TestHostileLengthsInAPushAreAnError(t *testing.T) {
	for _, wire := range []string{">1\r\n$9223372036854775807\r\n", ">4611686018427387904\r\n", ">1000000000\r\n", ">1\r\n*-2\r\n", ">1\r\n%-1\r\n", ">-1\r\n"} {
		eachPiece(t, "+OK\r\n"+wire, func(t *testing.T, c *client, got *record) {
			require.Equal(t, "OK", c.reply())
			_, err := c.value()
			require.Error(t, err)
			var limit *parser.LimitError
			var syntax *parser.SyntaxError
			require.True(t, errors.As(err, &limit) || errors.As(err, &syntax), err)
			require.Empty(t, got.pushes)
		})
	}
}

func TestDeepNestingInAPushIsAnError(t *testing.T) {
	p, got := recording()
	c := tapped(t, p, ">1\r\n"+strings.Repeat("*1\r\n", 1_000_000))
	_, err := c.value()
	var limit *parser.LimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "MaxDepth", limit.Limit)
	require.Empty(t, got.pushes)
}

func TestAfterAnErrorInMidFrameTheConnStaysFailed(t *testing.T) {
	// What is behind the error would be a fine push and a fine reply.
	eachPiece(t, "+OK\r\n>2\r\n$1\r\na\r\n$x\r\n"+push("b")+pong, func(t *testing.T, c *client, got *record) {
		require.Equal(t, "OK", c.reply())
		_, first := c.value()
		require.ErrorIs(t, first, parser.ErrLength)
		for range 3 {
			_, err := c.Read(make([]byte, 10))
			require.Equal(t, first, err)
		}
		require.Equal(t, first, c.Conn.(*tap.Conn).Err())
		require.Empty(t, got.pushes)
	})
}

func TestHandlerRunsOnceHoweverOftenTheReadTimesOut(t *testing.T) {
	p := dispatch.NewProcessor()
	runs := make(chan struct{}, 10)
	handle(t, p, "a", func(parser.Frame) error { runs <- struct{}{}; return nil })
	conn, server := connect(t)
	c := newClient(t, tap.NewConn(conn, p))
	wire := push("a", "x")
	for _, part := range []string{wire[:9], wire[9:]} {
		sent := make(chan error, 2)
		go func() {
			_, err := io.WriteString(server, part)
			sent <- err
			// The Read has taken the part, and waits for more with which to return.
			sent <- conn.SetReadDeadline(time.Unix(1, 0))
		}()
		_, err := c.Read(make([]byte, 100))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, receive(t, sent))
		require.NoError(t, receive(t, sent))
		_, err = c.Read(make([]byte, 100))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	}
	require.Len(t, runs, 1)
	go func() { _, _ = io.WriteString(server, pong) }() // the Read below says whether it arrived
	require.Equal(t, "PONG", c.reply())
	require.Len(t, runs, 1)
}

// The second element begins like a push, at the start of a read of its own.
func TestRestOfAReplyIsNoPush(t *testing.T) {
	for _, chunks := range [][]string{
		{"*2\r\n$3\r\nfoo\r\n$4\r\n", ">bar\r\n", pong},
		{"*2\r\n$3\r\nfoo\r\n$4\r\n>bar\r\n" + pong},
		{"*2\r\n$3\r\nfoo\r\n$4", "\r\n", ">", "bar\r\n", pong},
	} {
		p, got := recording()
		c := tapped(t, p, chunks...)
		require.Equal(t, "[foo >bar]", c.reply())
		require.Equal(t, "PONG", c.reply())
		require.Empty(t, got.pushes)
	}
	for _, reply := range []string{"+>3\r\n", "->3\r\n", "$4\r\n>0\r\n\r\n", "=8\r\ntxt:>1\r\n\r\n"} {
		eachPiece(t, reply+pong, func(t *testing.T, c *client, got *record) {
			_ = c.reply()
			require.Equal(t, "PONG", c.reply())
			require.Empty(t, got.pushes)
		})
	}
}

func TestEmptyPushIsAPushOfItsOwn(t *testing.T) {
	eachPiece(t, ">0\r\n"+pong, func(t *testing.T, c *client, got *record) {
		require.Equal(t, "PONG", c.reply())
		require.Equal(t, []string{">0\r\n"}, got.pushes)
	})
}

func TestPushOfAnyNameIsNoReply(t *testing.T) {
	const attributes = "|1\r\n+ttl\r\n:3600\r\n"
	for _, wire := range []string{
		">2\r\n:1\r\n+x\r\n", ">1\r\n_\r\n", ">1\r\n*1\r\n$10\r\ninvalidate\r\n", ">1\r\n%1\r\n+a\r\n+b\r\n",
		">2\r\n=14\r\ntxt:invalidate\r\n_\r\n", ">2\r\n+invalidate\r\n_\r\n", ">2\r\n$?\r\n;10\r\ninvalidate\r\n;0\r\n_\r\n",
		attributes + push("invalidate", "k"), attributes + attributes + push("invalidate", "k"), ">2\r\n" + attributes + "$10\r\ninvalidate\r\n_\r\n",
	} {
		eachPiece(t, "+OK\r\n"+wire+pong, func(t *testing.T, c *client, got *record) {
			require.Equal(t, "OK", c.reply())
			require.Equal(t, "PONG", c.reply())
			require.Equal(t, []string{wire}, got.pushes)
		})
	}
}

func TestWrongBulkEndIsAnError(t *testing.T) {
	for _, wire := range []string{"$3\r\nabcXY" + pong, "*1\r\n$3\r\nabcXY" + pong, push("a")[:4] + "$3\r\nabcXY" + pong} {
		eachPiece(t, wire, func(t *testing.T, c *client, _ *record) {
			_, err := io.ReadAll(c.rd)
			require.ErrorIs(t, err, parser.ErrTerminator)
		})
	}
}

func TestHandlerThatUsesAConnectionDoesNotDeadlock(t *testing.T) {
	p := dispatch.NewProcessor()
	var c, other *client
	handle(t, p, "invalidate", func(parser.Frame) error {
		if err := p.UnregisterHandler("invalidate"); err != nil {
			return err
		}
		if _, err := c.Write(redistest.Append(nil, "GET", "k")); err != nil {
			return err
		}
		_, err := other.value()
		return err
	})
	conn, server := connect(t, push("invalidate", "k"))
	other = tapped(t, p, pong)
	c = newClient(t, tap.NewConn(conn, p))
	go func() {
		command := make([]byte, len(redistest.Append(nil, "GET", "k")))
		if _, err := io.ReadFull(server, command); err == nil {
			_, _ = io.WriteString(server, bulk("v")) // the client's read says whether it arrived
		}
	}()
	require.Equal(t, "v", c.reply())
	require.Zero(t, p.Stats().Errors)
}
