package notify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A shape is a push and the result of parsing it: a view in the form of view.dump and its line, or an error.
type shape struct {
	name    string
	wire    string // with a LF for each CR LF
	dump    string
	line    string
	element int // where the error is
	cause   error
}

func good(name, wire, dump, line string) shape {
	return shape{name: name, wire: wire, dump: dump, line: line}
}

func bad(name, wire string, element int, cause error) shape {
	return shape{name: name, wire: wire, element: element, cause: cause}
}

// bytes returns the push as it is on the wire.
func (s shape) bytes() []byte { return []byte(strings.ReplaceAll(s.wire, "\n", "\r\n")) }

// bulk writes texts as bulk strings.
func bulk(texts ...string) string {
	var out strings.Builder
	for _, text := range texts {
		fmt.Fprintf(&out, "$%d\n%s\n", len(text), text)
	}
	return out.String()
}

// shapes has every row of the table of known pushes, with all that is accepted and examples of what is not.
func shapes() map[notify.Family][]shape {
	return map[notify.Family][]shape{
		notify.FamilyInvalidation:        invalidations,
		notify.FamilyMessage:             messages,
		notify.FamilySubscription:        subscriptions,
		notify.FamilyMoving:              movings,
		notify.FamilyMigration:           migrations,
		notify.FamilySlotMigration:       append(slotsMoving, slotsMoved...),
		notify.FamilyTrackingRedirBroken: redirections,
		notify.FamilyServerCPUUsage:      usages,
	}
}

var invalidations = []shape{
	good("one key", ">2\n"+bulk("invalidate")+"*1\n"+bulk("user:1"), `"user:1"`, "invalidate  1 key  user:1"),
	good("two keys", ">2\n"+bulk("invalidate")+"*2\n"+bulk("a", "b"), `"a" "b"`, "invalidate  2 keys  a b"),
	good("binary keys", ">2\n"+bulk("invalidate")+"*3\n"+bulk("k\x00\xff", "a b", ""), `"k\x00\xff" "a b" ""`,
		`invalidate  3 keys  "k\x00\xff" "a b" ""`),
	good("null", ">2\n"+bulk("invalidate")+"_\n", "all", "invalidate  flush all"),
	good("null bulk", ">2\n"+bulk("invalidate")+"$-1\n", "all", "invalidate  flush all"),
	good("null array", ">2\n"+bulk("invalidate")+"*-1\n", "all", "invalidate  flush all"),
	good("no keys", ">2\n"+bulk("invalidate")+"*0\n", "", "invalidate  0 keys"),
	good("single key", ">2\n"+bulk("invalidate", "user:1"), `"user:1"`, "invalidate  1 key  user:1"),
	good("single empty key", ">2\n"+bulk("invalidate", ""), `""`, `invalidate  1 key  ""`),
	good("simple strings", ">2\n+invalidate\n*2\n+a\n+b\n", `"a" "b"`, "invalidate  2 keys  a b"),
	good("verbatim strings", ">2\n=14\ntxt:invalidate\n*1\n=5\ntxt:a\n", `"a"`, "invalidate  1 key  a"),
	good("streamed", ">2\n$?\n;10\ninvalidate\n;0\n*?\n$?\n;1\na\n;1\nb\n;0\n+c\n.\n", `"ab" "c"`, "invalidate  2 keys  ab c"),
	good("attributes", "|1\n+a\n+b\n>2\n|1\n+a\n+b\n"+bulk("invalidate")+"|1\n+a\n+b\n*1\n|1\n+a\n+b\n+k\n", `"k"`, "invalidate  1 key  k"),
	good("push among the keys", ">2\n"+bulk("invalidate")+"*2\n+a\n>2\n+message\n*1\n:1\n+b\n", `"a" "b"`, "invalidate  2 keys  a b"),

	bad("nothing", ">1\n"+bulk("invalidate"), 1, notify.ErrMissing),
	bad("too much", ">3\n"+bulk("invalidate")+"*1\n"+bulk("k")+"*1\n"+bulk("k"), 2, notify.ErrExtra),
	bad("keys without an array", ">3\n"+bulk("invalidate", "a", "b"), 2, notify.ErrExtra),
	bad("number", ">2\n"+bulk("invalidate")+":1\n", 1, notify.ErrType),
	bad("set", ">2\n"+bulk("invalidate")+"~1\n"+bulk("k"), 1, notify.ErrType),
	bad("map", ">2\n"+bulk("invalidate")+"%1\n"+bulk("k", "v"), 1, notify.ErrType),
	bad("error", ">2\n"+bulk("invalidate")+"-k\n", 1, notify.ErrType),
	bad("key a number", ">2\n"+bulk("invalidate")+"*2\n"+bulk("k")+":1\n", 1, notify.ErrType),
	bad("key a null", ">2\n"+bulk("invalidate")+"*2\n$-1\n"+bulk("k"), 1, notify.ErrType),
	bad("key an array", ">2\n"+bulk("invalidate")+"*1\n*1\n"+bulk("k"), 1, notify.ErrType),
	bad("other family", ">3\n"+bulk("message", "a", "b"), 0, notify.ErrFamily),
	bad("other name", ">2\n"+bulk("invalidated")+"_\n", 0, notify.ErrFamily),
	bad("other case", ">2\n"+bulk("INVALIDATE")+"_\n", 0, notify.ErrFamily),
	bad("array", "*2\n"+bulk("invalidate")+"_\n", 0, notify.ErrFamily),
	bad("simple string", "+invalidate\n", 0, notify.ErrFamily),
	bad("no name", ">2\n:1\n_\n", 0, notify.ErrFamily),
	bad("no elements", ">0\n", 0, notify.ErrFamily),
	bad("name an error", ">2\n-invalidate\n_\n", 0, notify.ErrFamily),
}

