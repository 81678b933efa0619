package dispatch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

func TestServeDeliversPushesAndRepliesInWireOrder(t *testing.T) {
	frames := []string{
		push("a"), "+OK\r\n", "$1\r\nv\r\n", push("message", "ch", "x"), push("a", strings.Repeat("x", 5000)), "_\r\n",
		attribute + push("b"), attribute + ":1\r\n", ">0\r\n", "*-1\r\n", "-ERR no\r\n", bulk(strings.Repeat("y", 5000)), "*0\r\n",
	}
	eachClient(t, func(t *testing.T, connect connect) {
		for _, size := range []int{1, 7, 20_000} {
			var got []string
			saw := func(wire string) error { got = append(got, wire); return nil }
			p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
				func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
					return saw(string(f.Raw()))
				})))
			c := connect(t, append(chunks(strings.Join(frames, ""), size), io.EOF)...)
			var err error
			c.within(t, func() { err = c.serve(p, saw) })
			require.NoError(t, err)
			require.Equal(t, frames, got)
		}
	})
}

func TestServeDeliversNestedPushesBeforeTheirReply(t *testing.T) {
	exec := "*3\r\n+OK\r\n" + selfPublish + ":1\r\n" + push("invalidate", "k") + "$1\r\nv\r\n"
	p, got, _ := recording()
	c := ownBuffer()(t, exec+push("a")+pong, io.EOF)
	var replies []string
	err := c.serve(p, func(wire string) error {
		if len(replies) == 0 {
			require.Equal(t, []string{selfPublish, push("invalidate", "k")}, got.pushes)
		}
		replies = append(replies, wire)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{exec, pong}, replies)
	require.Equal(t, []string{selfPublish, push("invalidate", "k"), push("a")}, got.pushes)
}

func TestServeWithoutReceiverDropsReplies(t *testing.T) {
	p, got, _ := recording()
	c := ownBuffer()(t, pong+push("a")+"*1\r\n"+push("n")+":1\r\n", io.EOF)
	require.NoError(t, c.serve(p, nil))
	require.Equal(t, []string{push("a"), push("n")}, got.pushes)
}

func TestServeEndsWithTheErrorOfTheReceiver(t *testing.T) {
	for _, end := range []error{errHandler, io.EOF, io.ErrUnexpectedEOF, context.Canceled, timeout, parser.ErrIncomplete, &parser.LimitError{}} {
		p, got, failed := recording(dispatch.WithSkipOversize())
		c := ownBuffer()(t, pong+":1\r\n"+push("a")+":2\r\n")
		var replies []string
		err := c.serve(p, func(wire string) error {
			if replies = append(replies, wire); len(replies) == 2 {
				return end
			}
			return nil
		})
		require.Equal(t, end, err, "as it is, whatever it is")
		require.Equal(t, []string{pong, ":1\r\n"}, replies)
		require.Empty(t, got.pushes)
		require.Empty(t, *failed)
		require.Equal(t, ":2\r\n", c.reply(t, p), "the rest is still there")
		require.Equal(t, []string{push("a")}, got.pushes)
	}
}

func TestServeEndsAsTheConnectionEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		pieces []any
		err    error
	}{
		{"at once", []any{io.EOF}, nil},
		{"between frames", []any{push("a") + pong, io.EOF}, nil},
		{"in a push", []any{pong + push("a")[:5], io.EOF}, io.ErrUnexpectedEOF},
		{"in a reply", []any{push("a") + pong[:3], io.EOF}, io.ErrUnexpectedEOF},
		{"in an attribute", []any{attribute[:5], io.EOF}, io.ErrUnexpectedEOF},
		{"behind an attribute", []any{attribute, io.EOF}, io.ErrUnexpectedEOF},
		{"after one byte", []any{"+", io.EOF}, io.ErrUnexpectedEOF},
		{"reset", []any{push("a"), error(syscall.ECONNRESET)}, syscall.ECONNRESET},
		{"reset in a push", []any{push("a")[:5], error(syscall.ECONNRESET)}, syscall.ECONNRESET},
		{"its own time-out", []any{push("a"), timeout}, timeout},
		{"closed here", []any{push("a"), error(net.ErrClosed)}, net.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, _, _ := recording()
				conn := connect(t, c.pieces...)
				var err error
				conn.within(t, func() { err = conn.serve(p, nil) })
				require.Equal(t, c.err, err)
			})
		})
	}
}

func TestServeGoesOnWhereATimeOutStoppedIt(t *testing.T) {
	stream := push("a", "x") + attribute + pong + push("b")
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording()
		c := connect(t, append(bytewise(stream, timeout), io.EOF)...)
		var replies []string
		var err error
		for range len(stream) + 1 {
			if err = c.serve(p, func(wire string) error { replies = append(replies, wire); return nil }); err == nil {
				break
			}
			require.Equal(t, timeout, err)
		}
		require.NoError(t, err)
		require.Equal(t, []string{attribute + pong}, replies)
		require.Equal(t, []string{push("a", "x"), push("b")}, got.pushes)
	})
}

