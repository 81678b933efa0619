package redistest

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// A Client is one connection to a Server. It fails its test when the connection fails or is silent for a long time.
// A Client belongs to one goroutine at a time. Methods that may fail the test must run on the test's goroutine.
type Client struct {
	Conn   net.Conn
	Reader *parser.Reader // of Conn
	tb     testing.TB
}

// Dial opens a connection that speaks RESP3 and ends with the test. It logs in
// as the default user with the password of Options.
func (s *Server) Dial(tb testing.TB) *Client {
	tb.Helper()
	c := s.DialRESP2(tb)
	if s.password != "" {
		c.Do("HELLO", "3", "AUTH", "default", s.password)
		return c
	}
	c.Do("HELLO", "3")
	return c
}

// DialRESP2 is like Dial, but sends neither HELLO nor a password.
func (s *Server) DialRESP2(tb testing.TB) *Client {
	tb.Helper()
	conn, err := net.Dial("tcp", s.Addr)
	require.NoError(tb, err)
	return newClient(tb, conn)
}

func newClient(tb testing.TB, conn net.Conn) *Client {
	tb.Helper()
	tb.Cleanup(func() { _ = conn.Close() }) // the test may have closed it
	require.NoError(tb, conn.SetDeadline(time.Now().Add(patience)))
	return &Client{Conn: conn, Reader: parser.NewReader(conn), tb: tb}
}

// Do sends a command and returns a copy of its reply. An error reply fails the test. A push does too, so Do is only for
// connections that get no pushes.
func (c *Client) Do(args ...string) parser.Value {
	c.tb.Helper()
	c.Send(args)
	f, err := c.Reader.Next()
	require.NoError(c.tb, err)
	v := f.Clone().Value()
	require.False(c.tb, f.IsPush() || v.Type() == parser.TypeSimpleError || v.Type() == parser.TypeBulkError, "%q: %s", args, v)
	return v
}

// ID returns the connection's ID, as CLIENT ID reports it.
func (c *Client) ID() string {
	c.tb.Helper()
	return c.Do("CLIENT", "ID").String()
}

// Send sends commands in one write and reads nothing.
func (c *Client) Send(commands ...[]string) {
	c.tb.Helper()
	var b []byte
	for _, args := range commands {
		b = Append(b, args...)
	}
	require.NoError(c.tb, c.Conn.SetDeadline(time.Now().Add(patience)))
	_, err := c.Conn.Write(b)
	require.NoError(c.tb, err)
}

// Append appends a command to dst as a client sends it.
func Append(dst []byte, args ...string) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(len(args)), 10)
	for _, arg := range args {
		dst = append(dst, "\r\n$"...)
		dst = strconv.AppendInt(dst, int64(len(arg)), 10)
		dst = append(dst, "\r\n"...)
		dst = append(dst, arg...)
	}
	return append(dst, "\r\n"...)
}
