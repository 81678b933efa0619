package proxy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/proxy"
	"github.com/seed79615202/respush/internal/test/captures"
)

// patience bounds every wait. A race build on a busy machine has taken 29 s.
const patience = 2 * time.Minute

// printed is what has been written to it.
type printed struct {
	mu   sync.Mutex
	data bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.data.String()
}

// A running is a Proxy that runs, and the server behind it, which is the test.
type running struct {
	t        *testing.T
	address  string
	upstream *net.TCPListener
	stdout   *printed
	stderr   *printed
	stop     context.CancelFunc
	ended    chan struct{} // closed when Run has returned
	err      error         // of Run
}

// start runs a Proxy, changed by change, until the end of the test.
func start(t *testing.T, change func(*proxy.Proxy)) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	upstream, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { upstream.Close() })
	ctx, stop := context.WithCancel(context.Background())
	r := &running{
		t: t, address: listener.Addr().String(), upstream: upstream.(*net.TCPListener),
		stdout: new(printed), stderr: new(printed), stop: stop, ended: make(chan struct{}),
	}
	p := proxy.Proxy{Listener: listener, Upstream: upstream.Addr().String(), Stdout: r.stdout, Stderr: r.stderr}
	if change != nil {
		change(&p)
	}
	go func() {
		defer close(r.ended)
		r.err = p.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-r.ended
	})
	return r
}

// end stops the Proxy, and waits until it has printed everything.
func (r *running) end() error {
	r.t.Helper()
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(patience):
		require.FailNow(r.t, "the proxy does not end")
	}
	return r.err
}

// link connects to the Proxy and returns both ends.
func (r *running) link() (client, server *net.TCPConn) {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.address)
	require.NoError(r.t, err)
	require.NoError(r.t, r.upstream.SetDeadline(time.Now().Add(patience)))
	server, err = r.upstream.AcceptTCP()
	require.NoError(r.t, err)
	client = conn.(*net.TCPConn)
	for _, c := range []*net.TCPConn{client, server} {
		r.t.Cleanup(func() { c.Close() })
		require.NoError(r.t, c.SetDeadline(time.Now().Add(patience)))
	}
	return client, server
}

// send writes b in pieces of many sizes, and ends the writing side.
func send(conn *net.TCPConn, b []byte, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, seed))
	for len(b) > 0 {
		n := min(1+random.IntN(1<<random.IntN(18)), len(b))
		if _, err := conn.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return conn.CloseWrite()
}

// binary returns n bytes of anything.
func binary(n int, seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, seed))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// exchange sends up from client to server and down the other way at the same
// time, and checks what arrives.
func exchange(t *testing.T, client, server *net.TCPConn, up, down []byte) {
	t.Helper()
	var sending sync.WaitGroup
	var gotUp []byte
	errs := make([]error, 3)
	for i, f := range []func() error{
		func() error { return send(client, up, 1) },
		func() error { return send(server, down, 2) },
		func() (err error) { gotUp, err = io.ReadAll(server); return err },
	} {
		sending.Add(1)
		go func() {
			defer sending.Done()
			errs[i] = f()
		}()
	}
	gotDown, err := io.ReadAll(client)
	sending.Wait()
	require.NoError(t, err)
	require.Equal(t, []error{nil, nil, nil}, errs)
	require.True(t, bytes.Equal(up, gotUp), "to the server: %d bytes became %d", len(up), len(gotUp))
	require.True(t, bytes.Equal(down, gotDown), "to the client: %d bytes became %d", len(down), len(gotDown))
}

// The test passes every capture on, and shows its pushes.
func TestCapturesPassUnchangedAndTheirPushesAreShown(t *testing.T) {
	t.Parallel()
	for _, json := range []bool{false, true} {
		r := start(t, func(p *proxy.Proxy) { p.Format.JSON = json })
		pushes := 0
		for i, c := range captures.All(t) {
			if c.Heavy() {
				continue
			}
			pushes += c.Pushes + c.Nested
			client, server := r.link()
			exchange(t, client, server, binary(1000*i, 3), c.Bytes)
		}
		require.NoError(t, r.end())
		require.Equal(t, pushes, strings.Count(r.stdout.String(), "\n"))
		require.Regexp(t, `^--- \d+ clients, .* in .*: .*\n`, r.stderr.String())
		require.NotContains(t, r.stderr.String(), "respush:")
	}
}