func TestServeEndsWithWhatIsNotTheProtocol(t *testing.T) {
	for wire, cause := range map[string]error{
		"HTTP/1.1 400 Bad Request\r\n":   parser.ErrType,
		push("a") + "$x\r\n":             parser.ErrLength,
		push("a") + ">-1\r\n":            parser.ErrLength,
		"*1\r\n>1\r\n$1\r\naXY:1\r\n":    parser.ErrTerminator,
		push("a") + "$3\r\nabcXY" + pong: parser.ErrTerminator,
	} {
		eachClient(t, func(t *testing.T, connect connect) {
			p, _, _ := recording()
			c := connect(t, wire)
			var err error
			c.within(t, func() { err = c.serve(p, nil) })
			var syntax *parser.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.ErrorIs(t, err, cause)
			require.Equal(t, err, c.serve(p, nil))
		})
	}
}

func TestServeHandlersMayFailAndPanic(t *testing.T) {
	p, others, failed := recording()
	handle(t, p, "fails", func(parser.Frame) error { return errHandler })
	handle(t, p, "panics", func(parser.Frame) error { panic("boom") })
	var wire string
	var want []string
	for i := range 50 {
		wire += push("panics") + fmt.Sprintf(":%d\r\n", i) + push("fails") + push("b")
		want = append(want, fmt.Sprintf(":%d\r\n", i))
	}
	c := ownBuffer()(t, wire, io.EOF)
	var replies []string
	require.NoError(t, c.serve(p, func(wire string) error { replies = append(replies, wire); return nil }))
	require.Equal(t, want, replies)
	require.Len(t, others.pushes, 50)
	require.Len(t, *failed, 100)
}

// Serve does not recover from a panic of the receiver of replies. The Reader is then behind the reply.
func TestServePanicOfTheReceiverIsTheCallers(t *testing.T) {
	p, got, failed := recording()
	c := ownBuffer()(t, pong+push("a")+":1\r\n")
	require.PanicsWithValue(t, "boom", func() { _ = c.serve(p, func(string) error { panic("boom") }) })
	require.Equal(t, ":1\r\n", c.reply(t, p))
	require.Equal(t, []string{push("a")}, got.pushes)
	require.Empty(t, *failed)
	require.Zero(t, p.Stats().Panics)
}

// watched is a connection that tells when it is read, and what deadlines it has been given.
type watched struct {
	net.Conn
	reads chan struct{} // one for each Read that has begun
	mu    sync.Mutex
	set   []time.Time
}

// watch returns a connection, and the server's end of it.
func watch(t *testing.T) (conn *watched, server net.Conn) {
	client, server := net.Pipe()
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return &watched{Conn: client, reads: make(chan struct{}, 100)}, server
}

func (w *watched) Read(b []byte) (int, error) {
	w.reads <- struct{}{}
	return w.Conn.Read(b)
}

func (w *watched) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set = append(w.set, t)
	return w.Conn.SetReadDeadline(t)
}

func TestServeEndOfContextEndsABlockedRead(t *testing.T) {
	for name, open := range map[string]func(conn net.Conn) (*parser.Reader, dispatch.NotificationHandlerContext){
		"own buffer": func(conn net.Conn) (*parser.Reader, dispatch.NotificationHandlerContext) {
			return parser.NewReader(conn), dispatch.NotificationHandlerContext{}
		},
		"own buffer, known to the handlers": func(conn net.Conn) (*parser.Reader, dispatch.NotificationHandlerContext) {
			return parser.NewReader(conn), dispatch.NotificationHandlerContext{Conn: conn}
		},
		"own buffer, a connection of another kind": func(conn net.Conn) (*parser.Reader, dispatch.NotificationHandlerContext) {
			return parser.NewReader(conn), dispatch.NotificationHandlerContext{Conn: "a pool's connection"}
		},
		"in place": func(conn net.Conn) (*parser.Reader, dispatch.NotificationHandlerContext) {
			return parser.NewReader(bufio.NewReader(conn)), dispatch.NotificationHandlerContext{Conn: conn}
		},
	} {
		for _, before := range []string{"", push("a"), push("a") + pong, push("a") + push("b")[:7]} {
			t.Run(fmt.Sprintf("%s/%q", name, before), func(t *testing.T) {
				conn, server := watch(t)
				rd, from := open(conn)
				p, got, _ := recording()
				ctx, cancel := context.WithCancelCause(t.Context())
				var err error
				done := background(func() { err = p.Serve(ctx, from, rd, nil) })
				<-conn.reads
				if before != "" {
					_, werr := io.WriteString(server, before)
					require.NoError(t, werr)
					<-conn.reads // the one that waits
				}
				cancel(errHandler)
				<-done
				require.Equal(t, context.Canceled, err)
				conn.mu.Lock()
				require.NotEmpty(t, conn.set)
				require.Zero(t, conn.set[len(conn.set)-1], "no deadline is left behind")
				conn.mu.Unlock()

				// Connection and Reader remain usable, wherever they stood.
				rest := push("c") + pong
				if strings.HasSuffix(before, push("b")[:7]) {
					rest = push("b")[7:] + rest
				}
				done = background(func() {
					for len(got.pushes) == 0 || got.pushes[len(got.pushes)-1] != push("c") {
						if err = p.ProcessPendingNotifications(t.Context(), from, rd); err != nil {
							return
						}
						if len(got.pushes) > 0 && got.pushes[len(got.pushes)-1] == push("c") {
							return
						}
						if _, err = rd.Next(); err != nil {
							return
						}
					}
				})
				_, werr := io.WriteString(server, rest)
				require.NoError(t, werr)
				<-done
				require.NoError(t, err)
				f, err := rd.Next()
				require.NoError(t, err)
				require.Equal(t, pong, string(f.Raw()))
				require.Equal(t, push("c"), got.pushes[len(got.pushes)-1])
			})
		}
	}
}