var messages = []shape{
	good("message", ">3\n"+bulk("message", "news", "hello"), `message "news" $"hello"`, `message  channel news  "hello"`),
	good("binary", ">3\n"+bulk("message", "a b", "\x00\xff"), `message "a b" $"\x00\xff"`, `message  channel "a b"  "\x00\xff"`),
	good("empty", ">3\n"+bulk("message", "", ""), `message "" $""`, `message  channel ""  ""`),
	good("simple strings", ">3\n+message\n+news\n+hello\n", `message "news" +"hello"`, `message  channel news  "hello"`),
	good("verbatim strings", ">3\n=11\ntxt:message\n=8\ntxt:news\n=9\nmkd:hello\n", `message "news" ="hello"`, `message  channel news  "hello"`),
	good("payload a number", ">3\n"+bulk("message", "news")+":42\n", `message "news" :42`, "message  channel news  42"),
	good("payload an array", ">3\n"+bulk("message", "news")+"*2\n"+bulk("a", "b"), `message "news" *[$"a" $"b"]`, "message  channel news  [a b]"),
	good("payload a null", ">3\n"+bulk("message", "news")+"_\n", `message "news" _`, "message  channel news  null"),
	good("payload a map", ">3\n"+bulk("message", "news")+"%1\n+k\n,1.5\n", `message "news" %[+"k" ,1.5]`, "message  channel news  {k: 1.5}"),
	good("payload an error", ">3\n"+bulk("message", "news")+"-ERR no\n", `message "news" -"ERR no"`, `message  channel news  error "ERR no"`),
	good("payload a boolean", ">3\n"+bulk("message", "news")+"#t\n", `message "news" #t`, "message  channel news  true"),
	good("redirected", ">3\n"+bulk("message", "__redis__:invalidate")+"*2\n"+bulk("a", "b"),
		`message "__redis__:invalidate" *[$"a" $"b"] invalidates "a" "b"`, "message  channel __redis__:invalidate  2 keys  a b"),
	good("redirected flush", ">3\n"+bulk("message", "__redis__:invalidate")+"*-1\n",
		`message "__redis__:invalidate" _ invalidates all`, "message  channel __redis__:invalidate  flush all"),
	good("redirected single key", ">3\n"+bulk("message", "__redis__:invalidate", "a"),
		`message "__redis__:invalidate" $"a" invalidates "a"`, "message  channel __redis__:invalidate  1 key  a"),
	good("redirected odd", ">3\n"+bulk("message", "__redis__:invalidate")+"*2\n"+bulk("a")+":1\n",
		`message "__redis__:invalidate" *[$"a" :1]`, "message  channel __redis__:invalidate  [a 1]"),
	good("smessage", ">3\n"+bulk("smessage", "news", "hello"), `smessage "news" $"hello"`, `smessage  shard channel news  "hello"`),
	good("smessage of invalidations", ">3\n"+bulk("smessage", "__redis__:invalidate")+"_\n",
		`smessage "__redis__:invalidate" _`, `smessage  shard channel __redis__:invalidate  null`),
	good("pmessage", ">4\n"+bulk("pmessage", "n*", "news", "hello"), `pmessage "n*" "news" $"hello"`,
		`pmessage  pattern n* channel news  "hello"`),
	good("pmessage of a number", ">4\n"+bulk("pmessage", "n*", "news")+":1\n", `pmessage "n*" "news" :1`,
		"pmessage  pattern n* channel news  1"),
	good("pmessage of invalidations", ">4\n"+bulk("pmessage", "*", "__redis__:invalidate")+"_\n", `pmessage "*" "__redis__:invalidate" _`,
		"pmessage  pattern * channel __redis__:invalidate  null"),

	bad("no payload", ">2\n"+bulk("message", "news"), 2, notify.ErrMissing),
	bad("nothing", ">1\n"+bulk("smessage"), 1, notify.ErrMissing),
	bad("too much", ">4\n"+bulk("message", "news", "a", "b"), 3, notify.ErrExtra),
	bad("channel a number", ">3\n"+bulk("message")+":1\n"+bulk("a"), 1, notify.ErrType),
	bad("channel a null", ">3\n"+bulk("message")+"_\n"+bulk("a"), 1, notify.ErrType),
	bad("smessage too much", ">4\n"+bulk("smessage", "news", "a", "b"), 3, notify.ErrExtra),
	bad("pmessage without a payload", ">3\n"+bulk("pmessage", "n*", "news"), 3, notify.ErrMissing),
	bad("pmessage too much", ">5\n"+bulk("pmessage", "n*", "news", "a", "b"), 4, notify.ErrExtra),
	bad("pattern an array", ">4\n"+bulk("pmessage")+"*1\n"+bulk("n*", "news", "a"), 1, notify.ErrType),
	bad("pmessage channel a null", ">4\n"+bulk("pmessage", "n*")+"_\n"+bulk("a"), 2, notify.ErrType),
	bad("other family", ">3\n"+bulk("subscribe", "a")+":1\n", 0, notify.ErrFamily),
	bad("array", "*3\n"+bulk("message", "news", "hello"), 0, notify.ErrFamily),
}

