package redistest_test

import (
	"crypto/tls"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestStartGivesAServerThatAnswers(t *testing.T) {
	s := redistest.Start(t, "--maxmemory", "77mb")
	require.NotEmpty(t, s.Version)
	c := s.Dial(t)
	require.Equal(t, `{"maxmemory": "80740352"}`, c.Do("CONFIG", "GET", "maxmemory").String())
	other := s.DialRESP2(t)
	require.Equal(t, `["maxmemory" "80740352"]`, other.Do("CONFIG", "GET", "maxmemory").String())
	require.NotEqual(t, c.ID(), other.ID())

	c.Send([]string{"SET", "k", "a\r\n"}, []string{"GET", "k"}, []string{"DEL"})
	for _, want := range []string{"OK", "a\r\n", "ERR wrong number of arguments for 'del' command"} {
		f, err := c.Reader.Next()
		require.NoError(t, err)
		require.Equal(t, want, f.Value().String())
	}
}

func TestStartWithoutServerSkipsTheTest(t *testing.T) {
	t.Setenv("RESPUSH_SERVER", "no-such-server")
	t.Setenv("CI", "")
	t.Run("skips", func(t *testing.T) {
		defer func() { require.True(t, t.Skipped()) }()
		redistest.Start(t)
	})
}

func TestKillAndRestartKeepAddresses(t *testing.T) {
	t.Parallel()
	s := redistest.StartWith(t, redistest.Options{Unix: true, TLS: true, Password: "secret", Args: []string{"--maxmemory", "77mb"}})
	for range 2 {
		c := s.Dial(t)
		require.Equal(t, `{"maxmemory": "80740352"}`, c.Do("CONFIG", "GET", "maxmemory").String())
		conn, err := tls.Dial("tcp", s.TLSAddr, s.TLS)
		require.NoError(t, err)
		expectNoAuth(t, conn)
		unix, err := net.Dial("unix", s.Socket)
		require.NoError(t, err)
		expectNoAuth(t, unix)

		s.Kill()
		require.False(t, s.Running())
		s.Kill()
		_, err = c.Reader.Next()
		require.Error(t, err)
		_, err = net.Dial("tcp", s.Addr)
		require.Error(t, err)
		s.Restart(t)
		require.True(t, s.Running())
	}
}

func expectNoAuth(t *testing.T, conn net.Conn) {
	t.Helper()
	defer conn.Close()
	_, err := conn.Write(redistest.Append(nil, "PING"))
	require.NoError(t, err)
	want := "-NOAUTH Authentication required.\r\n"
	got := make([]byte, len(want))
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

func TestStopFreezesAndContGoesOn(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	c := s.Dial(t)
	for range 3 {
		s.Stop(t)
		c.Send([]string{"PING"})
		require.NoError(t, c.Conn.SetReadDeadline(time.Now().Add(5*time.Millisecond)))
		_, err := c.Reader.Next()
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, c.Conn.SetReadDeadline(time.Now().Add(time.Minute)))
		s.Cont(t)
		s.WaitReady(t)
		f, err := c.Reader.Next()
		require.NoError(t, err)
		require.Equal(t, "PONG", f.Value().String())
	}
	s.Stop(t) // stays stopped, and must be killed all the same
}

// The test looks for processes that its subtests have left behind.
func TestNoProcessOutlivesItsTest(t *testing.T) {
	servers := []*redistest.Server{redistest.Start(t)} // skips the whole test, not only its subtests
	servers[0].Kill()
	t.Run("stopped", func(t *testing.T) {
		servers = append(servers, redistest.Start(t))
		servers[1].Stop(t)
	})
	t.Run("restarted", func(t *testing.T) {
		servers = append(servers, redistest.Start(t))
		servers[2].Kill()
		servers[2].Restart(t)
		t.SkipNow() // ends the goroutine as FailNow does
	})
	require.Len(t, servers, 3)
	for _, s := range servers {
		require.False(t, s.Running())
		_, err := net.Dial("tcp", s.Addr)
		require.Error(t, err)
	}
}
