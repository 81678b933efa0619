package oracle_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
)

// The table of package vectors tests every rule of the oracle. The tests here
// cover the few things that the table relies on.

func ok(n int, tree string) (oracle.Result, string) {
	return oracle.Result{Verdict: oracle.OK, N: n}, tree
}

func parse(wire string, l oracle.Limits) (oracle.Result, string) {
	r := oracle.Parse([]byte(wire), l)
	tree := ""
	if r.Tree != nil {
		tree = r.Tree.String()
		r.Tree = nil
	}
	return r, tree
}

func TestParseGivesVerdictAndTree(t *testing.T) {
	for wire, want := range map[string]struct {
		r    oracle.Result
		tree string
	}{
		"":                     {oracle.Result{Verdict: oracle.Incomplete}, ""},
		"+OK\r":                {oracle.Result{Verdict: oracle.Incomplete}, ""},
		"+OK\r\n":              {oracle.Result{Verdict: oracle.OK, N: 5}, `+"OK"`},
		"+OK\r\nx":             {oracle.Result{Verdict: oracle.OK, N: 5}, `+"OK"`},
		"x":                    {oracle.Result{Verdict: oracle.Syntax, Cause: oracle.ErrType}, ""},
		"$01":                  {oracle.Result{Verdict: oracle.Syntax, Cause: oracle.ErrLength, Offset: 2}, ""},
		"$3\n":                 {oracle.Result{Verdict: oracle.Syntax, Cause: oracle.ErrTerminator, Offset: 2}, ""},
		"+O\nK\r\r\n\r\n":      {oracle.Result{Verdict: oracle.OK, N: 7}, `+"O\nK\r"`},
		":1.\r\n":              {oracle.Result{Verdict: oracle.OK, N: 5}, `:1.`},
		"#\r\n":                {oracle.Result{Verdict: oracle.OK, N: 3}, `#`},
		"_1":                   {oracle.Result{Verdict: oracle.Syntax, Cause: oracle.ErrNull, Offset: 1}, ""},
		"=3\r\n":               {oracle.Result{Verdict: oracle.Syntax, Cause: oracle.ErrVerbatim, Offset: 1}, ""},
		"$?\r\n.":              {oracle.Result{Verdict: oracle.Syntax, Cause: oracle.ErrChunk, Offset: 4}, ""},
		"%?\r\n_\r\n.":         {oracle.Result{Verdict: oracle.Syntax, Cause: oracle.ErrEnd, Offset: 7}, ""},
		"*1\r\n$536870913\r\n": {oracle.Result{Verdict: oracle.OverLimit, Limit: oracle.MaxBulk, Max: 512 << 20, Got: 512<<20 + 1, Offset: 4}, ""},
	} {
		r, tree := parse(wire, oracle.Limits{})
		require.Equal(t, want.r, r, "%q", wire)
		require.Equal(t, want.tree, tree, "%q", wire)
	}
}

func TestParseKeepsToEachLimit(t *testing.T) {
	wire := "*2\r\n*1\r\n$3\r\nfoo\r\n:1\r\n"
	r, tree := parse(wire, oracle.Limits{MaxFrame: len(wire), MaxBulk: 3, MaxElements: 3, MaxDepth: 2})
	want, wantTree := ok(len(wire), `*[*[$"foo"] :1]`)
	require.Equal(t, want, r)
	require.Equal(t, wantTree, tree)

	for _, over := range []struct {
		limits oracle.Limits
		want   oracle.Result
	}{
		{oracle.Limits{MaxFrame: len(wire) - 1}, oracle.Result{Limit: oracle.MaxFrame, Max: 20, Got: 21, Offset: 17}},
		{oracle.Limits{MaxFrame: 8}, oracle.Result{Limit: oracle.MaxFrame, Max: 8, Got: 9, Offset: 8}},
		{oracle.Limits{MaxFrame: 16}, oracle.Result{Limit: oracle.MaxFrame, Max: 16, Got: 17, Offset: 8}},
		{oracle.Limits{MaxBulk: 2}, oracle.Result{Limit: oracle.MaxBulk, Max: 2, Got: 3, Offset: 8}},
		{oracle.Limits{MaxElements: 2}, oracle.Result{Limit: oracle.MaxElements, Max: 2, Got: 3, Offset: 4}},
		{oracle.Limits{MaxDepth: 1}, oracle.Result{Limit: oracle.MaxDepth, Max: 1, Got: 2, Offset: 4}},
	} {
		over.want.Verdict = oracle.OverLimit
		r, _ := parse(wire, over.limits)
		require.Equal(t, over.want, r)
	}
}

