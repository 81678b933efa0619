package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
	"github.com/seed79615202/respush/cmd/respush/internal/proxy"
)

// stuck is an output that takes nothing until it is released.
type stuck struct {
	printed
	release chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.release
	return s.printed.Write(p)
}

// The test passes everything on while nothing can be printed, and says how
// much that was.
func TestStuckOutputHoldsUpNoClient(t *testing.T) {
	t.Parallel()
	out := &stuck{release: make(chan struct{})}
	release := sync.OnceFunc(func() { close(out.release) })
	defer release() // even if the test fails: the end of the proxy waits for it
	r := start(t, func(p *proxy.Proxy) { p.Stdout = out })
	client, server := r.link()
	const pushes = 300_000
	exchange(t, client, server, nil, []byte(strings.Repeat(">2\r\n+x\r\n:1\r\n", pushes)))
	release()
	require.NoError(t, r.end())
	shown := strings.Count(out.String(), "\n")
	require.Less(t, shown, pushes)
	require.Greater(t, shown, 100_000)
	require.Contains(t, r.stderr.String(), "--- 1 client, 300,000 pushes, ")
	require.Regexp(t, `(?m)^ +[\d,]+ +not shown, the output was too slow$`, r.stderr.String())
}

// The test keeps little of a large push while its client stays.
func TestLargeLineIsNotKept(t *testing.T) {
	const size = 8 << 20
	const shown = 6 * size // each of its bytes is 6 in a line
	out := &counted{want: shown, reached: make(chan struct{})}
	r := start(t, func(p *proxy.Proxy) { p.Stdout, p.Format.JSON = out, true })
	client, server := r.link()
	push := fmt.Appendf(nil, ">2\r\n+x\r\n$%d\r\n", size)
	push = append(append(push, make([]byte, size)...), "\r\n"...)
	before := heap()
	sent := make(chan error, 1)
	go func() {
		_, err := server.Write(push)
		sent <- err
	}()
	_, err := io.CopyN(io.Discard, client, int64(len(push)))
	require.NoError(t, err)
	require.NoError(t, <-sent)
	<-out.reached
	require.Eventually(t, func() bool { return heap() < before+shown/2 }, patience, time.Millisecond)
	runtime.KeepAlive(push)
	require.NoError(t, r.end())
}

// counted drops what is written to it, and tells when that was want bytes.
type counted struct {
	want    int
	reached chan struct{}
}

func (c *counted) Write(p []byte) (int, error) {
	if c.want > 0 && c.want <= len(p) {
		close(c.reached)
	}
	c.want -= len(p)
	return len(p), nil
}

// heap returns how many bytes of memory are in use.
func heap() uint64 {
	var stats runtime.MemStats
	for range 3 { // pools keep things for two
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// failing is an output that fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestFailureOfTheOutputEndsTheProxy(t *testing.T) {
	t.Parallel()
	for _, failure := range []error{syscall.EPIPE, syscall.ENOSPC} {
		r := start(t, func(p *proxy.Proxy) { p.Stdout = failing{failure} })
		client, server := r.link()
		_, err := server.Write([]byte(">2\r\n+x\r\n:1\r\n"))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, client)
		requireOver(t, err)
		<-r.ended
		require.ErrorIs(t, r.err, failure)
		require.Equal(t, failure == syscall.EPIPE, output.Closed(r.err))
		require.Empty(t, r.stderr.String())
	}
}

// A needy listener has no file descriptors at first.
type needy struct {
	net.Listener
	failures atomic.Int32
	failure  error
}

func (n *needy) Accept() (net.Conn, error) {
	if n.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: n.failure}
	}
	return n.Listener.Accept()
}

func TestProxyGoesOnAfterAFailureToAccept(t *testing.T) {
	t.Parallel()
	r := start(t, func(p *proxy.Proxy) {
		n := &needy{Listener: p.Listener, failure: syscall.EMFILE}
		n.failures.Store(2)
		p.Listener = n
	})
	client, server := r.link()
	exchange(t, client, server, []byte("PING\r\n"), []byte("+PONG\r\n"))
	require.NoError(t, r.end())
	require.Equal(t, 2, strings.Count(r.stderr.String(), "respush: cannot accept a client for now: too many open files\n"))

	r = start(t, func(p *proxy.Proxy) {
		n := &needy{Listener: p.Listener, failure: errors.New("gone")}
		n.failures.Store(1)
		p.Listener = n
	})
	select {
	case <-r.ended:
	case <-time.After(patience):
		require.FailNow(t, "the proxy does not end")
	}
	require.EqualError(t, r.err, "cannot accept clients: gone")
}
