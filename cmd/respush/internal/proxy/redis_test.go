package proxy_test

import (
	"bytes"
	"cmp"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/proxy"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// A talk is what one connection carried, whole: commands and what came back.
type talk struct{ up, down bytes.Buffer }

// A recorder passes connections on, and records them. It shares nothing with
// the proxy.
type recorder struct {
	listener net.Listener
	upstream string

	links sync.WaitGroup
	mu    sync.Mutex
	talks []*talk
}

// record starts a recorder of what goes to and from upstream.
func record(t *testing.T, upstream string) *recorder {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &recorder{listener: listener, upstream: upstream}
	r.links.Add(1)
	go func() {
		defer r.links.Done()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			r.links.Add(1)
			go func() {
				defer r.links.Done()
				r.pass(conn.(*net.TCPConn))
			}()
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return r
}

func (r *recorder) pass(client *net.TCPConn) {
	defer client.Close()
	conn, err := net.Dial("tcp", r.upstream)
	if err != nil {
		return // as the client sees
	}
	defer conn.Close()
	server := conn.(*net.TCPConn)
	k := new(talk)
	r.mu.Lock()
	r.talks = append(r.talks, k)
	r.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.MultiWriter(&k.up, server), client)
		_ = server.CloseWrite()
	}()
	_, _ = io.Copy(io.MultiWriter(&k.down, client), server)
	_ = client.CloseWrite()
	<-done
}

// end returns what has been recorded, in an order that does not depend on when
// connections came, once all of them have ended.
func (r *recorder) end() []*talk {
	r.listener.Close()
	r.links.Wait()
	slices.SortFunc(r.talks, func(a, b *talk) int {
		return cmp.Or(bytes.Compare(a.up.Bytes(), b.up.Bytes()), bytes.Compare(a.down.Bytes(), b.down.Bytes()))
	})
	return r.talks
}

// A sandwich is a proxy between two recorders in front of a real server.
type sandwich struct {
	*running
	redis          *redistest.Server
	before, behind *recorder
}

func startSandwich(t *testing.T) *sandwich {
	t.Helper()
	s := &sandwich{redis: redistest.Start(t)}
	s.behind = record(t, s.redis.Addr)
	s.running = start(t, func(p *proxy.Proxy) { p.Upstream = s.behind.listener.Addr().String() })
	s.before = record(t, s.running.address)
	return s
}

// requireExact ends everything and requires that the proxy has changed nothing.
func (s *sandwich) requireExact() {
	s.t.Helper()
	before, behind := s.before.end(), s.behind.end()
	require.NoError(s.t, s.end())
	require.NotEmpty(s.t, before)
	require.Len(s.t, behind, len(before))
	for i, k := range before {
		require.NotZero(s.t, k.up.Len())
		require.NotZero(s.t, k.down.Len())
		require.True(s.t, bytes.Equal(k.up.Bytes(), behind[i].up.Bytes()))
		require.True(s.t, bytes.Equal(k.down.Bytes(), behind[i].down.Bytes()))
	}
	require.NotContains(s.t, s.stderr.String(), "respush:")
}

// client prepares a client program on the recorder in front of the proxy.
func (s *sandwich) client(name string, args ...string) *exec.Cmd {
	s.t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		require.NotEqual(s.t, "true", os.Getenv("CI"), "%s is not installed", name)
		s.t.Skip(name + " is not installed")
	}
	_, port, err := net.SplitHostPort(s.before.listener.Addr().String())
	require.NoError(s.t, err)
	return exec.Command(path, append([]string{"-h", "127.0.0.1", "-p", port}, args...)...)
}

