package main

import (
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestServerThatIsKilledAndRestartedIsAGap(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	recording := filepath.Join(t.TempDir(), "dump.resp")
	p := start(t, "tail", "redis://"+server.Addr, "--bcast", "--subscribe", "news", "--json", "--record", recording)
	p.stdout.wait(t, `"subscribe"`)
	server.Kill()
	p.stdout.wait(t, `"event":"gap"`)
	p.stderr.wait(t, "respush: not connected: cannot connect to "+server.Addr+": connection refused; trying again\n")
	server.Restart(t)
	p.stdout.wait(t, `"event":"armed"`)
	server.Dial(t).Do("SET", "user:1", "ada")
	p.stdout.wait(t, `"invalidate"`)
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())

	lines := p.stdout.lines()
	require.Equal(t, map[string]int{"push": 3, "gap": 1, "armed": 1}, compile(t).kindsOf(t, lines), "no flush of the Feed's own")
	require.Contains(t, p.stdout.String(), `"cause":"the server closed the connection"`)
	require.Contains(t, p.stderr.String(), "--- 3 pushes, ")
	require.Regexp(t, `(?m)^ +1 +gaps, \S+s together$`, p.stderr.String())

	var pushes []string
	for _, line := range lines {
		if !regexp.MustCompile(`"event":`).MatchString(line) {
			pushes = append(pushes, line)
		}
	}
	requireRecorded(t, pushes, recording)
}

func TestServerThatFreezesIsAGap(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := start(t, "tail", "redis://"+server.Addr, "--bcast", "--subscribe", "news")
	p.stdout.wait(t, "subscribe")
	server.Stop(t)
	p.stdout.wait(t, "the server did not answer in time\n")
	p.stderr.wait(t, "respush: not connected: ")
	server.Cont(t)
	p.stdout.wait(t, "may be missing\n")
	server.Dial(t).Do("SET", "user:1", "ada")
	p.stdout.wait(t, "invalidate  1 key  user:1\n")
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	clock := `\d\d:\d\d:\d\d\.\d{3}`
	require.Regexp(t, `(?m)^`+clock+`  gap         since `+clock+`  the server did not answer in time$`, p.stdout.String())
	require.Regexp(t, `(?m)^`+clock+`  armed       again after \S+s  pushes since `+clock+` may be missing$`, p.stdout.String())
	require.Equal(t, map[string]int{"subscribe": 2, "invalidate": 1, "gap": 1, "armed": 1}, names(t, p))
}

// The server has forgotten the user's password, and is told it again.
func TestPasswordThatIsRefusedAfterARestartIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	ada := []string{"ACL", "SETUSER", "ada", "on", ">sesame", "+@all", "allchannels"}
	server.Dial(t).Do(ada...)
	p := start(t, "tail", "redis://ada:sesame@"+server.Addr, "--subscribe", "news")
	p.stdout.wait(t, "subscribe")
	server.Restart(t)
	p.stdout.wait(t, "gap ")
	p.stderr.wait(t, "respush: not connected: wrong user or password (WRONGPASS")
	require.NotContains(t, p.stdout.String(), "armed")
	server.Dial(t).Do(ada...)
	p.stdout.wait(t, "armed ")
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	require.NotContains(t, p.stderr.String(), "sesame")
}

// Before the first arming, a failure is the end: somebody has to change something.
func TestServersThatRefuseTheFirstSetUpEndTail(t *testing.T) {
	t.Parallel()
	const ok = "+OK\r\n"
	for _, test := range []struct {
		replies []string
		want    string
	}{
		{[]string{"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n"}, "the server does not speak RESP3, which pushes need (ERR unknown command"},
		{[]string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, "the server sent what is not RESP: "},
		{[]string{""}, "the server closed the connection during HELLO"},
		{[]string{helloReply, helloReply, ok, "-ERR no \x1b[31mtracking\r\n"}, `respush: CLIENT TRACKING: ERR no \x1b[31mtracking`},
		{[]string{helloReply, helloReply, ok, ok, "-NOPERM no\r\n"}, "respush: SUBSCRIBE: NOPERM no"},
		{[]string{helloReply, helloReply, ok, ok, "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"}, "it does not speak RESP3 throughout"},
		{[]string{helloReply, helloReply, ok}, "the server closed the connection"},
	} {
		p := start(t, "tail", fake(t, test.replies...), "--bcast", "--subscribe", "news")
		require.Contains(t, failed(t, p, exitError), test.want)
		require.Len(t, p.stderr.lines(), 1)
	}
}
