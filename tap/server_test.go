package tap_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// dial opens a connection for a client that knows no pushes, in a protocol in which there are some.
func dial(t *testing.T, s *redistest.Server, p *dispatch.Processor, opts ...tap.Option) *client {
	t.Helper()
	c := newClient(t, tap.NewConn(s.DialRESP2(t).Conn, p, opts...))
	require.Contains(t, c.do("HELLO", "3"), "proto 3")
	return c
}

// Every reply has a push before it, behind it, or both: a client that knows none reads them all.
func TestServerPushesBetweenRepliesAreUnseenByTheClient(t *testing.T) {
	const rounds = 500
	s := redistest.Start(t)
	var keys, flushes atomic.Int64
	p := dispatch.NewProcessor()
	handle(t, p, "invalidate", func(push parser.Frame) error {
		for v := range push.Args() {
			if v.IsNull() {
				flushes.Add(1)
			}
			keys.Add(int64(v.Len()))
		}
		return nil
	})
	c, other := dial(t, s, p), s.Dial(t)
	require.Equal(t, "OK", c.do("CLIENT", "TRACKING", "ON"))
	for i := range rounds {
		key, n := fmt.Sprint("key:", i), strconv.Itoa(i)
		require.Equal(t, "null", c.do("GET", key))
		other.Do("SET", key, n) // the push is there before the next reply
		require.Equal(t, n, c.do("GET", key))
		require.Equal(t, "OK", c.do("SET", key, "x")) // an own push is behind the reply
		require.Equal(t, fmt.Sprintf("[x %s]", "null"), c.do("MGET", key, "no such key"))
	}
	other.Do("FLUSHALL")
	require.Equal(t, "PONG", c.do("PING"))
	require.EqualValues(t, 1, flushes.Load())
	require.GreaterOrEqual(t, keys.Load(), int64(2*rounds))
	require.EqualValues(t, p.Stats().Pushes, c.Conn.(*tap.Conn).Stats().Pushes)
}

// The message that EXEC publishes to its own connection is inside the reply on servers before 7.2, behind it on others.
func TestServerPushInsideEXECIsTakenOutOfIt(t *testing.T) {
	s := redistest.Start(t)
	p, got := recording()
	c := dial(t, s, p)
	_, err := c.Write(redistest.Append(nil, "SUBSCRIBE", "self"))
	require.NoError(t, err) // answered by a push
	for range 20 {
		require.Equal(t, "OK", c.do("MULTI"))
		require.Equal(t, "QUEUED", c.do("SET", "k", "v"))
		require.Equal(t, "QUEUED", c.do("PUBLISH", "self", "m1"))
		require.Equal(t, "QUEUED", c.do("GET", "k"))
		require.Equal(t, "[OK 1 v]", c.do("EXEC"))
	}
	require.Equal(t, "PONG", c.do("PING"))
	require.Len(t, got.pushes, 21)
	require.Equal(t, ">3\r\n$9\r\nsubscribe\r\n$4\r\nself\r\n:1\r\n", got.pushes[0])
	for _, wire := range got.pushes[1:] {
		require.Equal(t, push("message", "self", "m1"), wire)
	}
	if s.Version < "7.2" {
		require.EqualValues(t, 20, c.Conn.(*tap.Conn).Stats().Nested)
	}
}