// everything is one frame with every type, streamed values, attributes and
// nested pushes.
const everything = "|1\r\n+k\r\n>1\r\n+in-attribute\r\n:1\r\n|0\r\n" +
	"*16\r\n+s\r\n-e\r\n:-7\r\n$1\r\nb\r\n_\r\n$-1\r\n*-1\r\n#t\r\n,1.5\r\n(12345678901234567890\r\n!1\r\nE\r\n=5\r\ntxt:v\r\n" +
	"|1\r\n+a\r\n+b\r\n>2\r\n+p\r\n>0\r\n%?\r\n.\r\n" +
	"~1\r\n#f\r\n%1\r\n$?\r\n;1\r\nx\r\n;1\r\ny\r\n;0\r\n,nan\r\n*?\r\n|1\r\n+c\r\n+d\r\n:1\r\n.\r\n$?\r\n;0\r\n"

func TestStringShowsEveryType(t *testing.T) {
	r, tree := parse(everything, oracle.Limits{})
	require.Equal(t, oracle.Result{Verdict: oracle.OK, N: len(everything)}, r)
	require.Equal(t, `|[+"k" :1]*[+"s" -"e" :-7 $"b" _ _ _ #t ,1.5 (12345678901234567890 !"E" ="txt:v" `+
		`~[#f] %[$"xy" ,nan] *[|[+"c" +"d"]:1] $""] !>[+"in-attribute"] !|[+"a" +"b"]>[+"p" %[]] !>[]`, tree)
}

func TestNodesSpanTheirBytes(t *testing.T) {
	root := oracle.Parse([]byte(everything), oracle.Limits{}).Tree
	require.Zero(t, root.Start)
	require.Equal(t, len(everything), root.End)
	var spans []string
	for _, p := range root.NestedPushes() {
		spans = append(spans, everything[p.Start:p.End])
	}
	require.Equal(t, []string{">1\r\n+in-attribute\r\n", "|1\r\n+a\r\n+b\r\n>2\r\n+p\r\n>0\r\n%?\r\n.\r\n", ">0\r\n"}, spans)
	for _, c := range root.Children {
		again := oracle.Parse([]byte(everything[c.Start:c.End]), oracle.Limits{})
		require.Equal(t, oracle.OK, again.Verdict)
		require.Equal(t, c.End-c.Start, again.N)
		require.Equal(t, c.String(), again.Tree.String())
	}
}

// TestNestedPushesComeInOrder puts pushes into the attributes of a push. That
// push begins where its attributes begin, so it comes before the pushes in
// them.
func TestNestedPushesComeInOrder(t *testing.T) {
	root := oracle.Parse([]byte("*1\r\n|1\r\n>1\r\n+b\r\n+k\r\n+v\r\n>2\r\n+a\r\n>1\r\n+c\r\n:1\r\n>1\r\n+d\r\n:2\r\n"), oracle.Limits{}).Tree
	var names []string
	for _, p := range root.NestedPushes() {
		name, _ := p.Name()
		names = append(names, string(name))
	}
	require.Equal(t, "a b c d", strings.Join(names, " "))
}

