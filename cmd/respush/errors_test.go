package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

const helloReply = "%1\r\n$5\r\nproto\r\n:3\r\n"

// fake starts a server that answers the commands of one connection with
// replies, whatever they are, and then closes it. It returns its URL.
func fake(t *testing.T, replies ...string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return // the test is over
		}
		defer conn.Close()
		rd := parser.NewReader(conn)
		for _, reply := range replies {
			if _, err := rd.Next(); err != nil {
				return // the client has heard enough
			}
			fmt.Fprint(conn, reply)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-done
	})
	return "redis://" + listener.Addr().String()
}

// failed waits for the end of p and checks that it failed with one line of
// explanation, which it returns.
func failed(t *testing.T, p *process, status int) string {
	t.Helper()
	require.Equal(t, status, p.exit(), p.stderr.String())
	lines := p.stderr.lines()
	require.NotEmpty(t, lines)
	last := lines[len(lines)-1]
	require.True(t, strings.HasPrefix(last, "respush: "), last)
	for _, line := range lines[:len(lines)-1] {
		require.False(t, strings.HasPrefix(line, "respush: ") && !strings.HasPrefix(line, "respush: note: "), p.stderr.String())
	}
	return last
}

func TestCommandLinesThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"tail", "localhost:6379"}, "wrong URL: want redis://host:port"},
		{[]string{"tail", "http://localhost"}, `wrong URL: scheme "http"`},
		{[]string{"tail", "redis://h/x"}, "wrong URL: the database is not a number"},
		{[]string{"tail", "redis://h", "redis://h"}, "accepts at most 1 arg"},
		{[]string{"tail", "--match", "a["}, `--match "a[": syntax error in pattern`},
		{[]string{"tail", "--sideways"}, "unknown flag: --sideways"},
		{[]string{"tail", "--for", "soon"}, `invalid argument "soon" for "--for"`},
		{[]string{"tail", "--for", "-1s"}, "--for must not be negative"},
		{[]string{"tail", "--count", "-1"}, "--count must not be negative"},
		{[]string{"tail", "--prefix", "user:"}, "--prefix needs --bcast"},
		{[]string{"tail", "--track", "--prefix", "user:"}, "--prefix needs --bcast"},
		{[]string{"tail", "redis://h", "--insecure"}, "are for rediss:// and valkeys:// URLs"},
		{[]string{"tail", "unix:///s", "--cacert", "x"}, "are for rediss:// and valkeys:// URLs"},
		{[]string{"tail", "redis://h", "--cluster", "--once"}, "--cluster and --once exclude each other"},
		{[]string{"tail", "redis://h", "--cluster", "--track"}, "--cluster needs --bcast with --track"},
		{[]string{"tail", "--cluster"}, "--cluster needs the URL of a node"},
		{[]string{"tail", "unix:///s", "--cluster"}, "--cluster needs the URL of a node"},
		{[]string{"tail", "--sni", "x"}, "are for rediss:// and valkeys:// URLs"},
		{[]string{"tail", "rediss://h", "--cert", "x"}, "--cert and --key need each other"},
		{[]string{"tail", "rediss://h", "--key", "x"}, "--cert and --key need each other"},
		{[]string{"decode", "--summary", "--pushes", "-"}, "--pushes has no meaning with --summary"},
		{[]string{"decode", "--max-frame", "huge", "-"}, `invalid argument "huge" for "--max-frame" flag: want a size, as in 64MiB`},
		{[]string{"proxy", "--listen", "6380"}, "--listen: want HOST:PORT: address 6380: missing port in address"},
		{[]string{"proxy", "--upstream", "redis://h:1"}, "--upstream: want HOST:PORT"},
		{[]string{"proxy", "--upstream", "localhost:", "--listen", ":0"}, "--upstream: want HOST:PORT: the port is missing"},
		{[]string{"proxy", "--upstream", "x", "--listen", "y"}, "--listen: want HOST:PORT"},
		{[]string{"proxy", "localhost:6379"}, "unknown command"},
		{[]string{"head"}, `unknown command "head"`},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			p := start(t, test.args...)
			require.Contains(t, failed(t, p, exitUsage), test.want)
			require.Len(t, p.stderr.lines(), 1)
			require.Empty(t, p.stdout.lines())
		})
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	t.Parallel()
	for command, words := range map[string][]string{
		"tail": {
			"--subscribe", "--psubscribe", "--ssubscribe", "--track", "--bcast", "--prefix", "--json", "--count", "--for",
			"--insecure", "--cacert", "--cert", "--key", "--sni", "--client-name", "--only", "--match", "--date", "--utc", "--record file", "--once", "--cluster", "__keyspace@0__", "NO_COLOR", "REDISCLI_AUTH", "keys that this connection has read",
		},
		"decode": {"[FILE...|-]", "--pushes", "--summary", "--json", "--max-frame size", "(default 64 MiB)", "exit status"},
		"proxy":  {"--listen host:port", "--upstream host:port", "--json", "--date", "--utc", "--record file", "exit status"},
	} {
		p := start(t, command, "--help")
		require.Zero(t, p.exit())
		for _, word := range words {
			require.Contains(t, p.stdout.String(), word)
		}
	}
}

func TestRefusedConnectionIsToldOnce(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	p := start(t, "tail", "redis://"+address, "--bcast")
	require.Equal(t, "respush: cannot connect to "+address+": connection refused", failed(t, p, exitError))
	require.Len(t, p.stderr.lines(), 1)
}