func TestServerPubSubPushesAreKeptWhenAsked(t *testing.T) {
	s := redistest.Start(t)
	p, got := recording()
	conn := tap.NewConn(s.DialRESP2(t).Conn, p, tap.KeepPubSub())
	c := redistest.Client{Conn: conn, Reader: parser.NewReader(conn)} // it knows pushes
	next := func(args ...string) string {
		if len(args) > 0 {
			_, err := conn.Write(redistest.Append(nil, args...))
			require.NoError(t, err)
		}
		f, err := c.Reader.Next()
		require.NoError(t, err)
		return string(f.Raw())
	}
	next("HELLO", "3")
	require.Equal(t, "+OK\r\n", next("CLIENT", "TRACKING", "ON"))
	require.Equal(t, ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n", next("SUBSCRIBE", "news"))
	require.Equal(t, "_\r\n", next("GET", "k"))
	other := s.Dial(t)
	other.Do("SET", "k", "v")
	other.Do("PUBLISH", "news", "text")
	require.Equal(t, push("message", "news", "text"), next())
	require.Equal(t, []string{">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"}, got.pushes)
}

// Before HELLO 3 there are no pushes, and what looks like one is data.
func TestServerRepliesInRESP2PassUnchanged(t *testing.T) {
	s := redistest.Start(t)
	p, got := recording()
	c := newClient(t, tap.NewConn(s.DialRESP2(t).Conn, p))
	require.Equal(t, "PONG", c.do("PING"))
	require.Equal(t, "OK", c.do("SET", "k", ">1\r\n+x\r\n"))
	require.Equal(t, ">1\r\n+x\r\n", c.do("GET", "k"))
	require.Equal(t, "[null >1\r\n+x\r\n]", c.do("MGET", "none", "k"))
	require.Equal(t, "[subscribe news 1]", c.do("SUBSCRIBE", "news"))
	s.Dial(t).Do("PUBLISH", "news", "text")
	require.Equal(t, "[message news text]", c.reply())
	require.Contains(t, c.do("NO-SUCH-COMMAND"), "error ERR")
	require.Empty(t, got.pushes)
}

// taped is a connection that keeps what has been read from it.
type taped struct {
	net.Conn
	tape bytes.Buffer
}

func (c *taped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.tape.Write(p[:n])
	return n, err
}

// What a server says of itself and its data passes: deep, long, of every type.
func TestServerRepliesPassUnchanged(t *testing.T) {
	s := redistest.Start(t)
	for _, m := range modes {
		below, above := &taped{Conn: s.DialRESP2(t).Conn}, new(bytes.Buffer)
		p, got := recording()
		c := newClient(t, tap.NewConn(below, p, m.opts...))
		c.rd = bufio.NewReader(io.TeeReader(c.Conn, above))
		for _, args := range [][]string{
			{"HELLO", "3"}, {"COMMAND", "DOCS"}, {"COMMAND"}, {"CONFIG", "GET", "*"}, {"ACL", "LIST"}, {"INFO"}, {"NO-SUCH-COMMAND"}, {"LOLWUT"},
			{"DEBUG", "PROTOCOL", "set"}, {"DEBUG", "PROTOCOL", "bignum"}, {"DEBUG", "PROTOCOL", "double"}, {"DEBUG", "PROTOCOL", "verbatim"},
			{"HELLO", "2"}, {"COMMAND"}, {"CONFIG", "GET", "*"},
		} {
			require.NotEmpty(t, c.do(args...))
		}
		require.Greater(t, below.tape.Len(), 100<<10)
		require.True(t, bytes.Equal(below.tape.Bytes(), above.Bytes()))
		require.Empty(t, got.pushes)
		if m.name != "observe" { // the client knows no pushes
			c.do("HELLO", "3")
			require.Equal(t, "Some real reply following the push reply", c.do("DEBUG", "PROTOCOL", "push"))
			require.Equal(t, []string{">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n"}, got.pushes)
		}
	}
}

// A server sends lines that are no numbers where numbers are announced: they pass, and what comes behind them is found.
func TestOddScalarsOfAServerPassAndPushesBehindThemAreFound(t *testing.T) {
	s := redistest.Start(t)
	for _, m := range []mode{{"take out", nil}, observing} {
		t.Run(m.name, func(t *testing.T) {
			p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(_ context.Context, _ []byte, err error) { t.Error(err) }))
			var keys atomic.Int64
			handle(t, p, "invalidate", func(parser.Frame) error { keys.Add(1); return nil })
			raw := s.Dial(t)
			raw.Do("CLIENT", "TRACKING", "ON", "BCAST")
			conn := tap.NewConn(raw.Conn, p, m.opts...)
			rd := parser.NewReader(conn)
			reply := func(command []string) string {
				t.Helper()
				raw.Send(command)
				for {
					f, err := rd.Next()
					require.NoError(t, err)
					if !f.IsPush() {
						return string(f.Raw())
					}
				}
			}
			for i, odd := range redistest.Odd {
				require.Equal(t, odd.Answer, reply(odd.Command))
				require.Equal(t, "+OK\r\n", reply([]string{"SET", "key", strconv.Itoa(i)}))
				require.Equal(t, "+PONG\r\n", reply([]string{"PING"})) // the push is behind the reply of SET
				require.EqualValues(t, i+1, keys.Load())
			}
			require.NoError(t, conn.Err())
		})
	}
}
