package goredis_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
)

const (
	invalidate  = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$16\r\nuser:00000000042\r\n"
	flush       = ">2\r\n$10\r\ninvalidate\r\n_\r\n"
	moving      = ">4\r\n$6\r\nMOVING\r\n:123\r\n:30\r\n$17\r\nredis-node-2:6379\r\n"
	message     = ">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n"
	pmessage    = ">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$2\r\nch\r\n$5\r\nhello\r\n"
	smessage    = ">3\r\n$8\r\nsmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n"
	subscribe   = ">3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n"
	unsubscribe = ">3\r\n$11\r\nunsubscribe\r\n$2\r\nch\r\n:0\r\n"
	attribute   = "|1\r\n+ttl\r\n:3600\r\n"
)

// bulk returns a bulk string of n bytes that look like the protocol.
func bulk(n int) string {
	return fmt.Sprintf("$%d\r\n%s\r\n", n, strings.Repeat(">1\r\n\n", n/5+1)[:n])
}

// split is a stream, how many replies it holds, and what must come of it.
type split struct {
	name, wire string
	replies    int
	want       []string
}

// splits are streams of a connection without a PubSub.
var splits = []split{
	{"push", invalidate + "+OK\r\n", 1, []string{`push ["invalidate" ["user:00000000042"]]`, "reply OK"}},
	{"no push", "$5\r\n>1\r\n+\r\n:7\r\n", 2, []string{"reply >1\r\n+", "reply 7"}},
	{"several", flush + moving + invalidate + ":1\r\n" + flush + ":2\r\n", 2, []string{
		`push ["invalidate" null]`, `push ["MOVING" 123 30 "redis-node-2:6379"]`,
		`push ["invalidate" ["user:00000000042"]]`, "reply 1", `push ["invalidate" null]`, "reply 2"}},
	{"simple name", ">2\r\n+invalidate\r\n_\r\n+OK\r\n", 1, []string{`push ["invalidate" null]`, "reply OK"}},
	{"verbatim name", ">2\r\n=14\r\ntxt:invalidate\r\n_\r\n+OK\r\n", 1, []string{`push ["invalidate" null]`, "reply OK"}},
	{"no name", ">2\r\n:1\r\n:2\r\n+OK\r\n", 1, []string{`push [1 2]`, "reply OK"}},
	{"empty", ">0\r\n+PONG\r\n", 1, []string{`push []`, "reply PONG"}},
	{"stray message", message + flush + "+OK\r\n", 1, []string{
		`push ["message" "ch" "hello"]`, `push ["invalidate" null]`, "reply OK"}},
	{"stray messages", flush + pmessage + smessage + ":1\r\n" + message + ":2\r\n", 2, []string{
		`push ["invalidate" null]`, `push ["pmessage" "c*" "ch" "hello"]`, `push ["smessage" "ch" "hello"]`, "reply 1",
		`push ["message" "ch" "hello"]`, "reply 2"}},
	{"stray message in a confirmation's place", subscribe + message + "+OK\r\n", 2, []string{
		"reply [subscribe ch 1]", `push ["message" "ch" "hello"]`, "reply OK"}},
	{"confirmations", subscribe + flush + unsubscribe + ":1\r\n", 3, []string{
		"reply [subscribe ch 1]", `push ["invalidate" null]`, "reply [unsubscribe ch 0]", "reply 1"}},
	{"attributes of a push", attribute + flush + "+OK\r\n", 1, []string{
		`push {"ttl": 3600} ["invalidate" null]`, "reply OK"}},
	{"several attributes of a push", attribute + attribute + flush + "+OK\r\n", 1, []string{
		`push {"ttl": 3600, "ttl": 3600} ["invalidate" null]`, "reply OK"}},
	{"attributes of a reply", attribute + attribute + "+OK\r\n", 1, []string{"reply OK"}},
	{"attributes of a stray message", attribute + message + attribute + ":1\r\n", 1, []string{
		`push {"ttl": 3600} ["message" "ch" "hello"]`, "reply 1"}},
	{"attributes of everything", attribute + flush + attribute + "+OK\r\n" + attribute + moving + attribute + ":2\r\n", 2, []string{
		`push {"ttl": 3600} ["invalidate" null]`, "reply OK",
		`push {"ttl": 3600} ["MOVING" 123 30 "redis-node-2:6379"]`, "reply 2"}},
	{"large attributes", "|1\r\n+k\r\n" + bulk(700) + "+OK\r\n|1\r\n+k\r\n" + bulk(700) + "$1\r\na\r\n", 2, []string{"reply OK", "reply a"}},
	{"nested", "*2\r\n+OK\r\n>2\r\n$10\r\ninvalidate\r\n_\r\n:1\r\n", 2, []string{"reply [OK [invalidate <nil>]]", "reply 1"}},
}