// The test passes on what is not RESP, and says so once for each client.
func TestWhatIsNotRESPPassesUnchanged(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	garbage := append([]byte("+OK\r\n>2\r\n+x\r\n:1\r\n>2\r\n+y\r\nGARBAGE"), binary(8<<20, 4)...)
	var want []string
	for range 2 {
		client, server := r.link()
		exchange(t, client, server, binary(5<<20, 5), garbage)
		want = append(want, fmt.Sprintf("respush: %s: passed on, but no longer watched for pushes: the server's stream is malformed at offset 25: unknown or misplaced type byte", client.LocalAddr()))
	}
	require.NoError(t, r.end())
	require.Equal(t, 2, strings.Count(r.stdout.String(), "  x           1\n"))
	require.Equal(t, 2, strings.Count(r.stdout.String(), "\n"))
	require.Equal(t, want, strings.Split(r.stderr.String(), "\n")[:2])
	require.Equal(t, 2, strings.Count(r.stderr.String(), "respush:"))
}

// The test passes on what nests without an end.
func TestEndlessNestingPassesUnchanged(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	client, server := r.link()
	exchange(t, client, server, nil, []byte(strings.Repeat(">2\r\n+x\r\n:1\r\n", 3)+strings.Repeat("*?\r\n", 1000)))
	require.NoError(t, r.end())
	require.Equal(t, 3, strings.Count(r.stdout.String(), "\n"))
	require.Contains(t, r.stderr.String(), ": the server's stream is nested too deep at offset 548\n")
}

// The test ends one side first, then the other.
func TestHalfClosedConnectionsStayHalfClosed(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	for _, clientFirst := range []bool{true, false} {
		first, second := r.link()
		if !clientFirst {
			first, second = second, first
		}
		_, err := first.Write([]byte("+last word\r\n"))
		require.NoError(t, err)
		require.NoError(t, first.CloseWrite())
		got, err := io.ReadAll(second)
		require.NoError(t, err)
		require.Equal(t, "+last word\r\n", string(got))
		// The other direction is open still.
		for range 3 {
			_, err = second.Write([]byte(">1\r\n+x\r\n"))
			require.NoError(t, err)
			_, err = io.ReadFull(first, make([]byte, 8))
			require.NoError(t, err)
		}
		require.NoError(t, second.Close())
		_, err = first.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
	}
	require.NoError(t, r.end())
	require.Equal(t, 3, strings.Count(r.stdout.String(), "\n"), "those of the server")
}

// The test resets one side: the other is closed.
func TestResetOfOneSideClosesTheOther(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	client, server := r.link()
	require.NoError(t, client.SetLinger(0))
	require.NoError(t, client.Close())
	_, err := io.ReadAll(server)
	requireOver(t, err)

	client, server = r.link()
	_, err = client.Write([]byte("x")) // or the proxy's dial could be what is reset
	require.NoError(t, err)
	_, err = io.ReadFull(server, make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, server.SetLinger(0))
	require.NoError(t, server.Close())
	_, err = io.ReadAll(client)
	requireOver(t, err)
	require.NoError(t, r.end())
	require.Contains(t, r.stderr.String(), fmt.Sprintf("respush: %s: connection to the server lost: connection reset by peer\n", client.LocalAddr()))
	require.Equal(t, 1, strings.Count(r.stderr.String(), "respush:"))
}

// requireOver requires that a connection has ended one way or the other.
func requireOver(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		require.ErrorIs(t, err, syscall.ECONNRESET)
	}
}

