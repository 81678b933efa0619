package textline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/textline"
	"github.com/seed79615202/respush/parser"
)

// parse reads one push written with a LF for each CR LF.
func parse(t *testing.T, wire string) parser.Frame {
	t.Helper()
	raw := strings.ReplaceAll(wire, "\n", "\r\n")
	frame, n, err := parser.Parse([]byte(raw))
	require.NoError(t, err, wire)
	require.Equal(t, len(raw), n, wire)
	require.True(t, frame.IsPush(), wire)
	return frame
}

// words returns what a line says, its name and two spaces before it.
func words(t *testing.T, push parser.Frame) string {
	t.Helper()
	line, ok := strings.CutPrefix(string(textline.Style{}.Append(nil, at, "", push)), "10:20:30.123  ")
	require.True(t, ok, line)
	name, padded, _ := strings.Cut(line, " ")
	padded, ok = strings.CutSuffix(padded, "\n")
	require.True(t, ok, line)
	return name + "  " + strings.TrimLeft(padded, " ")
}

// bulk writes texts as bulk strings.
func bulk(texts ...string) string {
	var out strings.Builder
	for _, text := range texts {
		fmt.Fprintf(&out, "$%d\n%s\n", len(text), text)
	}
	return out.String()
}

func TestWordsSayWhatAPushIsAbout(t *testing.T) {
	for _, test := range []struct{ name, wire, want string }{
		{"invalidate", ">2\n" + bulk("invalidate") + "*2\n" + bulk("user:1", "user:2"), "invalidate  2 keys  user:1 user:2"},
		{"invalidate one", ">2\n" + bulk("invalidate") + "*1\n" + bulk("user:1"), "invalidate  1 key  user:1"},
		{"invalidate flush", ">2\n" + bulk("invalidate") + "_\n", "invalidate  flush all"},
		{"invalidate flush $-1", ">2\n" + bulk("invalidate") + "$-1\n", "invalidate  flush all"},
		{"invalidate flush *-1", ">2\n" + bulk("invalidate") + "*-1\n", "invalidate  flush all"},
		{"invalidate none", ">2\n" + bulk("invalidate") + "*0\n", "invalidate  0 keys"},
		{"invalidate single bulk", ">2\n" + bulk("invalidate", "user:1"), "invalidate  1 key  user:1"},
		{"invalidate simple name", ">2\n+invalidate\n*1\n" + bulk("a"), "invalidate  1 key  a"},
		{"invalidate verbatim name", ">2\n=14\ntxt:invalidate\n*1\n" + bulk("a"), "invalidate  1 key  a"},
		{"invalidate binary keys", ">2\n" + bulk("invalidate") + "*3\n" + bulk("k\x00\xff", "a b", ""), `invalidate  3 keys  "k\x00\xff" "a b" ""`},
		{"invalidate odd", ">3\n" + bulk("invalidate") + ":1\n:2\n", "invalidate  1 2"},
		{"invalidate bare", ">1\n" + bulk("invalidate"), "invalidate  (nothing)"},

		{"message", ">3\n" + bulk("message", "news", "hello"), `message  channel news  "hello"`},
		{"message binary", ">3\n" + bulk("message", "a b", "\x00\xff"), `message  channel "a b"  "\x00\xff"`},
		{"message redirected", ">3\n" + bulk("message", "__redis__:invalidate") + "*2\n" + bulk("a", "b"), "message  channel __redis__:invalidate  2 keys  a b"},
		{"message redirected flush", ">3\n" + bulk("message", "__redis__:invalidate") + "_\n", "message  channel __redis__:invalidate  flush all"},
		{"message of a number", ">3\n" + bulk("message", "news") + ":42\n", "message  channel news  42"},
		{"message of a list", ">3\n" + bulk("message", "news") + "*2\n" + bulk("a", "b"), "message  channel news  [a b]"},
		{"message of nothing", ">3\n" + bulk("message", "news") + "_\n", "message  channel news  null"},
		{"message short", ">2\n" + bulk("message", "news"), "message  news"},
		{"smessage", ">3\n" + bulk("smessage", "news", "hello"), `smessage  shard channel news  "hello"`},
		{"pmessage", ">4\n" + bulk("pmessage", "n*", "news", "hello"), `pmessage  pattern n* channel news  "hello"`},
		{"pmessage short", ">3\n" + bulk("pmessage", "n*", "news"), "pmessage  n* news"},

		{"subscribe", ">3\n" + bulk("subscribe", "news") + ":1\n", "subscribe  channel news  1 subscribed"},
		{"psubscribe", ">3\n" + bulk("psubscribe", "n*") + ":2\n", "psubscribe  pattern n*  2 subscribed"},
		{"ssubscribe", ">3\n" + bulk("ssubscribe", "sh") + ":1\n", "ssubscribe  shard channel sh  1 subscribed"},
		{"unsubscribe", ">3\n" + bulk("unsubscribe", "news") + ":0\n", "unsubscribe  channel news  0 subscribed"},
		{"unsubscribe nothing", ">3\n" + bulk("unsubscribe") + "_\n:0\n", "unsubscribe  no channel  0 subscribed"},
		{"punsubscribe nothing", ">3\n" + bulk("punsubscribe") + "$-1\n:0\n", "punsubscribe  no pattern  0 subscribed"},
		{"sunsubscribe", ">3\n" + bulk("sunsubscribe", "sh") + ":0\n", "sunsubscribe  shard channel sh  0 subscribed"},
		{"subscribe odd", ">3\n" + bulk("subscribe", "news", "many"), "subscribe  news many"},

		{"MOVING", ">4\n" + bulk("MOVING") + ":123\n:30\n" + bulk("redis-node-2:6379"), "MOVING  seq 123  in 30s  to redis-node-2:6379"},
		{"MOVING simple strings", ">4\n+MOVING\n:123\n:30\n+redis-node-2:6379\n", "MOVING  seq 123  in 30s  to redis-node-2:6379"},
		{"MOVING IPv6", ">4\n" + bulk("MOVING") + ":1\n:30\n" + bulk("fe80::1:6379"), "MOVING  seq 1  in 30s  to [fe80::1]:6379"},
		{"MOVING null", ">4\n" + bulk("MOVING") + ":1\n:30\n_\n", "MOVING  seq 1  in 30s  to the same address"},
		{"MOVING text null", ">4\n" + bulk("MOVING") + ":1\n:30\n" + bulk("null"), "MOVING  seq 1  in 30s  to the same address"},
		{"MOVING text <nil>", ">4\n" + bulk("MOVING") + ":1\n:30\n" + bulk("<nil>"), "MOVING  seq 1  in 30s  to the same address"},
		{"MOVING 3 elements", ">3\n" + bulk("MOVING") + ":1\n:30\n", "MOVING  seq 1  in 30s  to the same address"},
		{"MOVING now", ">4\n" + bulk("MOVING") + ":1\n:0\n" + bulk("h:1"), "MOVING  seq 1  now  to h:1"},
		{"MOVING late", ">4\n" + bulk("MOVING") + ":1\n:-5\n" + bulk("h:1"), "MOVING  seq 1  now  to h:1"},
		{"MOVING short", ">2\n" + bulk("MOVING") + ":1\n", "MOVING  1"},
		{"MOVING odd", ">4\n" + bulk("MOVING", "a", "b") + "*1\n:1\n", "MOVING  a b [1]"},
		{"MOVING long", ">5\n" + bulk("MOVING") + ":1\n:30\n" + bulk("h:1", "more"), "MOVING  1 30 h:1 more"},

		{"MIGRATING", ">4\n" + bulk("MIGRATING") + ":5\n:10\n" + bulk("1,2"), "MIGRATING  seq 5  in 10s  shards 1,2"},
		{"MIGRATING time only", ">3\n" + bulk("MIGRATING") + ":5\n:10\n", "MIGRATING  seq 5  in 10s"},
		{"MIGRATING shards only", ">3\n" + bulk("MIGRATING") + ":5\n" + bulk("1"), "MIGRATING  seq 5  shards 1"},
		{"MIGRATING 2 elements", ">2\n" + bulk("MIGRATING") + ":5\n", "MIGRATING  seq 5"},
		{"MIGRATING list", ">4\n" + bulk("MIGRATING") + ":5\n:10\n*2\n" + bulk("1", "2"), "MIGRATING  5 10 [1 2]"},
		{"MIGRATING bare", ">1\n" + bulk("MIGRATING"), "MIGRATING  (nothing)"},
		{"MIGRATING long", ">5\n" + bulk("MIGRATING") + ":5\n:10\n:1\n:2\n", "MIGRATING  5 10 1 2"},
		{"FAILING_OVER", ">4\n" + bulk("FAILING_OVER") + ":5\n:10\n" + bulk("1"), "FAILING_OVER  seq 5  in 10s  shards 1"},
		{"FAILING_OVER odd", ">4\n" + bulk("FAILING_OVER") + ":5\n" + bulk("soon", "1"), "FAILING_OVER  5 soon 1"},
		{"MIGRATED", ">3\n" + bulk("MIGRATED") + ":5\n" + bulk("1"), "MIGRATED  seq 5  shards 1"},
		{"MIGRATED 2 elements", ">2\n" + bulk("MIGRATED") + ":5\n", "MIGRATED  seq 5"},
		{"FAILED_OVER", ">3\n" + bulk("FAILED_OVER") + ":5\n" + bulk("1"), "FAILED_OVER  seq 5  shards 1"},
		{"FAILED_OVER long", ">4\n" + bulk("FAILED_OVER") + ":5\n:1\n:2\n", "FAILED_OVER  5 1 2"},

		{"SMIGRATING", ">3\n" + bulk("SMIGRATING") + ":5\n" + bulk("123,789-1000"), "SMIGRATING  seq 5  slots 123,789-1000"},
		{"SMIGRATING separate", ">5\n" + bulk("SMIGRATING") + ":5\n" + bulk("123", "789-1000") + ":7\n", "SMIGRATING  seq 5  slots 123,789-1000,7"},
		{"SMIGRATING short", ">2\n" + bulk("SMIGRATING") + ":5\n", "SMIGRATING  5"},
		{"SMIGRATED", ">3\n" + bulk("SMIGRATED") + ":5\n*2\n*3\n" + bulk("a:1", "b:2", "123,789-1000") + "*3\n" + bulk("a:1", "c:3", "7"),
			"SMIGRATED  seq 5  a:1 to b:2 slots 123,789-1000; a:1 to c:3 slots 7"},
		{"SMIGRATED simple strings", ">3\n+SMIGRATED\n:5\n*1\n*3\n+a:1\n+b:2\n+1-2\n", "SMIGRATED  seq 5  a:1 to b:2 slots 1-2"},
		{"SMIGRATED flat triples", ">3\n" + bulk("SMIGRATED") + ":5\n*6\n" + bulk("a:1", "b:2", "1", "a:1", "c:3", "2"), "SMIGRATED  seq 5  a:1 to b:2 slots 1; a:1 to c:3 slots 2"},
		{"SMIGRATED no list", ">5\n" + bulk("SMIGRATED") + ":5\n" + bulk("a:1", "b:2", "1"), "SMIGRATED  seq 5  a:1 to b:2 slots 1"},
		{"SMIGRATED pairs", ">3\n" + bulk("SMIGRATED") + ":5\n*2\n*2\n" + bulk("b:2", "1") + "*2\n" + bulk("c:3", "2-3"), "SMIGRATED  seq 5  to b:2 slots 1; to c:3 slots 2-3"},
		{"SMIGRATED flat pairs", ">3\n" + bulk("SMIGRATED") + ":5\n*4\n" + bulk("b:2", "1", "c:3", "2-3"), "SMIGRATED  seq 5  to b:2 slots 1; to c:3 slots 2-3"},
		{"SMIGRATED cut", ">3\n" + bulk("SMIGRATED") + ":5\n*1\n*2\n" + bulk("a:1", "b:2"), "SMIGRATED  5 [[a:1 b:2]]"},
		{"SMIGRATED odd", ">3\n" + bulk("SMIGRATED") + ":5\n*1\n*4\n" + bulk("a:1", "b:2", "c:3", "1"), "SMIGRATED  5 [[a:1 b:2 c:3 1]]"},

		{"tracking-redir-broken", ">2\n" + bulk("tracking-redir-broken") + ":42\n", "tracking-redir-broken  client 42 is gone"},
		{"tracking-redir-broken odd", ">2\n" + bulk("tracking-redir-broken") + "_\n", "tracking-redir-broken  null"},
		{"server-cpu-usage", ">2\n" + bulk("server-cpu-usage") + ":42\n", "server-cpu-usage  42"},

		{"unknown", ">5\n" + bulk("UNKNOWN") + "~2\n:1\n:2\n%1\n+a\n,1.5\n#t\n(123456789012345678901\n", "UNKNOWN  (1 2) {a: 1.5} true 123456789012345678901"},
		{"unknown error", ">3\n" + bulk("UNKNOWN") + "-ERR no\n!5\nSYN\x01x\n", `UNKNOWN  error "ERR no" error "SYN\x01x"`},
		{"unknown verbatim", ">2\n" + bulk("UNKNOWN") + "=8\nmkd:# hi\n", `UNKNOWN  "# hi"`},
		{"unknown deep", ">2\n" + bulk("UNKNOWN") + "*1\n*1\n*1\n*1\n*1\n*2\n:1\n:2\n", "UNKNOWN  [[[[[1 element]]]]]"},
		{"unknown streamed", ">2\n" + bulk("UNKNOWN") + "$?\n;3\nabc\n;2\nde\n;0\n", "UNKNOWN  abcde"},
		{"binary name", ">2\n" + bulk("a\x00 b") + ":1\n", `"a\x00\x20b"  1`},
		{"empty name", ">2\n" + bulk("") + ":1\n", `""  1`},
		{"no name", ">2\n:1\n:2\n", "(no-name)  1 2"},
		{"no elements", ">0\n", "(no-name)  (nothing)"},
		{"attributes", "|1\n+ttl\n:9\n>2\n+server-cpu-usage\n:42\n", "server-cpu-usage  42  attributes {ttl: 9}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, words(t, parse(t, test.wire)))
		})
	}
}