// pubSubSplits are streams of a connection with a PubSub.
var pubSubSplits = []split{
	{"message", message + flush + pmessage + smessage, 3, []string{
		"reply [message ch hello]", `push ["invalidate" null]`, "reply [pmessage c* ch hello]", "reply [smessage ch hello]"}},
	{"message behind a push", flush + message + subscribe, 2, []string{
		`push ["invalidate" null]`, "reply [message ch hello]", "reply [subscribe ch 1]"}},
	{"attributes of a message", attribute + message + attribute + ":1\r\n", 2, []string{"reply [message ch hello]", "reply 1"}},
	{"large attributes of a message", "|1\r\n+k\r\n" + bulk(700) + message + ":1\r\n", 2, []string{"reply [message ch hello]", "reply 1"}},
}

// sizes are those of the buffers that go-redis is given; it may make them 128 bytes at least.
var sizes = []int{64, 128, 512, 32 << 10}

func TestEverySplitGivesTheSame(t *testing.T) {
	eachSplit(t, splits, false)
}

func TestEverySplitGivesTheSameOnAPubSub(t *testing.T) {
	eachSplit(t, pubSubSplits, true)
}

// The option is for those that read their connections with the dispatch.Processor itself.
func TestWithPubSubChangesNothing(t *testing.T) {
	eachSplit(t, splits, false, dispatch.WithPubSub())
	eachSplit(t, pubSubSplits, true, dispatch.WithPubSub())
}

// eachSplit reads each stream in one read, in every two, and in pieces, in buffers of all sizes.
func eachSplit(t *testing.T, splits []split, pubSub bool, opts ...dispatch.Option) {
	for _, size := range sizes {
		var j journal
		l := newLink(t, j.processor(opts...), size, nil)
		l.pubSub = pubSub
		for _, c := range splits {
			t.Run(fmt.Sprint(c.name, "/buffer=", size), func(t *testing.T) {
				try := func(pieces ...any) {
					at := fmt.Sprintf("%.300q", pieces)
					a := arriving(pieces...)
					j.entries = nil
					l.rd.Reset(a)
					j.read(t, l, c.replies, at)
					require.Equal(t, c.want, j.entries, at)
					require.Zero(t, l.rd.Buffered(), at)
					require.Zero(t, a.blocked, at)
				}
				try(c.wire)
				for i := 1; i < len(c.wire); i++ {
					try(c.wire[:i], c.wire[i:])
				}
				for _, n := range []int{1, 2, 3, 7, 64} {
					try(cut(c.wire, n)...)
				}
			})
		}
	}
}

// Pushes that do not fit the buffer are moved out of it in pieces, and the pieces are of every length, one byte included.
func TestPushesLargerThanTheBuffer(t *testing.T) {
	for _, size := range sizes[:3] {
		var j journal
		l := newLink(t, j.processor(), size, nil)
		for n := size - 60; n < 3*size+60; n++ {
			push := ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(n)
			for _, behind := range []string{"+OK\r\n", flush + "+OK\r\n", attribute + "+OK\r\n"} {
				a := arriving(push + behind)
				j.entries = nil
				l.rd.Reset(a)
				j.read(t, l, 1, n)
				want := []string{pushIn(t, push), "reply OK"}
				if strings.HasPrefix(behind, flush) {
					want = slices.Insert(want, 1, pushIn(t, flush))
				}
				require.Equal(t, want, j.entries, n)
				require.Zero(t, a.blocked, n)
			}
		}
	}
}

func TestALargePushInEveryTwoReads(t *testing.T) {
	push := ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(600)
	want := []string{pushIn(t, push), "reply OK"}
	for _, size := range sizes[:3] {
		var j journal
		l := newLink(t, j.processor(), size, nil)
		try := func(pieces ...any) {
			a := arriving(pieces...)
			j.entries = nil
			l.rd.Reset(a)
			j.read(t, l, 1, len(pieces[0].(string)))
			require.Equal(t, want, j.entries, len(pieces[0].(string)))
			require.Zero(t, a.blocked)
		}
		for i := 1; i < len(push); i++ {
			try(push[:i], push[i:], "+OK\r\n")
		}
		try(append(cut(push, 1), "+OK\r\n")...)
	}
}

func TestAPushOfManyBuffers(t *testing.T) {
	var j journal
	l := newLink(t, j.processor(), 32<<10, nil)
	for _, n := range []int{32<<10 - 50, 40_000, 1 << 20, 20 << 20} {
		push := ">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(n)
		j.entries = nil
		l.rd.Reset(arriving(cut(push+"+OK\r\n", 16<<10)...))
		j.read(t, l, 1)
		require.Equal(t, []string{pushIn(t, push), "reply OK"}, j.entries)
	}
}

func TestNothingIsWaitedForBehindAPush(t *testing.T) {
	// A reply is awaited, so that there is more to come; but no more than what was begun is asked for.
	for _, c := range splits {
		if strings.HasPrefix(c.wire, subscribe) || !strings.HasPrefix(c.wire, ">") {
			continue
		}
		var j journal
		a := arriving(c.wire)
		l := newLink(t, j.processor(), 128, a)
		require.NoError(t, l.process(), c.name)
		require.Zero(t, a.blocked, c.name)
	}
}
