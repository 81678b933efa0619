package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestInvalidationsAndMessagesAreShown(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := start(t, "tail", "redis://"+server.Addr, "--track", "--bcast", "--subscribe", "news")
	p.stdout.wait(t, "subscribe   channel news  1 subscribed\n")

	other := server.Dial(t)
	other.Do("SET", "user:1", "ada")
	p.stdout.wait(t, "invalidate  1 key  user:1\n")

	many := []string{"MSET"}
	for i := range 1000 {
		many = append(many, "k"+strconv.Itoa(i), "v")
	}
	other.Do(many...)
	p.stdout.wait(t, "invalidate  1000 keys  ")
	p.stdout.wait(t, " ... 990 more\n")

	other.Do("FLUSHALL")
	p.stdout.wait(t, "invalidate  flush all\n")

	require.Equal(t, "1", other.Do("PUBLISH", "news", "binary \x00\x01\xfe\xff\r\n").String())
	p.stdout.wait(t, `message     channel news  "binary \x00\x01\xfe\xff\r\n"`+"\n")

	require.Equal(t, "1", other.Do("PUBLISH", "news", strings.Repeat("x", 5<<20)).String())
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

func TestEveryKindOfSubscriptionIsShown(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := start(t, "tail", "redis://"+server.Addr+"/3", "--subscribe", "a", "--subscribe", "b,c", "--psubscribe", "a*",
		"--ssubscribe", "shard", "--bcast", "--prefix", "user:", "--prefix", "item:", "--count", "9")
	p.stdout.wait(t, "ssubscribe  shard channel shard  1 subscribed\n")
	p.stdout.wait(t, "subscribe   channel b,c  2 subscribed\n")
	p.stdout.wait(t, "psubscribe  pattern a*  3 subscribed\n")

	other := server.Dial(t)
	other.Do("SELECT", "3")
	other.Do("MSET", "other:1", "x", "user:1", "x")
	p.stdout.wait(t, "invalidate  1 key  user:1\n")
	other.Do("SET", "item:7", "x")
	p.stdout.wait(t, "invalidate  1 key  item:7\n")
	other.Do("PUBLISH", "a", "1")
	p.stdout.wait(t, `message     channel a  "1"`)
	p.stdout.wait(t, `pmessage    pattern a* channel a  "1"`)
	other.Do("SPUBLISH", "shard", "2")
	p.stdout.wait(t, `smessage    shard channel shard  "2"`)

	require.Zero(t, p.exit(), p.stderr.String()) // that were 9
	require.Len(t, p.stdout.lines(), 9)
}

func TestRefusalsNameTheCommand(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Dial(t)
	admin.Do("ACL", "SETUSER", "ada", "on", ">sesame", "+@all", "resetchannels", "&news")
	admin.Do("CONFIG", "SET", "requirepass", "secret")

	for _, test := range []struct {
		login string
		args  []string
		want  string
	}{
		{"", nil, "the server wants a password"},
		{":wrong@", nil, "wrong user or password (WRONGPASS"},
		{"ada:sesame@", []string{"--subscribe", "news", "--subscribe", "private"}, "SUBSCRIBE: NOPERM"},
		{"ada:sesame@", []string{"--bcast", "--prefix", "a", "--prefix", "ab"}, `prefix "ab" begins with prefix "a"`},
	} {
		p := start(t, append([]string{"tail", "redis://" + test.login + server.Addr}, test.args...)...)
		require.Contains(t, failed(t, p, exitError), test.want)
	}
	p := start(t, "tail", "redis://:secret@"+server.Addr+"/99", "--bcast")
	require.Contains(t, failed(t, p, exitError), "SELECT 99: ERR DB index is out of range")
}

// The test kills the connection, then ends the server.
func TestConnectionThatIsKilledIsTold(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := start(t, "tail", "redis://"+server.Addr, "--subscribe", "news", "--json", "--once")
	p.stdout.wait(t, `"name":"subscribe"`)
	other := server.Dial(t)
	require.Equal(t, "1", other.Do("CLIENT", "KILL", "TYPE", "pubsub").String())
	require.Contains(t, failed(t, p, exitError), "the server closed the connection after 1 push")
	require.Contains(t, p.stderr.String(), "--- 1 push, ")

	p = start(t, "tail", "redis://"+server.Addr, "--for", "100ms", "--track", "--json")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Empty(t, p.stdout.lines())
	require.Contains(t, p.stderr.String(), "--- 0 pushes, 0 B in ")
}

func TestOnlyWhatIsAskedForIsShownAndCounted(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := start(t, "tail", "redis://"+server.Addr, "--bcast", "--subscribe", "news", "--subscribe", "notes",
		"--only", "invalidate", "--only", "message", "--match", "user:*", "--match", "news", "--count", "3")
	other := server.Dial(t)
	for other.Do("PUBSUB", "NUMSUB", "notes").String() != `["notes" 1]` {
		// It is not there yet.
	}
	other.Do("SET", "item:7", "x")
	other.Do("PUBLISH", "notes", "x")
	other.Do("SET", "user:1", "x")
	other.Do("PUBLISH", "news", "x")
	other.Do("FLUSHALL")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Equal(t, map[string]int{"invalidate": 2, "message": 1}, names(t, p))
	require.Contains(t, p.stdout.String(), "invalidate  1 key  user:1\n")
	require.Contains(t, p.stdout.String(), "invalidate  flush all\n")
	require.Contains(t, p.stderr.String(), "--- 3 pushes, ")
	require.Regexp(t, `(?m)^ +4 +left out \(--only, --match\)$`, p.stderr.String())
}