// The test has each of many get its own pushes, all at the same time.
func TestManyClientsHaveTheirOwnPushes(t *testing.T) {
	t.Parallel()
	const clients, rounds = 50, 20
	r := start(t, nil)
	names := map[string]int{}
	var all sync.WaitGroup
	failures := make(chan error, 2*clients)
	for i := range clients {
		client, server := r.link()
		names[client.LocalAddr().String()] = i
		stream := strings.Repeat(fmt.Sprintf("+OK\r\n>2\r\n+x\r\n:%d\r\n", i), rounds)
		for _, f := range []func() error{
			func() error { return send(server, []byte(stream), uint64(i)) },
			func() error {
				got, err := io.ReadAll(client)
				if err == nil && string(got) != stream {
					err = fmt.Errorf("client %d got something else", i)
				}
				return err
			},
		} {
			all.Add(1)
			go func() {
				defer all.Done()
				failures <- f()
			}()
		}
	}
	all.Wait()
	require.NoError(t, r.end())
	for range 2 * clients {
		require.NoError(t, <-failures)
	}
	shown := map[string]int{}
	for line := range strings.Lines(r.stdout.String()) {
		fields := strings.Fields(line)
		require.Len(t, fields, 4, line)
		require.Equal(t, fmt.Sprint(names[fields[1]]), fields[3], line)
		shown[fields[1]]++
	}
	require.Len(t, shown, clients)
	for name, n := range shown {
		require.Equal(t, rounds, n, name)
	}
	require.Contains(t, r.stderr.String(), "--- 50 clients, 1,000 pushes, ")
}

// The test passes on a push that is too large to be shown.
func TestLargePushPassesAndIsNotShown(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("65 MiB")
	}
	r := start(t, nil)
	client, server := r.link()
	large := fmt.Appendf(nil, ">2\r\n+large\r\n$%d\r\n", 65<<20)
	large = append(append(large, make([]byte, 65<<20)...), "\r\n>2\r\n+small\r\n:1\r\n"...)
	exchange(t, client, server, nil, large)
	require.NoError(t, r.end())
	require.Equal(t, 1, strings.Count(r.stdout.String(), "\n"))
	require.Contains(t, r.stdout.String(), "small       1\n")
	require.Regexp(t, `(?m)^ +1 +too large, not shown$`, r.stderr.String())
}

// The test closes the client's connection, tells why, and takes the next.
func TestServerThatIsDownIsToldAndTheNextClientTaken(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	down := r.upstream.Addr().String()
	require.NoError(t, r.upstream.Close())
	var want strings.Builder
	for range 2 {
		client, err := net.Dial("tcp", r.address)
		require.NoError(t, err)
		require.NoError(t, client.SetDeadline(time.Now().Add(patience)))
		_, err = client.Read(make([]byte, 1))
		require.Equal(t, io.EOF, err)
		fmt.Fprintf(&want, "respush: %s: cannot connect to %s: connection refused\n", client.LocalAddr(), down)
		require.NoError(t, client.Close())
	}
	require.NoError(t, r.end())
	require.True(t, strings.HasPrefix(r.stderr.String(), want.String()), r.stderr.String())
}

// The test ends while connections are open, idle and busy.
func TestStopEndsOpenConnections(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	client, server := r.link()
	busyClient, busyServer := r.link()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for { // nobody reads it, so that the proxy waits in a write
			if _, err := busyServer.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}()
	_, err := server.Write([]byte(">2\r\n+x\r\n:1\r\n"))
	require.NoError(t, err)
	_, err = io.ReadFull(client, make([]byte, 12))
	require.NoError(t, err)
	require.NoError(t, r.end())
	for _, conn := range []net.Conn{client, server, busyClient} {
		_, err = io.Copy(io.Discard, conn)
		requireOver(t, err)
	}
	<-sent
	require.Contains(t, r.stdout.String(), "x           1\n")
	require.Regexp(t, `--- 2 clients, 1 push, 12 B in .*\n +1 +12 B +x\n$`, r.stderr.String())
	_, err = net.Dial("tcp", r.address)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}