var subscriptions = []shape{
	good("subscribe", ">3\n"+bulk("subscribe", "news")+":1\n", `subscribe "news" 1`, "subscribe  channel news  1 subscribed"),
	good("psubscribe", ">3\n"+bulk("psubscribe", "n*")+":2\n", `psubscribe "n*" 2`, "psubscribe  pattern n*  2 subscribed"),
	good("ssubscribe", ">3\n"+bulk("ssubscribe", "sh")+":1\n", `ssubscribe "sh" 1`, "ssubscribe  shard channel sh  1 subscribed"),
	good("simple strings", ">3\n+subscribe\n+news\n:1\n", `subscribe "news" 1`, "subscribe  channel news  1 subscribed"),
	good("verbatim strings", ">3\n=13\ntxt:subscribe\n=8\ntxt:news\n:1\n", `subscribe "news" 1`, "subscribe  channel news  1 subscribed"),
	good("empty channel", ">3\n"+bulk("subscribe", "")+":1\n", `subscribe "" 1`, `subscribe  channel ""  1 subscribed`),
	good("unsubscribe", ">3\n"+bulk("unsubscribe", "news")+":0\n", `unsubscribe "news" 0 ends`, "unsubscribe  channel news  0 subscribed"),
	good("punsubscribe", ">3\n"+bulk("punsubscribe", "n*")+":0\n", `punsubscribe "n*" 0 ends`, "punsubscribe  pattern n*  0 subscribed"),
	good("sunsubscribe", ">3\n"+bulk("sunsubscribe", "sh")+":0\n", `sunsubscribe "sh" 0 ends`, "sunsubscribe  shard channel sh  0 subscribed"),
	good("unsubscribe nothing", ">3\n"+bulk("unsubscribe")+"_\n:0\n", "unsubscribe null 0 ends", "unsubscribe  no channel  0 subscribed"),
	good("punsubscribe nothing", ">3\n"+bulk("punsubscribe")+"$-1\n:0\n", "punsubscribe null 0 ends", "punsubscribe  no pattern  0 subscribed"),
	good("sunsubscribe nothing", ">3\n"+bulk("sunsubscribe")+"*-1\n:7\n", "sunsubscribe null 7 ends", "sunsubscribe  no shard channel  7 subscribed"),

	bad("subscribe nothing", ">3\n"+bulk("subscribe")+"_\n:0\n", 1, notify.ErrType),
	bad("psubscribe nothing", ">3\n"+bulk("psubscribe")+"$-1\n:0\n", 1, notify.ErrType),
	bad("channel a number", ">3\n"+bulk("unsubscribe")+":1\n:0\n", 1, notify.ErrType),
	bad("count a text", ">3\n"+bulk("subscribe", "news", "1"), 2, notify.ErrType),
	bad("count a null", ">3\n"+bulk("subscribe", "news")+"_\n", 2, notify.ErrType),
	bad("no count", ">2\n"+bulk("subscribe", "news"), 2, notify.ErrMissing),
	bad("too much", ">4\n"+bulk("subscribe", "news")+":1\n:2\n", 3, notify.ErrExtra),
	bad("other family", ">3\n"+bulk("message", "a", "b"), 0, notify.ErrFamily),
	bad("RESP2", "*3\n"+bulk("subscribe", "news")+":1\n", 0, notify.ErrFamily),
}

