package respserver_test

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/internal/test/respserver"
)

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

func send(t *testing.T, conn net.Conn, cmd string) {
	t.Helper()
	_, err := conn.Write(redistest.Append(nil, strings.Fields(cmd)...))
	require.NoError(t, err)
}

func expect(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(conn, got)
	require.NoError(t, err, "%q", got[:n])
	require.Equal(t, want, string(got))
}

// The test sends the same commands to a real server and compares every byte.
func TestDefaultAnswersAsRedisDoes(t *testing.T) {
	real, fake := redistest.Start(t), respserver.Start(t)
	if real.Version != "7.0.15" {
		t.Skip("the answers are those of Redis 7.0.15")
	}
	say := func(addr string) string {
		conn := dial(t, addr)
		for _, cmd := range []string{
			"PING", "SUBSCRIBE a", "UNSUBSCRIBE", "UNSUBSCRIBE", "HELLO 4", "HELLO 3 SETNAME me", "HELLO", "PING x",
			"CLIENT SETNAME you", "CLIENT TRACKING on BCAST", "CLIENT TRACKING off", "SUBSCRIBE", "SUBSCRIBE a b a", "PSUBSCRIBE p*",
			"SSUBSCRIBE s", "UNSUBSCRIBE b x", "PUNSUBSCRIBE", "UNSUBSCRIBE", "SUNSUBSCRIBE", "SUNSUBSCRIBE", "HELLO 2", "PING",
		} {
			send(t, conn, cmd)
		}
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		answers, err := io.ReadAll(conn)
		require.NoError(t, err)
		before, rest, _ := strings.Cut(string(answers), "$2\r\nid\r\n:") // the digits of the IDs differ
		for rest != "" {
			_, tail, _ := strings.Cut(rest, "\r\n")
			var part string
			part, rest, _ = strings.Cut(tail, "$2\r\nid\r\n:")
			before += "#" + part
		}
		return before
	}
	require.Equal(t, say(real.Addr), say(fake.Addr))
}

func TestHandleEventsAndPush(t *testing.T) {
	s := respserver.Start(t)
	events := s.Events()
	s.SetRole("slave")
	conn := dial(t, s.Addr)
	send(t, conn, "HELLO 3 AUTH SETNAME pw SETNAME me")
	send(t, conn, "client tracking on")
	c := respserver.Await(t, events, "CLIENT TRACKING").Conn
	require.Equal(t, "me", c.Name())
	require.Equal(t, 3, c.Proto())
	require.Equal(t, []*respserver.Conn{c}, s.Conns())
	expect(t, conn, "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n"+
		"$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$5\r\nslave\r\n$7\r\nmodules\r\n*0\r\n+OK\r\n")
	c.Push("invalidate", []string{"k"})
	c.Push("invalidate", nil)
	c.Push("MOVING", 1, []any{"x", 2})
	expect(t, conn, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n>2\r\n$10\r\ninvalidate\r\n_\r\n>3\r\n$6\r\nMOVING\r\n:1\r\n*2\r\n$1\r\nx\r\n:2\r\n")

	s.Handle("get", func(c *respserver.Conn, cmd []string) { c.Write("+" + cmd[1] + "\r\n") })
	s.Refuse("CLIENT TRACKING", "NOPERM no")
	send(t, conn, "GET k")
	send(t, conn, "CLIENT TRACKING on")
	send(t, conn, "CLIENT ID")
	expect(t, conn, "+k\r\n-NOPERM no\r\n:1\r\n")
	s.Handle("CLIENT TRACKING", nil)
	s.ConfirmWithArrays(true)
	send(t, conn, "CLIENT TRACKING on")
	send(t, conn, "SSUBSCRIBE s")
	send(t, conn, "FOO")
	expect(t, conn, "+OK\r\n*3\r\n$10\r\nssubscribe\r\n$1\r\ns\r\n:1\r\n-ERR unknown command 'FOO', with args beginning with: \r\n")
	require.Equal(t, []string{"s"}, c.ShardChannels())
	require.Empty(t, c.Channels())
	require.Empty(t, c.Patterns())

	require.NoError(t, conn.Close())
	<-c.Done()
}

func TestCutAfterSendsExactlySoMany(t *testing.T) {
	s := respserver.Start(t)
	for n := range 15 {
		s.CutAfter(n)
		conn := dial(t, s.Addr)
		send(t, conn, "PING")
		send(t, conn, "PING")
		got, _ := io.ReadAll(conn) // the end may be a reset
		require.Equal(t, "+PONG\r\n+PONG\r\n"[:n], string(got))
	}
	require.Equal(t, 15, s.Dials())
	s.CutAfter(-1)
	conn := dial(t, s.Addr)
	send(t, conn, "PING")
	expect(t, conn, "+PONG\r\n")
	s.CloseAll()
	_, err := conn.Read(make([]byte, 1))
	require.Error(t, err)
}

func TestDelayHoldsAnswersAndNotPushes(t *testing.T) {
	s := respserver.Start(t)
	events := s.Events()
	s.Delay(time.Hour)
	conn := dial(t, s.Addr)
	send(t, conn, "PING")
	respserver.Await(t, events, "PING").Conn.Push("now")
	expect(t, conn, ">1\r\n$3\r\nnow\r\n")
	s.Delay(time.Millisecond)
	conn = dial(t, s.Addr)
	send(t, conn, "PING")
	expect(t, conn, "+PONG\r\n")
}

// The test ends connections that wait for their answers.
func TestCloseLeavesNothing(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	for range 20 {
		s := respserver.Start(t)
		events := s.Events()
		s.Delay(time.Hour)
		conn := dial(t, s.Addr)
		send(t, conn, "PING")
		respserver.Await(t, events, "PING")
		s.Close()
		require.Empty(t, s.Conns())
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, time.Minute, time.Millisecond) // Eventually runs the condition on one more
}
