package embedded

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/command"
	"github.com/seed79615202/respush/parser"
)

// A client sends commands and reads frames, one after the other.
type client struct {
	conn net.Conn
	rd   *parser.Reader
}

func connect(t *testing.T, server *Server) *client {
	t.Helper()
	conn, err := server.Dial()
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return &client{conn: conn, rd: parser.NewReader(conn)}
}

// next returns the next frame, with a space for each CR LF; do sends a command
// first.
func (c *client) next() (string, error) {
	frame, err := c.rd.Next()
	return strings.ReplaceAll(string(frame.Raw()), "\r\n", " "), err
}

func (c *client) do(args ...string) (string, error) {
	if _, err := c.conn.Write(command.Append(nil, args...)); err != nil {
		return "", err
	}
	return c.next()
}

// answers checks what a command is answered with.
func (c *client) answers(t *testing.T, want string, args ...string) {
	t.Helper()
	got, err := c.do(args...)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(got, want), got)
}

func TestTrackingTellsOfKeysThatWereAskedFor(t *testing.T) {
	const flushed = ">2 $10 invalidate _ "
	for _, test := range []struct {
		name string
		args []string
		want []string
	}{
		{"default", []string{"ON"}, []string{flushed}},
		{"broadcast", []string{"ON", "BCAST"}, []string{
			">2 $10 invalidate *1 $6 user:1 ", ">2 $10 invalidate *2 $6 user:2 $3 k:1 ", ">2 $10 invalidate *1 $3 k:1 ", flushed,
		}},
		{"prefixes", []string{"on", "bcast", "prefix", "x", "prefix", "user:"}, []string{
			">2 $10 invalidate *1 $6 user:1 ", ">2 $10 invalidate *1 $6 user:2 ", flushed,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, err := Start()
			require.NoError(t, err)
			t.Cleanup(server.Close)
			watcher := connect(t, server)
			watcher.answers(t, "%", "HELLO", "3")
			watcher.answers(t, "+OK", append([]string{"CLIENT", "TRACKING"}, test.args...)...)

			writer := connect(t, server)
			written := make(chan error, 1)
			go func() { // in memory, a push that nobody reads holds up the writer
				var errs []error
				for _, line := range []string{"SET user:1 v", "MSET user:2 v k:1 v", "DEL k:1", "FLUSHALL"} {
					_, err := writer.do(strings.Fields(line)...)
					errs = append(errs, err)
				}
				written <- errors.Join(errs...)
			}()
			for _, want := range test.want {
				got, err := watcher.next()
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
			require.NoError(t, <-written)
		})
	}
}

func TestTrackingRefusesWhatAServerRefuses(t *testing.T) {
	server, err := Start()
	require.NoError(t, err)
	t.Cleanup(server.Close)
	c := connect(t, server)
	c.answers(t, "-ERR Client tracking can be enabled only in RESP3 mode", "CLIENT", "TRACKING", "ON")
	c.answers(t, "%", "HELLO", "3")
	c.answers(t, "-ERR syntax error", "CLIENT", "TRACKING", "ON", "SIDEWAYS")
	c.answers(t, "+OK", "CLIENT", "SETNAME", "x")
}
