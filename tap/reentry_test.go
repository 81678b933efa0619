package tap_test

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// waitForRead waits until a goroutine is inside Conn.Read, and either waits for its turn or for the connection below.
func waitForRead(t *testing.T) { waitForStack(t, "tap.(*Conn).Read(") }

// waitForTurn waits until a goroutine waits for its turn in Conn.Read.
func waitForTurn(t *testing.T) { waitForStack(t, "tap.(*Conn).lock(", "[sync.Mutex.Lock") }

// waitForStack waits until there is a goroutine with all of parts in the text of its stack.
func waitForStack(t *testing.T, parts ...string) {
	t.Helper()
	b := make([]byte, 1<<20)
	for end := time.Now().Add(patience); time.Now().Before(end); runtime.Gosched() {
		for _, stack := range strings.Split(string(b[:runtime.Stack(b, true)]), "\n\n") {
			found := true
			for _, part := range parts {
				found = found && strings.Contains(stack, part)
			}
			if found {
				return
			}
		}
	}
	t.Fatal("waited for nothing")
}

// A handler that reads the connection it is called from is refused, however deep in its calls, and loses nothing.
func TestReadFromInsideAHandlerIsRefused(t *testing.T) {
	for _, m := range modes {
		for _, depth := range []int{0, 1, 50, 55, 60, 61, 62, 63, 64, 65, 70, 1000} {
			p := dispatch.NewProcessor()
			var c *tap.Conn
			var refused error
			handle(t, p, "invalidate", func(parser.Frame) error {
				return deep(depth, func() (err error) {
					_, refused = c.Read(make([]byte, 10))
					return nil
				})
			})
			conn, _ := connect(t, passed+pong)
			c = tap.NewConn(conn, p, m.opts...)
			b := make([]byte, 100)
			var n int
			var err error
			within(t, func() { n, err = c.Read(b) })
			require.NoError(t, err)
			require.True(t, strings.HasSuffix(string(b[:n]), pong))
			require.ErrorIs(t, refused, parser.ErrReentrant)
			require.ErrorContains(t, refused, "tap: ")
			require.NoError(t, c.Err())
		}
	}
}

// deep calls f some calls down.
func deep(n int, f func() error) error {
	if n == 0 {
		return f()
	}
	return deep(n-1, f)
}

// The Read of another goroutine has its turn when the handler has returned.
func TestReadBesideAHandlerWaits(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	p := dispatch.NewProcessor()
	handle(t, p, "invalidate", func(parser.Frame) error {
		close(entered)
		<-leave
		return nil
	})
	conn, server := connect(t, passed+pong)
	c := tap.NewConn(conn, p)
	type reading struct {
		text string
		err  error
	}
	readings := make(chan reading, 2)
	one := func() {
		b := make([]byte, 100)
		n, err := c.Read(b)
		readings <- reading{string(b[:n]), err}
	}
	go one()
	receive(t, entered)
	go one()
	waitForTurn(t)
	require.Empty(t, readings)
	close(leave)
	require.Equal(t, reading{pong, nil}, receive(t, readings))
	_, err := io.WriteString(server, bulkReply)
	require.NoError(t, err)
	require.Equal(t, reading{bulkReply, nil}, receive(t, readings))
}

// A handler may read another tap, also one that is being read.
func TestReadOfAnotherConnInsideAHandlerIsFine(t *testing.T) {
	p := dispatch.NewProcessor()
	conn, server := connect(t)
	testReadInsideAHandler(t, p, tap.NewConn(conn, p), server)
}

// A Conn whose handler has returned and whose Read waits for more is like any other.
func TestReadOfAConnThatHasHandledAPushInsideAHandlerIsFine(t *testing.T) {
	p := dispatch.NewProcessor()
	handled := make(chan struct{}, 1)
	handle(t, p, "other", func(parser.Frame) error { handled <- struct{}{}; return nil })
	conn, server := connect(t)
	go func() { _, _ = io.WriteString(server, push("other")) }()
	testReadInsideAHandler(t, p, tap.NewConn(conn, p), server, handled)
}

// So is one whose error handler has returned.
func TestReadOfAConnThatHasFailedInsideAHandlerIsFine(t *testing.T) {
	p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(context.Context, []byte, error) {}))
	const malformed = "x\r\n"
	conn, server := connect(t, malformed)
	other := tap.NewConn(conn, p, tap.Observe())
	_, err := io.ReadFull(other, make([]byte, len(malformed)))
	require.NoError(t, err)
	require.Error(t, other.Err())
	testReadInsideAHandler(t, p, other, server)
}

