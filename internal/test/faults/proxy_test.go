package faults_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/faults"
)

// echo runs a server that sends back what it receives until the end of the
// test.
func echo(t *testing.T, network, addr string) string {
	t.Helper()
	listener, err := net.Listen(network, addr)
	require.NoError(t, err)
	ended := make(chan struct{})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, p *faults.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return conn
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(conn, text)
	require.NoError(t, err)
}

func expect(t *testing.T, conn net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(conn, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

func TestProxyForwardsBothWaysAndEnds(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	conn := dial(t, p)
	big := strings.Repeat("0123456789", 20_000)
	go func() { _, _ = io.WriteString(conn, big) }()
	expect(t, conn, big)
	require.Equal(t, 1, p.Dials())
	require.Equal(t, 1, p.Conns())
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	rest, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Empty(t, rest)
	p.WaitConns(t, 0)
	p.Down().WaitPassed(t, len(big))
	require.Equal(t, len(big), p.Up().Passed())
}

func TestPauseHoldsBytesAndTheEnd(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	conn := dial(t, p)
	p.Down().Pause()
	send(t, conn, "ab")
	p.Down().WaitHeld(t, 2)
	p.Up().Pause()
	send(t, conn, "cd")
	p.Up().WaitHeld(t, 2)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Millisecond)))
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Equal(t, 1, p.Conns())

	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	p.Down().Resume()
	expect(t, conn, "ab")
	p.Up().Resume()
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "cd", string(got))
}

func TestDropLosesBytesAndKeepsTheConnection(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	conn := dial(t, p)
	p.Down().Drop(true)
	send(t, conn, "lost")
	p.Down().WaitDropped(t, 4)
	require.Equal(t, 1, p.Conns())
	p.Down().Drop(false)
	send(t, conn, "b")
	expect(t, conn, "b")
	p.Down().WaitPassed(t, 1)
	require.Equal(t, 1, p.Down().Passed())
}

func TestDelayHoldsEachChunk(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	conn := dial(t, p)
	p.Down().Delay(30 * time.Millisecond)
	start := time.Now()
	send(t, conn, "a")
	expect(t, conn, "a")
	require.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
	p.Down().Delay(time.Hour)
	send(t, conn, "b")
	p.Down().WaitHeld(t, 1)
	p.CloseAll() // does not wait for the hour
	p.WaitConns(t, 0)
}

func TestCutAfterPassesExactlySoMany(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	for n := range 7 {
		conn := dial(t, p)
		cut := p.Down().CutAfter(n)
		send(t, conn, "abc")
		if n >= 3 {
			expect(t, conn, "abc")
			send(t, conn, "defg")
		}
		<-cut
		got, _ := io.ReadAll(conn) // the end may be a reset
		require.Equal(t, "abcdefg"[min(n, 3)/3*3:n], string(got))
	}
	conn := dial(t, p)
	send(t, conn, "all")
	expect(t, conn, "all") // the cut happens only once
}

func TestCloseAllRefuseAndSetTarget(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	conn := dial(t, p)
	p.WaitConns(t, 1)
	p.CloseAll()
	_, err := conn.Read(make([]byte, 1))
	require.Error(t, err)
	p.WaitConns(t, 0)

	p.Refuse(true)
	if conn, err = net.Dial("tcp", p.Addr); err == nil {
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, conn.Close())
	}
	require.Error(t, err)
	p.WaitDials(t, 2)
	p.Refuse(false)

	p.SetTarget(filepath.Join(t.TempDir(), "nobody"))
	_, err = dial(t, p).Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)

	p.SetTarget(echo(t, "unix", filepath.Join(t.TempDir(), "s")))
	conn = dial(t, p)
	send(t, conn, "unix")
	expect(t, conn, "unix")
	require.Equal(t, 4, p.Dials())
}

// The test counts goroutines and, where the system lists them, file
// descriptors.
func TestCloseLeavesNothing(t *testing.T) {
	target := echo(t, "tcp", "127.0.0.1:0")
	goroutines, descriptors := runtime.NumGoroutine(), openFiles()
	for range 20 {
		p := faults.Start(t, target)
		conn := dial(t, p)
		p.Down().Pause()
		send(t, conn, "x")
		p.Down().WaitHeld(t, 1)
		p.Close()
		require.NoError(t, conn.Close())
		require.Zero(t, p.Conns())
	}
	require.Eventually(t, func() bool { // the echo server notices the end a little later
		return runtime.NumGoroutine() <= goroutines+1 && openFiles() <= descriptors
	}, time.Minute, time.Millisecond)
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

func TestPiecesAreWrittenOneByOneAndAddUp(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	p.Down().Pieces(3)
	conn := dial(t, p)
	text := strings.Repeat("0123456789", 10)
	send(t, conn, text)
	expect(t, conn, text)
	p.Down().WaitPassed(t, len(text))

	cut := p.Down().CutAfter(7)
	send(t, conn, text)
	expect(t, conn, text[:7])
	<-cut
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestAbruptEndIsAReset(t *testing.T) {
	p := faults.Start(t, echo(t, "tcp", "127.0.0.1:0"))
	p.Abrupt(true)
	conn := dial(t, p)
	send(t, conn, "x")
	expect(t, conn, "x")
	p.CloseAll()
	_, err := conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, syscall.ECONNRESET)
}
