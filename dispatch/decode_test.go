package dispatch_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// decoded are elements on the wire, and the values that go-redis' ReadReply (v9.22.0) returns for them inside a push.
var decoded = []struct {
	name, wire string
	want       interface{}
}{
	{"simple string", "+OK\r\n", "OK"},
	{"empty simple string", "+\r\n", ""},
	{"bulk string", "$3\r\na\r\n\r\n", "a\r\n"},
	{"empty bulk string", "$0\r\n\r\n", ""},
	{"binary", "$3\r\n\x00\xff\n\r\n", "\x00\xff\n"},
	{"verbatim string", "=15\r\ntxt:Some string\r\n", "Some string"},
	{"markdown", "=5\r\nmkd:#\r\n", "#"},
	{"empty verbatim string", "=4\r\ntxt:\r\n", ""},
	{"integer", ":42\r\n", int64(42)},
	{"negative", ":-42\r\n", int64(-42)},
	{"signed", ":+42\r\n", int64(42)},
	{"zeros before", ":007\r\n", int64(7)},
	{"smallest", ":-9223372036854775808\r\n", int64(math.MinInt64)},
	{"largest", ":9223372036854775807\r\n", int64(math.MaxInt64)},
	{"double", ",1.25\r\n", 1.25},
	{"whole double", ",10\r\n", float64(10)},
	{"double with exponent", ",-1.5e-3\r\n", -1.5e-3},
	{"inf", ",inf\r\n", math.Inf(1)},
	{"-inf", ",-inf\r\n", math.Inf(-1)},
	{"true", "#t\r\n", true},
	{"false", "#f\r\n", false},
	{"big number", "(3492890328409238509324850943850943825024385\r\n", bigInt("3492890328409238509324850943850943825024385")},
	{"small big number", "(-7\r\n", big.NewInt(-7)},
	{"null", "_\r\n", nil},
	{"null bulk string", "$-1\r\n", nil},
	{"null array", "*-1\r\n", nil},
	{"array", "*3\r\n:1\r\n+two\r\n_\r\n", []interface{}{int64(1), "two", nil}},
	{"empty array", "*0\r\n", []interface{}{}},
	{"array in array", "*1\r\n*1\r\n#t\r\n", []interface{}{[]interface{}{true}}},
	{"set", "~2\r\n+a\r\n+a\r\n", []interface{}{"a", "a"}},
	{"empty set", "~0\r\n", []interface{}{}},
	{"map", "%2\r\n+a\r\n:1\r\n:2\r\n*1\r\n,3\r\n", map[interface{}]interface{}{"a": int64(1), int64(2): []interface{}{float64(3)}}},
	{"empty map", "%0\r\n", map[interface{}]interface{}{}},
	{"map with a key twice", "%2\r\n+a\r\n:1\r\n+a\r\n:2\r\n", map[interface{}]interface{}{"a": int64(2)}},
	{"map with a null value", "%1\r\n#t\r\n_\r\n", map[interface{}]interface{}{true: nil}},
	{"attribute before it", "|1\r\n+ttl\r\n:3600\r\n:42\r\n", int64(42)},
	{"attribute inside it", "*1\r\n|1\r\n+k\r\n*1\r\n+v\r\n$1\r\na\r\n", []interface{}{"a"}},
}

func bigInt(digits string) *big.Int {
	n, _ := new(big.Int).SetString(digits, 10)
	return n
}

