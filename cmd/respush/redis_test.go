package main

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/command"
	"github.com/seed79615202/respush/parser"
)

// startRedis starts a redis-server and returns its address. Without one
// installed the test is skipped, but not where the environment says CI.
func startRedis(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		require.NotEqual(t, "true", os.Getenv("CI"), "redis-server is not installed")
		t.Skip("redis-server is not installed")
	}
	for range 5 { // somebody else may take the port first
		if address := tryRedis(t, path); address != "" {
			return address
		}
	}
	require.FailNow(t, "redis-server does not start")
	return ""
}

func tryRedis(t *testing.T, path string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.NoError(t, listener.Close())

	log := newPrinted()
	cmd := exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
		"--enable-debug-command", "yes", "--dir", t.TempDir())
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // no such process: it ended by itself
		<-exited
	})
	timeout := time.After(deadline)
	for {
		text, more := log.next()
		if strings.Contains(text, "Ready to accept connections") {
			return address
		}
		select {
		case <-more:
		case <-exited:
			return ""
		case <-timeout:
			require.FailNow(t, "redis-server is not ready", "%s", text)
		}
	}
}

// A client sends commands and takes their replies.
type client struct {
	t    *testing.T
	conn net.Conn
	rd   *parser.Reader
}

func connect(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(2*deadline)))
	return &client{t: t, conn: conn, rd: parser.NewReader(conn)}
}

func (c *client) do(args ...string) string {
	c.t.Helper()
	_, err := c.conn.Write(command.Append(nil, args...))
	require.NoError(c.t, err)
	reply, err := c.rd.Next()
	require.NoError(c.t, err)
	require.NotEqual(c.t, parser.TypeSimpleError, reply.Type(), reply.Value().String())
	return reply.Value().String()
}

func TestRedisTracking(t *testing.T) {
	t.Parallel()
	address := startRedis(t)
	p := start(t, "tail", "redis://"+address, "--track", "--bcast", "--subscribe", "news")
	p.stdout.wait(t, "subscribe   channel news  1 subscribed\n")

	other := connect(t, address)
	other.do("SET", "user:1", "ada")
	p.stdout.wait(t, "invalidate  1 key  user:1\n")

	many := []string{"MSET"}
	for i := range 1000 {
		many = append(many, "k"+strconv.Itoa(i), "v")
	}
	other.do(many...)
	p.stdout.wait(t, "invalidate  1000 keys  ")
	p.stdout.wait(t, " ... 990 more\n")

	other.do("FLUSHALL")
	p.stdout.wait(t, "invalidate  flush all\n")

	require.Equal(t, "1", other.do("PUBLISH", "news", "binary \x00\x01\xfe\xff\r\n"))
	p.stdout.wait(t, `message     channel news  "binary \x00\x01\xfe\xff\r\n"`+"\n")

	require.Equal(t, "1", other.do("PUBLISH", "news", strings.Repeat("x", 5<<20)))
	p.stdout.wait(t, `"... (5242880 bytes)`+"\n")

	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	require.Equal(t, map[string]int{"subscribe": 1, "invalidate": 3, "message": 2}, names(t, p))
	stderr := p.stderr.String()
	require.Contains(t, stderr, "--- 6 pushes, 5.3 MB in ")
	require.Regexp(t, `(?m)^ +3 +\S+ kB +invalidate$`, stderr)
	require.Regexp(t, `(?m)^ +2 +5.2 MB +message$`, stderr)
	require.Regexp(t, `(?m)^ +0 +unhandled`, stderr)
}

func TestRedisSubscriptions(t *testing.T) {
	t.Parallel()
	address := startRedis(t)
	p := start(t, "tail", "redis://"+address+"/3", "--subscribe", "a", "--subscribe", "b,c", "--psubscribe", "a*",
		"--ssubscribe", "shard", "--bcast", "--prefix", "user:", "--prefix", "item:", "--count", "9")
	p.stdout.wait(t, "ssubscribe  shard channel shard  1 subscribed\n")
	p.stdout.wait(t, "subscribe   channel b,c  2 subscribed\n")
	p.stdout.wait(t, "psubscribe  pattern a*  3 subscribed\n")

	other := connect(t, address)
	other.do("SELECT", "3")
	other.do("MSET", "other:1", "x", "user:1", "x")
	p.stdout.wait(t, "invalidate  1 key  user:1\n")
	other.do("SET", "item:7", "x")
	p.stdout.wait(t, "invalidate  1 key  item:7\n")
	other.do("PUBLISH", "a", "1")
	p.stdout.wait(t, `message     channel a  "1"`)
	p.stdout.wait(t, `pmessage    pattern a* channel a  "1"`)
	other.do("SPUBLISH", "shard", "2")
	p.stdout.wait(t, `smessage    shard channel shard  "2"`)

	require.Zero(t, p.exit(), p.stderr.String()) // that were 9
	require.Len(t, p.stdout.lines(), 9)
}

func TestRedisRefuses(t *testing.T) {
	t.Parallel()
	address := startRedis(t)
	admin := connect(t, address)
	admin.do("ACL", "SETUSER", "ada", "on", ">sesame", "+@all", "resetchannels", "&news")
	admin.do("CONFIG", "SET", "requirepass", "secret")

	for _, test := range []struct {
		login string
		args  []string
		want  string
	}{
		{"", nil, "the server wants a password"},
		{":wrong@", nil, "wrong user or password (WRONGPASS"},
		{"ada:sesame@", []string{"--subscribe", "news", "--subscribe", "private"}, "SUBSCRIBE private: NOPERM"},
		{"ada:sesame@", []string{"--bcast", "--prefix", "a", "--prefix", "ab"}, "CLIENT TRACKING ON BCAST PREFIX a PREFIX ab: ERR Prefix"},
	} {
		p := start(t, append([]string{"tail", "redis://" + test.login + address}, test.args...)...)
		require.Contains(t, failed(t, p, exitError), test.want)
	}
	p := start(t, "tail", "redis://:secret@"+address+"/99", "--bcast")
	require.Contains(t, failed(t, p, exitError), "SELECT 99: ERR DB index is out of range")
}

// TestRedisGoes kills the connection, then ends the server.
func TestRedisGoes(t *testing.T) {
	t.Parallel()
	address := startRedis(t)
	p := start(t, "tail", "redis://"+address, "--subscribe", "news", "--json")
	p.stdout.wait(t, `"name":"subscribe"`)
	other := connect(t, address)
	require.Equal(t, "1", other.do("CLIENT", "KILL", "TYPE", "pubsub"))
	require.Contains(t, failed(t, p, exitError), "the server closed the connection after 1 push")
	require.Contains(t, p.stderr.String(), "--- 1 push, ")

	p = start(t, "tail", "redis://"+address, "--for", "100ms", "--track", "--json")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Empty(t, p.stdout.lines())
	require.Contains(t, p.stderr.String(), "--- 0 pushes, 0 B in ")
}