func TestRefusedLoginIsToldWithoutThePassword(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.RequireUserAuth("ada", "sesame")
	for _, test := range []struct{ login, want string }{
		{"ada:wrong@", "wrong user or password (WRONGPASS"},
		{":sesame@", "wrong user or password (WRONGPASS"},
		{"", "the server wants a password, as in redis://user:password@host or REDISCLI_AUTH (NOAUTH"},
	} {
		p := start(t, "tail", "redis://"+test.login+server.Addr(), "--subscribe", "news")
		line := failed(t, p, exitError)
		require.Contains(t, line, test.want)
		require.NotContains(t, p.stderr.String(), "sesame")
		require.Empty(t, p.stdout.lines())
	}
	p := start(t, "tail", "redis://ada:sesame@"+server.Addr()+"/2", "--subscribe", "news", "--count", "1")
	require.Zero(t, p.exit(), p.stderr.String())
}

func TestServersThatFailAreToldApart(t *testing.T) {
	t.Parallel()
	const noPushes = "--- 0 pushes, 0 B in "
	for _, test := range []struct {
		name    string
		replies []string
		want    string
		summary string // empty: none
	}{
		{"no HELLO", []string{"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"}, "the server does not speak RESP3, which pushes need (ERR unknown command", ""},
		{"no RESP3", []string{"-NOPROTO unsupported protocol version\r\n"}, "the server does not speak RESP3, which pushes need (NOPROTO", ""},
		{"RESP2 hello", []string{"*2\r\n$5\r\nproto\r\n:2\r\n"}, "the server does not speak RESP3", ""},
		{"full", []string{"-ERR max number of clients reached\r\n"}, "respush: HELLO 3: ERR max number of clients reached", ""},
		{"not Redis", []string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, "the server sent what is not RESP during HELLO", ""},
		{"gone at once", []string{""}, "the server closed the connection during HELLO", ""},
		{"gone in the hello", []string{"%1\r\n$5\r\npro"}, "the server went away in mid-frame during HELLO", ""},
		{"tracking refused", []string{helloReply, "-ERR Prefix 'a' overlaps with an existing prefix 'a'.\r\n"}, "respush: CLIENT TRACKING ON BCAST: ERR Prefix 'a' overlaps", ""},
		{"channel refused", []string{helloReply, "+OK\r\n", "-NOPERM no \x1b[31mpermissions\r\n"}, `respush: SUBSCRIBE news: NOPERM no \x1b[31mpermissions`, ""},
		{"confirms with an array", []string{helloReply, "+OK\r\n", "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"},
			"the server's confirmation of SUBSCRIBE is of type array, not push: it does not speak RESP3 throughout", ""},
		{"gone", []string{helloReply, "+OK\r\n", ">3\r\n+subscribe\r\n+news\r\n:1\r\n"}, "the server closed the connection after 1 push", "--- 1 push, 27 B in "},
		{"gone in mid-frame", []string{helloReply, "+OK\r\n", ">3\r\n+subscribe\r\n+news\r\n:1\r\n>3\r\n$7\r\nmessage\r\n$4\r\nne"}, "the server went away in mid-frame after 1 push", "--- 1 push, 27 B in "},
		{"gone after 2", []string{helloReply, "+OK\r\n", ">3\r\n+subscribe\r\n+news\r\n:1\r\n>2\r\n+x\r\n:1\r\n"}, "after 2 pushes", "    1        unhandled"},
		{"nonsense", []string{helloReply, "+OK\r\n", ">3\r\n+subscribe\r\n+news\r\n:1\r\n>-1\r\n"}, "the server sent what is not RESP after 1 push", "--- 1 push, 27 B in "},
		{"last word", []string{helloReply, "+OK\r\n", ">3\r\n+subscribe\r\n+news\r\n:1\r\n-ERR shutting down\r\n"}, "respush: the server says: ERR shutting down", "--- 1 push, 27 B in "},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := start(t, "tail", fake(t, test.replies...), "--once", "--bcast", "--subscribe", "news")
			require.Contains(t, failed(t, p, exitError), test.want)
			if test.summary == "" {
				require.Len(t, p.stderr.lines(), 1)
				return
			}
			require.Contains(t, p.stderr.String(), test.summary)
		})
	}
	t.Run("gone and nothing asked", func(t *testing.T) {
		p := start(t, "tail", fake(t, helloReply), "--once")
		require.Contains(t, failed(t, p, exitError), "the server closed the connection after 0 pushes")
		require.Contains(t, p.stderr.String(), "respush: note: no option asks for pushes")
		require.Contains(t, p.stderr.String(), noPushes)
	})
}

// The test shows that what comes early, nested or without a name is shown
// too.
func TestOddPushesAreShown(t *testing.T) {
	t.Parallel()
	url := fake(t,
		">2\r\n+early\r\n:1\r\n"+helloReply,
		"*2\r\n+OK\r\n>2\r\n+nested\r\n:1\r\n:1\r\n>2\r\n:7\r\n:8\r\n>0\r\n",
	)
	p := start(t, "tail", url, "--track")
	require.Equal(t, exitError, p.exit())
	require.Equal(t, map[string]int{"early": 1, "nested": 1, "(no-name)": 2}, names(t, p))
	require.Contains(t, p.stderr.String(), "respush: note: --track without --bcast")
}

func TestTLSServerIsVerifiedUnlessInsecure(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // has a certificate nobody trusts
	t.Cleanup(web.Close)
	server := miniredis.NewMiniRedis()
	require.NoError(t, server.StartTLS(&tls.Config{Certificates: web.TLS.Certificates}))
	t.Cleanup(server.Close)

	p := start(t, "tail", "rediss://"+server.Addr(), "--subscribe", "news", "--count", "1")
	require.Contains(t, failed(t, p, exitError), "certificate")

	p = start(t, "tail", "rediss://"+server.Addr(), "--subscribe", "news", "--count", "1", "--insecure")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Equal(t, map[string]int{"subscribe": 1}, names(t, p))
}
