package dispatch_test

import (
	"bufio"
	"context"
	"io"
	"net"
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

func TestHandlerThatIssuesACommandDoesNotDeadlock(t *testing.T) {
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

func TestFailingHandlerTakesNeitherConnectionNorHandlersWithIt(t *testing.T) {
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
