package tap_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// patience bounds every wait; a test that runs into it fails.
const patience = 30 * time.Second

// client is a client as there are many: it reads line by line, asks for as many elements as were announced, and has never
// heard of pushes.
type client struct {
	net.Conn
	rd *bufio.Reader
	t  *testing.T
}

func newClient(t *testing.T, conn net.Conn) *client {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() }) // the test may have closed it
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return &client{conn, bufio.NewReader(conn), t}
}

// do sends a command and returns its reply.
func (c *client) do(args ...string) string {
	c.t.Helper()
	_, err := c.Write(redistest.Append(nil, args...))
	require.NoError(c.t, err)
	return c.reply()
}

// reply reads a reply, which must come.
func (c *client) reply() string {
	c.t.Helper()
	r, err := c.value()
	require.NoError(c.t, err)
	return r
}

// value reads a value: text as it is, an aggregate in brackets.
func (c *client) value() (string, error) {
	line, err := c.rd.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, line := line[0], strings.TrimSuffix(line[1:], "\r\n")
	n, _ := strconv.Atoi(line)
	switch kind {
	case '+', ':', '#', ',', '(':
		return line, nil
	case '-':
		return "error " + line, nil
	case '_':
		return "null", nil
	case '$', '=':
		if n < 0 {
			return "null", nil
		}
		b := make([]byte, n+2)
		_, err = io.ReadFull(c.rd, b)
		return string(b[:n]), err
	case '%':
		n *= 2
	case '*', '~':
		if n < 0 {
			return "null", nil
		}
	default:
		return "", fmt.Errorf("a reply of type %q", kind)
	}
	all := make([]string, n)
	for i := range all {
		if all[i], err = c.value(); err != nil {
			return "", err
		}
	}
	return "[" + strings.Join(all, " ") + "]", nil
}

// bulk and push spell out what a server sends.
func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

func push(texts ...string) string {
	b := fmt.Sprintf(">%d\r\n", len(texts))
	for _, s := range texts {
		b += bulk(s)
	}
	return b
}

const pong = "+PONG\r\n"

// connect returns a connection over which chunks arrive, and nothing behind them until the test sends it to the server's
// end: a reader that waits for more waits.
func connect(t *testing.T, chunks ...string) (conn, server net.Conn) {
	t.Helper()
	conn, server = net.Pipe()
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close()
		_ = server.Close()
		<-done
	})
	go func() {
		defer close(done)
		for _, c := range chunks {
			if _, err := io.WriteString(server, c); err != nil {
				return // the test has closed the connection
			}
		}
	}()
	return conn, server
}

// tapped is connect for a client over a tap, whose pushes go to p.
func tapped(t *testing.T, p *dispatch.Processor, chunks ...string) *client {
	t.Helper()
	conn, _ := connect(t, chunks...)
	return newClient(t, tap.NewConn(conn, p))
}

// handle registers f for the pushes called name.
func handle(t *testing.T, p *dispatch.Processor, name string, f func(push parser.Frame) error) {
	t.Helper()
	require.NoError(t, p.HandleFunc(name, handler(f)))
}

// bytewise is a wire in chunks of one byte.
func bytewise(wire string) []string { return strings.Split(wire, "") }

// within runs f and fails the test if it waits for what does not come.
func within(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	receive(t, done)
}

// receive receives from ch, which must not take long.
func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("waited for nothing")
		panic("unreachable")
	}
}