func TestWordsHaveTheBeginningOfALongList(t *testing.T) {
	var keys []string
	for i := range 1000 {
		keys = append(keys, "k"+strconv.Itoa(i))
	}
	frame := parse(t, ">2\n"+bulk("invalidate")+"*1000\n"+bulk(keys...))
	require.Equal(t, "invalidate  1000 keys  k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 ... 990 more", words(t, frame))

	frame = parse(t, ">1001\n"+bulk("many")+bulk(keys...))
	require.Equal(t, "many  k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 ... 990 more", words(t, frame))

	frame = parse(t, ">2\n"+bulk("map")+"%500\n"+bulk(keys...))
	require.Contains(t, words(t, frame), "k18: k19, ... 490 more}")

	frame = parse(t, ">1002\n"+bulk("SMIGRATING")+":5\n"+bulk(keys...))
	require.Equal(t, "SMIGRATING  5 k0 k1 k2 k3 k4 k5 k6 k7 k8 ... 991 more", words(t, frame))

	frame = parse(t, ">3\n"+bulk("SMIGRATED")+":5\n*1000\n"+bulk(keys...))
	require.Equal(t, "SMIGRATED  5 [k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 ... 990 more]", words(t, frame))
}

func TestWordsHaveTheBeginningOfALongText(t *testing.T) {
	frame := parse(t, ">3\n"+bulk("message", "news", strings.Repeat("x", 5<<20)))
	want := `message  channel news  "` + strings.Repeat("x", 64) + `"... (5242880 bytes)`
	require.Equal(t, want, words(t, frame))
}

// The test tells every push of the captures: on one line, with
// nothing that a terminal would obey.
func TestWordsOfCapturesArePrintable(t *testing.T) {
	files, err := filepath.Glob("../../../../testdata/captures/*/*.resp")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	pushes := 0
	for _, file := range files {
		stream, err := os.ReadFile(file)
		require.NoError(t, err)
		for len(stream) > 0 {
			frame, n, err := parser.Parse(stream)
			if err != nil {
				break // a capture may end in mid-frame
			}
			stream = stream[n:]
			if !frame.IsPush() {
				continue
			}
			pushes++
			line := words(t, frame)
			name, said, ok := strings.Cut(line, "  ")
			require.True(t, ok, line)
			require.NotEmpty(t, said)
			require.NotContains(t, name, " ")
			for _, r := range line {
				require.True(t, strconv.IsPrint(r), "%q in %s", line, file)
			}
		}
	}
	require.Greater(t, pushes, 100)
}
