package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// listening finds the address in what a proxy says first.
var listening = regexp.MustCompile(`^respush: listening on (127\.0\.0\.1:\d+) for (\S+)\n`)

// startProxy starts a proxy in front of upstream and returns its address.
func startProxy(t *testing.T, upstream string, args ...string) (p *process, address string) {
	t.Helper()
	p = start(t, append([]string{"proxy", "--listen", "127.0.0.1:0", "--upstream", upstream}, args...)...)
	p.stderr.wait(t, "\n")
	said := listening.FindStringSubmatch(p.stderr.String())
	require.NotNil(t, said, p.stderr.String())
	require.Equal(t, upstream, said[2])
	return p, said[1]
}

// connect opens a connection to whatever listens on address.
func connect(t *testing.T, address string) *redistest.Client {
	t.Helper()
	return (&redistest.Server{Addr: address}).DialRESP2(t)
}

func TestProxyShowsThePushesOfItsClients(t *testing.T) {
	t.Parallel()
	upstream := redistest.Start(t).Addr
	p, address := startProxy(t, upstream)
	idle, tracker := connect(t, address), connect(t, address)
	tracker.Do("HELLO", "3")
	tracker.Do("CLIENT", "TRACKING", "ON", "BCAST")
	connect(t, upstream).Do("SET", "user:1", "ada")
	p.stdout.wait(t, "  invalidate  1 key  user:1\n")
	require.Regexp(t, `^\d\d:\d\d:\d\d\.\d{3}  `+regexp.QuoteMeta(tracker.Conn.LocalAddr().String())+` +invalidate  1 key  user:1\n$`, p.stdout.String())

	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	require.Regexp(t, `\n--- 2 clients, 1 push, \d+ B in .*\n +1 +\d+ B +invalidate\n$`, p.stderr.String())
	for _, c := range []*redistest.Client{idle, tracker} {
		_, err := io.Copy(io.Discard, c.Conn)
		require.NoError(t, err)
	}
}

func TestProxyShowsPushesAsJSON(t *testing.T) {
	t.Parallel()
	upstream := redistest.Start(t).Addr
	p, address := startProxy(t, upstream, "--json")
	client := connect(t, address)
	client.Do("HELLO", "3")
	client.Send([]string{"SUBSCRIBE", "news"})
	_, err := client.Reader.Next()
	require.NoError(t, err)
	connect(t, upstream).Do("PUBLISH", "news", "\x00\xff\n")
	p.stdout.wait(t, `"message"`)
	lines := p.stdout.lines()
	require.Len(t, lines, 2)
	var push struct {
		Time   time.Time
		Client string
		Name   string
		Bytes  int
		Args   []any
	}
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &push))
	require.WithinDuration(t, time.Now(), push.Time, time.Minute)
	require.Equal(t, client.Conn.LocalAddr().String(), push.Client)
	require.Equal(t, "message", push.Name)
	require.Equal(t, []any{"news", map[string]any{"base64": "AP8K"}}, push.Args)
}

func TestProxyTellsOfAServerThatIsDown(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	upstream := listener.Addr().String()
	require.NoError(t, listener.Close())
	p, address := startProxy(t, upstream)
	client := connect(t, address)
	_, err = client.Conn.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
	p.stderr.wait(t, "respush: "+client.Conn.LocalAddr().String()+": cannot connect to "+upstream+": connection refused\n")
	p.interrupt()
	require.Zero(t, p.exit())
}

func TestProxyTellsOfAPortThatIsTaken(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := listener.Addr().String()
	p := start(t, "proxy", "--listen", taken)
	require.Equal(t, "respush: cannot listen on "+taken+": address already in use", failed(t, p, exitError))
}

// The test is respush proxy | head -1.
func TestProxyEndsWellWhenItsOutputIsClosed(t *testing.T) {
	t.Parallel()
	rd, wr, err := os.Pipe()
	require.NoError(t, err)
	p := prepare(t, wr, "proxy", "--listen", "127.0.0.1:0", "--upstream", redistest.Start(t).Addr)
	p.run()
	require.NoError(t, wr.Close())
	require.NoError(t, rd.Close())
	p.stderr.wait(t, "\n")
	client := connect(t, listening.FindStringSubmatch(p.stderr.String())[1])
	client.Do("HELLO", "3")
	_, err = client.Conn.Write([]byte("SUBSCRIBE news\r\n"))
	require.NoError(t, err)
	require.Zero(t, p.exit(), p.stderr.String())
	require.Len(t, p.stderr.lines(), 1)
}