func TestServeDeadlineOfContextEndsABlockedRead(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	err := dispatch.NewProcessor().Serve(ctx, dispatch.NotificationHandlerContext{}, parser.NewReader(client), nil)
	require.Equal(t, context.DeadlineExceeded, err)
}

func TestServeWithAnEndedContextTakesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, got, _ := recording()
	c := ownBuffer()(t, push("a")+pong)
	err := p.Serve(ctx, dispatch.NotificationHandlerContext{}, c.rd, nil)
	require.Equal(t, context.Canceled, err)
	require.Empty(t, got.pushes)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{push("a")}, got.pushes)
}

// Without deadlines nothing can end a read, and Serve returns after the next frame.
func TestServeWithoutDeadlinesEndsAfterTheNextFrame(t *testing.T) {
	for _, frame := range []string{push("a"), pong} {
		ctx, cancel := context.WithCancel(t.Context())
		p, got, _ := recording()
		c := ownBuffer()(t, push("first"))
		var err error
		var replies []string
		done := c.waiting(t, func() {
			err = p.Serve(ctx, dispatch.NotificationHandlerContext{}, c.rd, func(f parser.Frame) error {
				replies = append(replies, string(f.Raw()))
				return nil
			})
		})
		cancel()
		c.send(frame + push("left"))
		<-done
		require.Equal(t, context.Canceled, err)
		require.Equal(t, frame, (append(got.pushes[1:], replies...))[0])
		require.Equal(t, 2, len(got.pushes)+len(replies))
	}
}

// The receiver of replies or a handler may end the context.
func TestServeEndsBetweenFramesWhenAHandlerCancels(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, got, _ := recording()
	handle(t, p, "stop", func(parser.Frame) error { cancel(); return nil })
	c := ownBuffer()(t, push("a")+push("stop")+push("left")+pong)
	err := p.Serve(ctx, dispatch.NotificationHandlerContext{}, c.rd, nil)
	require.Equal(t, context.Canceled, err)
	require.Equal(t, []string{push("a")}, got.pushes)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{push("a"), push("left")}, got.pushes)
}

// Serve sets the deadline of the connection that rd reads from, not that of another one.
func TestServeInterruptsTheConnectionThatIsRead(t *testing.T) {
	conn, server := watch(t)
	other, _ := watch(t)
	ctx, cancel := context.WithCancel(t.Context())
	p, _, _ := recording()
	var err error
	done := background(func() {
		err = p.Serve(ctx, dispatch.NotificationHandlerContext{Conn: other}, parser.NewReader(conn), nil)
	})
	<-conn.reads
	cancel()
	select {
	case <-done:
		require.Equal(t, context.Canceled, err)
	case <-time.After(5 * time.Second):
		require.NoError(t, server.Close())
		<-done
		t.Fatal("the read goes on")
	}
	require.Empty(t, other.set)
}

// A failed deadline must not turn an error of the connection into the context's.
func TestServeKeepsTheErrorOfTheConnectionWhenTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, _, _ := recording()
	c := ownBuffer()(t)
	var err error
	done := c.waiting(t, func() { err = p.Serve(ctx, dispatch.NotificationHandlerContext{}, c.rd, nil) })
	cancel()
	c.send(error(syscall.ECONNRESET))
	<-done
	require.True(t, errors.Is(err, syscall.ECONNRESET), "%v", err)
}

// ending is a context that ends behind a number of looks at it.
type ending struct {
	context.Context
	looks int
}

func (c *ending) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestServeReturnsTheContextsErrorWheneverItEnds(t *testing.T) {
	for looks := range 6 {
		for _, buffered := range []string{"", push("a"), push("a")[:5], push("a") + pong + push("b")[:5]} {
			ctx := &ending{context.Background(), looks}
			rd := parser.NewReader(io.MultiReader(strings.NewReader(buffered), iotest.ErrReader(os.ErrDeadlineExceeded)))
			p, _, _ := recording()
			err := p.Serve(ctx, dispatch.NotificationHandlerContext{}, rd, nil)
			require.Contains(t, []error{context.Canceled, os.ErrDeadlineExceeded}, err, "%d looks, %q", looks, buffered)
		}
	}
}
