package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pushLine is a line of the text output.
var pushLine = regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}  (\S+) +\S.*$`)

// names returns how often each push was printed.
func names(t *testing.T, p *process) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, line := range p.stdout.lines() {
		parts := pushLine.FindStringSubmatch(line)
		require.NotNil(t, parts, line)
		counts[parts[1]]++
	}
	return counts
}

func TestEmbeddedServerShowsEveryKindOfPush(t *testing.T) {
	t.Parallel()
	p := start(t, "tail", "--for", "10m")
	for _, last := range []string{"MOVING      seq 8  ", "channel metrics.rounds  \"1\"", "flush all\n"} { // of the first round
		p.stdout.wait(t, last)
	}
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	counts := names(t, p)
	for _, name := range []string{
		"invalidate", "message", "pmessage", "subscribe", "psubscribe", "MOVING", "MIGRATING", "MIGRATED",
		"FAILING_OVER", "FAILED_OVER", "SMIGRATING", "SMIGRATED",
	} {
		require.NotZero(t, counts[name], name)
	}
	stdout := p.stdout.String()
	for _, words := range []string{
		"subscribe   channel news  1 subscribed",
		"psubscribe  pattern metrics.*  2 subscribed",
		"invalidate  1 key  user:1\n",
		"invalidate  3 keys  user:1 user:2 user:3\n",
		`invalidate  1 key  "session:\x00\xff"`,
		"invalidate  1000 keys  item:0 item:1",
		"... 990 more",
		"invalidate  flush all",
		`message     channel news  "hello, world"`,
		`binary: \x00\x01\xfe\xff\r\n"`,
		`"... (140000 bytes)`,
		`pmessage    pattern metrics.* channel metrics.cpu  "0.42"`,
		"MOVING      seq 1  in 30s  to redis-node-2:6379",
		"SMIGRATED   seq 7  node-1:6379 to node-2:6379 slots 123; node-1:6379 to node-3:6379 slots 789-1000",
		"MOVING      seq 8  now  to the same address",
	} {
		require.Contains(t, stdout, words)
	}
	stderr := p.stderr.String()
	require.Contains(t, stderr, "embedded server")
	require.Regexp(t, `--- \d+ pushes, \d+ kB in \S+s: `, stderr)
	require.Regexp(t, `(?m)^ +\d+ +\S+ \w?B +invalidate$`, stderr)
	require.Regexp(t, `(?m)^ +0 +unhandled`, stderr)
	require.Regexp(t, `(?m)^ +0 +errors$`, stderr)
}

func TestEmbeddedServerEndsByItself(t *testing.T) {
	t.Parallel()
	p := start(t, "tail")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Contains(t, p.stderr.String(), "with 3s of traffic\n")
	require.Regexp(t, `(?m)^--- \d+ push(es)?, `, p.stderr.String())
}

func TestEmbeddedServerShowsPushesAsJSON(t *testing.T) {
	t.Parallel()
	p := start(t, "tail", "--json", "--count", "8")
	require.Zero(t, p.exit(), p.stderr.String())
	lines := p.stdout.lines()
	require.Len(t, lines, 8)
	names := map[string]bool{}
	for _, line := range lines {
		var push struct {
			Time  time.Time
			Name  string
			Bytes int
			Args  []any
		}
		require.NoError(t, json.Unmarshal([]byte(line), &push), line)
		require.WithinDuration(t, time.Now(), push.Time, time.Minute)
		require.Positive(t, push.Bytes)
		require.NotEmpty(t, push.Args)
		names[push.Name] = true
	}
	require.Equal(t, map[string]bool{
		"subscribe": true, "psubscribe": true, "invalidate": true, "message": true, "pmessage": true, "MOVING": true,
	}, names)
}

func TestEmbeddedListensAsTold(t *testing.T) {
	t.Parallel()
	p := start(t, "tail", "--bcast", "--prefix", "user:", "--subscribe", "metrics.cpu", "--for", "10m")
	p.stdout.wait(t, "flush all\n") // the end of the first round
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	stdout := p.stdout.String()
	require.Contains(t, stdout, "1 key  user:1")
	require.Contains(t, stdout, `message     channel metrics.cpu  "0.42"`)
	require.NotContains(t, stdout, "session:")
	require.NotContains(t, stdout, "pmessage")
}

func TestEmbeddedCountsConfirmations(t *testing.T) {
	t.Parallel()
	p := start(t, "tail", "--count", "1")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Equal(t, map[string]int{"subscribe": 1}, names(t, p))
	require.Contains(t, p.stderr.String(), "--- 1 push, ")
}

func TestEmbeddedServerEndsWhenInterrupted(t *testing.T) {
	t.Parallel()
	p := start(t, "tail", "--for", "10m")
	p.stdout.wait(t, "MOVING")
	p.interrupt()
	require.Zero(t, p.exit(), p.stderr.String())
	require.Contains(t, p.stderr.String(), " invalidate\n")
}

// The test is respush tail | head -1.
func TestTailEndsWellWhenItsOutputIsClosed(t *testing.T) {
	t.Parallel()
	rd, wr, err := os.Pipe()
	require.NoError(t, err)
	p := prepare(t, wr, "tail", "--for", "10m")
	p.run()
	require.NoError(t, wr.Close())
	buf := make([]byte, 1)
	_, err = rd.Read(buf)
	require.NoError(t, err)
	require.NoError(t, rd.Close())
	require.Zero(t, p.exit(), p.stderr.String())
	require.Equal(t, 1, strings.Count(p.stderr.String(), "\n"), p.stderr.String()) // the line about the embedded server
}