// notifies gives a push of one more element to a NotificationHandler, and returns what that was given.
func notifies(t *testing.T, element string) []interface{} {
	t.Helper()
	p, _, failed := recording()
	owned := new(notified)
	require.NoError(t, p.RegisterHandler("a", owned, false))
	c := ownBuffer()(t, ">3\r\n+a\r\n"+element+"+end\r\n"+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Empty(t, *failed)
	require.Len(t, owned.got, 1)
	require.Len(t, owned.got[0], 3)
	require.Equal(t, "a", owned.got[0][0])
	require.Equal(t, "end", owned.got[0][2])
	return owned.got[0]
}

func TestNotificationsHaveTheGoTypesOfGoRedis(t *testing.T) {
	for _, d := range decoded {
		t.Run(d.name, func(t *testing.T) {
			require.Equal(t, d.want, notifies(t, d.wire)[1])
		})
	}
}

func TestNotificationsHoldNaN(t *testing.T) {
	for _, nan := range []string{",nan\r\n", ",-nan\r\n"} {
		got, ok := notifies(t, nan)[1].(float64)
		require.True(t, ok)
		require.True(t, math.IsNaN(got))
	}
}

// go-redis has a type of its own for the errors of a server. Like ours, it is an error and a string with the server's
// text.
func TestNotificationsHoldErrorsAsErrors(t *testing.T) {
	for wire, text := range map[string]string{
		"-ERR no such key\r\n":             "ERR no such key",
		"!21\r\nSYNTAX invalid syntax\r\n": "SYNTAX invalid syntax",
		"-\r\n":                            "",
	} {
		got := notifies(t, wire)[1]
		err, ok := got.(error)
		require.True(t, ok)
		require.EqualError(t, err, text)
		require.Equal(t, parser.ServerError(text), got)
	}
	got := notifies(t, "%1\r\n+k\r\n-ERR no\r\n")[1]
	require.Equal(t, map[interface{}]interface{}{"k": parser.ServerError("ERR no")}, got)
}

// These are elements that go-redis does not read, or reads as another value.
func TestNotificationsBeyondGoRedis(t *testing.T) {
	for _, d := range []struct {
		name, wire string
		want       interface{}
	}{
		{"streamed string", "$?\r\n;3\r\nabc\r\n;2\r\nde\r\n;0\r\n", "abcde"},
		{"streamed array", "*?\r\n:1\r\n+b\r\n.\r\n", []interface{}{int64(1), "b"}},
		{"streamed map", "%?\r\n+k\r\n:1\r\n.\r\n", map[interface{}]interface{}{"k": int64(1)}},
		{"push out of band", "*1\r\n>1\r\n+n\r\n:1\r\n", []interface{}{int64(1)}},
		{"double beyond its range", ",1e999\r\n", math.Inf(1)},
		{"map with a null key", "%1\r\n_\r\n:1\r\n", map[interface{}]interface{}{nil: int64(1)}},
	} {
		t.Run(d.name, func(t *testing.T) {
			got := new(notified)
			p := dispatch.NewProcessor()
			require.NoError(t, p.RegisterHandler("a", got, false))
			f, _, err := parser.Parse([]byte(">2\r\n+a\r\n" + d.wire))
			require.NoError(t, err)
			p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f)
			require.Equal(t, [][]interface{}{{"a", d.want}}, got.got)
		})
	}
}

// go-redis fails in the middle of the frame. Here only this push cannot be decoded, and the stream goes on.
func TestNotificationThatCannotBeDecodedIsAnErrorOfItsHandler(t *testing.T) {
	for _, key := range []string{"*1\r\n:1\r\n", "%0\r\n", "~0\r\n"} {
		p, others, failed := recording()
		owned := new(notified)
		require.NoError(t, p.RegisterHandler("a", owned, false))
		c := ownBuffer()(t, ">2\r\n+a\r\n%1\r\n"+key+":1\r\n"+push("b")+push("a", "fine")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, reports{{"a", parser.ErrMapKey}}, *failed)
		require.Equal(t, [][]interface{}{{"a", "fine"}}, owned.got)
		require.Equal(t, []string{push("b")}, others.pushes)
		require.EqualValues(t, 1, p.Stats().Errors)
	}
}

func TestNotificationNameIsItsFirstElement(t *testing.T) {
	for _, name := range []string{"+a\r\n", "$1\r\na\r\n", "=5\r\ntxt:a\r\n", attribute + "+a\r\n", "$?\r\n;1\r\na\r\n;0\r\n"} {
		p := dispatch.NewProcessor()
		owned := new(notified)
		require.NoError(t, p.RegisterHandler("a", owned, false))
		c := ownBuffer()(t, attribute+">1\r\n"+name+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, [][]interface{}{{"a"}}, owned.got)
	}
}

func TestNotificationErrorsAreReported(t *testing.T) {
	p, _, failed := recording()
	owned := &notified{err: errHandler}
	require.NoError(t, p.RegisterHandler("a", owned, false))
	c := ownBuffer()(t, push("a", strings.Repeat("x", 100))+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, reports{{"a", errHandler}}, *failed)
}
