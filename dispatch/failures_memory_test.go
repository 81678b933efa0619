package dispatch_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// answering is a connection to a server that pushes and answers every line it gets.
func answering(t *testing.T) net.Conn {
	conn, server := net.Pipe()
	t.Cleanup(func() { _, _ = conn.Close(), server.Close() })
	go func() {
		lines := bufio.NewScanner(server)
		for lines.Scan() {
			_, _ = io.WriteString(server, push("invalidate", lines.Text())+"+"+lines.Text()+"\r\n")
		}
	}()
	return conn
}

func TestFailure21HandlerThatIssuesACommandDoesNotDeadlock(t *testing.T) {
	conn := answering(t)
	rd := parser.NewReader(conn)
	eachClient(t, func(t *testing.T, connect connect) {
		p, _, failed := recording()
		var got []string
		handle(t, p, "invalidate", func(f parser.Frame) error { got = append(got, string(f.Raw())); return nil })
		handle(t, p, "MOVING", func(f parser.Frame) error {
			if err := p.UnregisterHandler("MOVING"); err != nil {
				return err
			}
			if _, err := io.WriteString(conn, "GET\r\n"); err != nil {
				return err
			}
			if err := p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd); err != nil {
				return err
			}
			reply, err := rd.Next()
			got = append(got, string(reply.Raw()))
			return err
		})
		c := connect(t, push("MOVING")+push("invalidate", "k")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push("invalidate", "GET"), "+GET\r\n", push("invalidate", "k")}, got)
		require.Empty(t, *failed)
	})
}

func TestFailure22FailingHandlerTakesNeitherConnectionNorHandlersWithIt(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, failed := recording()
		handle(t, p, "panics", func(parser.Frame) error { panic("boom") })
		handle(t, p, "fails", func(parser.Frame) error { return errHandler })
		one, two := connect(t, push("panics")+push("fails")+push("a")+pong), connect(t, push("b")+pong)
		require.Equal(t, pong, one.reply(t, p))
		require.Equal(t, pong, two.reply(t, p))
		require.Equal(t, []string{push("a"), push("b")}, others.pushes)
		one.send(push("panics") + push("c") + pong)
		require.Equal(t, pong, one.reply(t, p))
		require.Equal(t, []string{push("a"), push("b"), push("c")}, others.pushes)
		require.Len(t, *failed, 3)
	})
}

func TestFailure23WhatIsHandedOutAsStringStays(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		var texts []string
		var clones []parser.Frame
		var errs reports
		p := dispatch.NewProcessor(dispatch.WithErrorHandler(errs.handle))
		handle(t, p, "MOVING", func(f parser.Frame) error {
			for v := range f.Args() {
				texts = append(texts, v.String())
			}
			clones = append(clones, f.Clone())
			return fmt.Errorf("no such node: %s", f.Value())
		})
		owned := new(notified)
		require.NoError(t, p.RegisterHandler("FAILED_OVER", owned, false))
		var wire strings.Builder
		for i := range 50 {
			fmt.Fprint(&wire, push("MOVING", fmt.Sprint("node", i)), push("FAILED_OVER", fmt.Sprint("shard", i)), push("ZZZZZZ", "zzzzz", "zzzzzzz"))
		}
		c := connect(t, chunks(wire.String()+pong, 100)...)
		require.Equal(t, pong, c.reply(t, p))
		require.Len(t, texts, 50)
		for i := range texts {
			require.Equal(t, fmt.Sprint("node", i), texts[i])
			require.Equal(t, push("MOVING", texts[i]), string(clones[i].Raw()))
			require.Equal(t, "MOVING", string(clones[i].Name()))
			require.Equal(t, []any{"FAILED_OVER", fmt.Sprint("shard", i)}, owned.got[i])
			require.Equal(t, "MOVING", errs[i].name)
			require.EqualError(t, errs[i].err, fmt.Sprintf(`no such node: ["MOVING" "node%d"]`, i))
		}
	})
}

// cycle gives the same bytes again and again, and then something else.
type cycle struct {
	wire   string
	at     int
	rounds int
	end    string
}

func (c *cycle) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) && c.rounds > 0 {
		k := copy(b[n:], c.wire[c.at:])
		n += k
		if c.at += k; c.at == len(c.wire) {
			c.at = 0
			c.rounds--
		}
	}
	if n == 0 {
		n = copy(b, c.end)
		c.end = c.end[n:]
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// grown returns how much f allocates in all, and how much of it stays.
func grown(f func()) (allocated, kept int64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc), int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func TestFailure24MillionPushesLeaveTheHeapFlat(t *testing.T) {
	rounds := 1000
	wire := strings.Repeat(push("invalidate", "some-key")+">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", 500)
	for _, connected := range []struct {
		name string
		open func(rd io.Reader) *parser.Reader
	}{
		{"own", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd) }},
		{"source", func(rd io.Reader) *parser.Reader { return parser.NewReader(bufio.NewReader(rd)) }},
	} {
		t.Run(connected.name, func(t *testing.T) {
			p := dispatch.NewProcessor()
			seen := 0
			handle(t, p, "invalidate", func(f parser.Frame) error {
				for v := range f.Args() {
					seen += v.Len()
				}
				return nil
			})
			rd := connected.open(&cycle{wire: wire, rounds: rounds, end: pong})
			var err error
			allocated, kept := grown(func() {
				err = p.ProcessPendingNotifications(t.Context(), dispatch.NotificationHandlerContext{}, rd)
			})
			require.NoError(t, err)
			require.Equal(t, rounds*500*2, seen)
			require.EqualValues(t, rounds*1000, p.Stats().Pushes)
			if !debugBuild {
				require.Less(t, allocated, int64(256<<10), "a buffer, and nothing per push")
			}
			require.Less(t, kept, int64(256<<10))
			f, err := rd.Next()
			require.NoError(t, err)
			require.Equal(t, pong, string(f.Raw()))
		})
	}
}

// The socket is empty and will stay so; what came with the last reply sits in the client's buffer.
func TestFailure26PushesThatCameWithAReplyAreFoundWithoutReading(t *testing.T) {
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

// idle is what a pool asks of a connection it keeps: is it fit for the next command? Pushes are no reason against it,
// bytes of a reply that nobody read are, and so is the end.
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
	return false // it goes round in circles
}

func TestFailure27PendingPushIsNeitherABrokenConnectionNorAClosedPeer(t *testing.T) {
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