var redirections = []shape{
	good("client", ">2\n"+bulk("tracking-redir-broken")+":42\n", "42", "tracking-redir-broken  client 42 is gone"),
	good("simple name", ">2\n+tracking-redir-broken\n:42\n", "42", "tracking-redir-broken  client 42 is gone"),
	good("verbatim name", ">2\n=25\ntxt:tracking-redir-broken\n:42\n", "42", "tracking-redir-broken  client 42 is gone"),
	good("largest", ">2\n"+bulk("tracking-redir-broken")+":9223372036854775807\n", "9223372036854775807",
		"tracking-redir-broken  client 9223372036854775807 is gone"),

	bad("null", ">2\n"+bulk("tracking-redir-broken")+"_\n", 1, notify.ErrType),
	bad("text", ">2\n"+bulk("tracking-redir-broken", "42"), 1, notify.ErrType),
	bad("big number", ">2\n"+bulk("tracking-redir-broken")+"(42\n", 1, notify.ErrType),
	bad("nothing", ">1\n"+bulk("tracking-redir-broken"), 1, notify.ErrMissing),
	bad("next frame swallowed", ">3\n"+bulk("tracking-redir-broken")+":42\n+OK\n", 2, notify.ErrExtra),
	bad("other family", ">2\n"+bulk("server-cpu-usage")+":42\n", 0, notify.ErrFamily),
}

var usages = []shape{
	good("usage", ">2\n"+bulk("server-cpu-usage")+":42\n", "42", "server-cpu-usage  42"),
	good("simple name", ">2\n+server-cpu-usage\n:42\n", "42", "server-cpu-usage  42"),

	bad("text", ">2\n"+bulk("server-cpu-usage", "42"), 1, notify.ErrType),
	bad("nothing", ">1\n"+bulk("server-cpu-usage"), 1, notify.ErrMissing),
	bad("too much", ">3\n"+bulk("server-cpu-usage")+":42\n:43\n", 2, notify.ErrExtra),
	bad("other family", ">2\n"+bulk("tracking-redir-broken")+":42\n", 0, notify.ErrFamily),
}

// parse returns the one frame that wire is.
func parse(tb testing.TB, wire []byte) parser.Frame {
	tb.Helper()
	f, n, err := parser.Parse(wire)
	require.NoError(tb, err, "%q", wire)
	require.Len(tb, wire, n, "%q", wire)
	return f
}

func TestShapesAreReadOrRefusedForTheirCause(t *testing.T) {
	for family, all := range shapes() {
		for _, s := range all {
			t.Run(family.String()+"/"+s.name, func(t *testing.T) {
				wire := s.bytes()
				f := parse(t, wire)
				v, err := views[family](f)
				require.Equal(t, string(s.bytes()), string(wire), "changed")
				if s.cause == nil {
					require.NoError(t, err)
					require.Equal(t, s.dump, v.dump())
					require.Equal(t, s.line, v.String())
					if f.Attributes().Len() == 0 {
						require.Equal(t, s.line, notify.Describe(f))
					}
					return
				}
				var shapeErr *notify.ShapeError
				require.ErrorAs(t, err, &shapeErr)
				require.ErrorIs(t, err, s.cause)
				require.Equal(t, s.element, shapeErr.Element)
				require.Equal(t, family, shapeErr.Family)
				if name := notify.Name(f.Name()); notify.FamilyOf(f.Name()) != notify.FamilyUnknown {
					require.Equal(t, name, shapeErr.Push)
				} else {
					require.Empty(t, shapeErr.Push)
				}
			})
		}
	}
}