func TestNameIsThatOfAnyString(t *testing.T) {
	for wire, want := range map[string]string{
		">1\r\n$7\r\nmessage\r\n":              "message",
		">1\r\n+message\r\n":                   "message",
		">1\r\n=11\r\ntxt:message\r\n":         "message",
		">1\r\n$?\r\n;1\r\na\r\n;0\r\n":        "a",
		">1\r\n>1\r\n+inner\r\n|0\r\n+out\r\n": "out",
		">1\r\n$0\r\n\r\n":                     "",
	} {
		name, named := oracle.Parse([]byte(wire), oracle.Limits{}).Tree.Name()
		require.True(t, named, "%q", wire)
		require.Equal(t, want, string(name), "%q", wire)
	}
	for _, wire := range []string{">0\r\n", ">1\r\n:1\r\n", ">1\r\n_\r\n", ">1\r\n$-1\r\n", ">1\r\n-a\r\n", ">1\r\n!1\r\na\r\n", ">1\r\n*1\r\n+a\r\n", "*1\r\n+a\r\n", "+a\r\n"} {
		_, named := oracle.Parse([]byte(wire), oracle.Limits{}).Tree.Name()
		require.False(t, named, "%q", wire)
	}
}

func TestAnyHasTheTypesOfGoRedis(t *testing.T) {
	big20, _ := new(big.Int).SetString("12345678901234567890", 10)
	for wire, want := range map[string]any{
		"+a\r\n":                             "a",
		"$1\r\na\r\n":                        "a",
		"=5\r\ntxt:a\r\n":                    "a",
		"$?\r\n;1\r\na\r\n;0\r\n":            "a",
		"-a\r\n":                             oracle.Error("a"),
		"!1\r\na\r\n":                        oracle.Error("a"),
		":+7\r\n":                            int64(7),
		"(12345678901234567890\r\n":          big20,
		",1.5\r\n":                           1.5,
		",1.\r\n":                            1.0,
		",-inf\r\n":                          math.Inf(-1),
		",1e999\r\n":                         math.Inf(1),
		"#t\r\n":                             true,
		"#f\r\n":                             false,
		"_\r\n":                              nil,
		"*-1\r\n":                            nil,
		"*0\r\n":                             []any{},
		"~1\r\n>0\r\n|0\r\n:1\r\n":           []any{int64(1)},
		">1\r\n+p\r\n":                       []any{"p"},
		"%2\r\n+k\r\n:1\r\n$1\r\nk\r\n_\r\n": map[any]any{"k": nil},
	} {
		got, cause := oracle.Parse([]byte(wire), oracle.Limits{}).Tree.Any()
		require.Empty(t, cause, "%q", wire)
		require.Equal(t, want, got, "%q", wire)
	}
	nan, cause := oracle.Parse([]byte(",-nan\r\n"), oracle.Limits{}).Tree.Any()
	require.Empty(t, cause)
	require.True(t, math.IsNaN(nan.(float64)))
	for wire, want := range map[string]string{
		"%1\r\n*0\r\n:1\r\n": oracle.ErrMapKey, "*1\r\n%1\r\n:1\r\n%1\r\n~0\r\n:2\r\n": oracle.ErrMapKey,
		":1.\r\n": oracle.ErrNumber, "(NaN\r\n": oracle.ErrNumber, ",+nan\r\n": oracle.ErrNumber, "*2\r\n#\r\n:\r\n": oracle.ErrBoolean,
		":9223372036854775808\r\n": oracle.ErrRange, "(" + strings.Repeat("1", oracle.MaxBigDigits+1) + "\r\n": oracle.ErrRange,
	} {
		_, cause := oracle.Parse([]byte(wire), oracle.Limits{}).Tree.Any()
		require.Equal(t, want, cause, "%.100q", wire)
	}
	attributes, cause := oracle.Parse([]byte("|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n_\r\n"), oracle.Limits{}).Tree.Attribute().Any()
	require.Empty(t, cause)
	require.Equal(t, map[any]any{"a": int64(1), "b": int64(2)}, attributes)
	require.Equal(t, "a", oracle.Error("a").Error())
}

func TestVerdictIsSaidInWords(t *testing.T) {
	require.Equal(t, "ok incomplete syntax limit unknown",
		strings.Join([]string{oracle.OK.String(), oracle.Incomplete.String(), oracle.Syntax.String(), oracle.OverLimit.String(), oracle.Verdict(9).String()}, " "))
}