// testReadInsideAHandler has a handler read other, while another goroutine waits in a
// Read of it. That one waits for what has to happen before.
func testReadInsideAHandler(t *testing.T, p *dispatch.Processor, other *tap.Conn, server io.Writer, before ...chan struct{}) {
	t.Helper()
	errors := p.Stats().Errors
	first := make(chan string, 1)
	go func() {
		b := make([]byte, len(pong))
		n, _ := other.Read(b)
		first <- string(b[:n])
	}()
	for _, happened := range before {
		receive(t, happened)
	}
	waitForStack(t, "tap.(*Conn).Read(", "net.(*pipe).")
	var second string
	handle(t, p, "invalidate", func(parser.Frame) error {
		go func() {
			_, _ = io.WriteString(server, pong)
			_, _ = io.WriteString(server, bulkReply)
		}()
		b := make([]byte, len(bulkReply))
		n, err := other.Read(b)
		second = string(b[:n])
		return err
	})
	c := tapped(t, p, passed+pong)
	require.Equal(t, "PONG", c.reply())
	require.Equal(t, errors, p.Stats().Errors)
	require.Equal(t, pong, receive(t, first))
	require.Equal(t, bulkReply, second)
}

func TestHandlerMaySetDeadlinesAndClose(t *testing.T) {
	p := dispatch.NewProcessor()
	var c *tap.Conn
	handle(t, p, "deadline", func(parser.Frame) error { return c.SetReadDeadline(time.Unix(1, 0)) })
	handle(t, p, "close", func(parser.Frame) error { return c.Close() })
	conn, _ := connect(t, push("deadline"), push("close")+pong)
	c = tap.NewConn(conn, p)
	b := make([]byte, 100)
	_, err := c.Read(b)
	require.ErrorContains(t, err, "timeout")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	n, err := c.Read(b)
	require.NoError(t, err)
	require.Equal(t, pong, string(b[:n]), "what came with the push is the client's")
	_, err = c.Read(b)
	require.ErrorIs(t, err, net.ErrClosed)
	require.Zero(t, p.Stats().Errors)
}

// With the goroutine that a handler ends the bytes behind the push are lost, which nobody may mistake for a stream.
func TestHandlerThatEndsItsGoroutineFailsTheStream(t *testing.T) {
	for _, m := range modes {
		p := dispatch.NewProcessor()
		handle(t, p, "invalidate", func(parser.Frame) error { runtime.Goexit(); return nil })
		conn, server := connect(t, passed+"$3\r\n")
		c := tap.NewConn(conn, p, m.opts...)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = c.Read(make([]byte, 100))
		}()
		receive(t, ended)
		require.EqualValues(t, 1, c.Stats().Pushes)
		go func() { _, _ = io.WriteString(server, "abc\r\n") }()
		for range 2 {
			var err error
			within(t, func() { _, err = c.Read(make([]byte, 100)) })
			require.EqualError(t, err, "tap: a handler has ended the goroutine inside Read")
			require.Equal(t, err, c.Err())
		}
	}
}

// All methods at once, for the race detector; every byte of a reply is read by one of the readers.
func TestConcurrentReadersShareEveryByteOnce(t *testing.T) {
	const frames = 2000
	for _, m := range []mode{byDefault, observing} {
		conn, server := tcp(t)
		var handled atomic.Int64
		p := dispatch.NewProcessor(dispatch.WithFallback(handler(func(parser.Frame) error { handled.Add(1); return nil })))
		c := tap.NewConn(conn, p, m.opts...)
		var all sync.WaitGroup
		var sum atomic.Int64
		for range 4 {
			all.Add(2)
			go func() {
				defer all.Done()
				b := make([]byte, 50)
				for {
					n, err := c.Read(b)
					sum.Add(int64(n))
					if err != nil {
						return
					}
					_, _ = c.Stats(), c.Err()
				}
			}()
			go func() {
				defer all.Done()
				for {
					if _, err := io.WriteString(c, "PING\r\n"); err != nil {
						return
					}
					_ = c.SetDeadline(time.Now().Add(patience)) // fails when it is closed, as Write does
				}
			}()
		}
		go func() { _, _ = io.Copy(io.Discard, server) }() // until the end of the connection
		want := frames * len(bulkReply)
		if m.name == "observe" {
			want += frames * len(passed)
		}
		for range frames {
			_, err := io.WriteString(server, passed+bulkReply)
			require.NoError(t, err)
		}
		for end := time.Now().Add(patience); sum.Load() < int64(want) && time.Now().Before(end); {
			runtime.Gosched()
		}
		require.NoError(t, c.Close())
		all.Wait()
		require.EqualValues(t, want, sum.Load())
		require.EqualValues(t, frames, handled.Load())
	}
}