func TestRedisCLIWorksThroughTheProxy(t *testing.T) {
	t.Parallel()
	s := startSandwich(t)
	cmd := s.client("redis-cli", "-3", "--no-raw", "--show-pushes", "yes")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout := new(printed)
	cmd.Stdout, cmd.Stderr = stdout, stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // an error says that it has ended
	other := s.redis.Dial(t)
	for _, step := range []struct {
		command string
		reply   string   // as redis-cli tells it
		other   []string // what somebody else then does
		show    string   // what the proxy then shows
	}{
		{"CLIENT TRACKING ON", "OK\n", nil, ""},
		{"GET user:1", "(nil)\n", []string{"SET", "user:1", "x"}, "invalidate  1 key  user:1\n"},
		{`SET blob "\x00\xff\r\n>1"`, "OK\n", nil, ""},
		{"GET blob", `"\x00\xff\r\n>1"`, []string{"FLUSHALL"}, "invalidate  flush all\n"},
		{"DEBUG PROTOCOL push", "Some real reply following the push reply", nil, "server-cpu-usage  42\n"},
		{"MULTI", "OK\n", nil, ""},
		{"SET a 1", "QUEUED\n", nil, ""},
		{"EXEC", "1) OK\n", nil, ""},
		{"SUBSCRIBE news", `"news"`, []string{"PUBLISH", "news", "hi \xff"}, `message     channel news  "hi \xff"`},
	} {
		said := stdout.String()
		_, err = io.WriteString(stdin, step.command+"\n")
		require.NoError(t, err)
		wait(t, func() bool { return strings.Contains(strings.TrimPrefix(stdout.String(), said), step.reply) })
		if len(step.other) > 0 {
			other.Do(step.other...)
		}
		wait(t, func() bool { return strings.Contains(s.stdout.String(), step.show) })
	}
	wait(t, func() bool { return strings.Contains(stdout.String(), `"hi \xff"`) })
	require.NoError(t, cmd.Process.Kill()) // it would go on listening
	require.Error(t, cmd.Wait())
	require.Contains(t, stdout.String(), `-> invalidate: 'user:1'`)
	client := s.stdout.String()
	s.requireExact()
	require.Regexp(t, `^\d\d:\d\d:\d\d\.\d{3}  127\.0\.0\.1:\d+ +invalidate  1 key  user:1\n`, client)
	require.Contains(t, s.stderr.String(), "--- 1 client, 5 pushes, ")
}

// wait waits until done says so.
func wait(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, done, patience, 5*time.Millisecond)
}

func TestRedisBenchmarkWorksThroughTheProxy(t *testing.T) {
	t.Parallel()
	s := startSandwich(t)
	watcher := s.redis.Dial(t)
	for _, args := range [][]string{
		{"-3", "-q", "-n", "2000", "-c", "20", "-t", "set,get,lpush,lrange_100,mset", "-r", "100"},
		{"-3", "-q", "-n", "5000", "-c", "5", "-P", "50", "-t", "get"},
		{"-3", "-q", "-n", "100", "-c", "5", "-d", "300000", "-t", "set,get"},
	} {
		out, err := s.client("redis-benchmark", args...).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "requests per second")
	}
	// One more to see what all of it changes.
	tracker := s.client("redis-cli", "-3")
	stdin, err := tracker.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, tracker.Start())
	_, err = io.WriteString(stdin, "CLIENT TRACKING ON BCAST PREFIX key:\n")
	require.NoError(t, err)
	wait(t, func() bool { return strings.Contains(watcher.Do("CLIENT", "LIST").String(), " cmd=client|tracking ") })
	out, err := s.client("redis-benchmark", "-3", "-q", "-n", "500", "-c", "5", "-r", "10", "-t", "set").CombinedOutput()
	require.NoError(t, err, string(out))
	wait(t, func() bool { return strings.Contains(s.stdout.String(), "  invalidate  ") })
	require.NoError(t, stdin.Close())
	require.NoError(t, tracker.Wait())
	s.requireExact()
	summary := s.stderr.String()
	clients, err := strconv.Atoi(strings.Fields(summary)[1])
	require.NoError(t, err)
	require.Greater(t, clients, 50)
}

func TestOddScalarsOfAServerPassAndThePushesBehindThemAreShown(t *testing.T) {
	t.Parallel()
	s := startSandwich(t)
	conn, err := net.Dial("tcp", s.before.listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	rd := parser.NewReader(conn)
	reply := func(args ...string) string {
		_, err := conn.Write(redistest.Append(nil, args...))
		require.NoError(t, err)
		for {
			f, err := rd.Next()
			require.NoError(t, err)
			if !f.IsPush() {
				return string(f.Raw())
			}
		}
	}
	reply("HELLO", "3")
	reply("CLIENT", "TRACKING", "ON", "BCAST")
	for i, odd := range redistest.Odd {
		require.Equal(t, odd.Answer, reply(odd.Command...))
		require.Equal(t, "+OK\r\n", reply("SET", "key:"+strconv.Itoa(i), "v"))
		wait(t, func() bool { return strings.Contains(s.stdout.String(), "invalidate  1 key  key:"+strconv.Itoa(i)) })
	}
	require.NoError(t, conn.Close())
	s.requireExact()
}
