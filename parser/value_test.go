package parser_test

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// parse returns the frame that wire is.
func parse(t testing.TB, wire string) parser.Frame {
	t.Helper()
	f, n, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	require.Equal(t, len(wire), n)
	return f
}

// valueOf returns the value of the frame that wire is.
func valueOf(t testing.TB, wire string) parser.Value {
	t.Helper()
	return parse(t, wire).Value()
}

func TestValueAccessorsKnowEveryType(t *testing.T) {
	for _, c := range []struct {
		wire   string
		typ    parser.Type
		bytes  string // "" and null: nil
		null   bool
		text   string
		n      int // children
		format string
	}{
		{"+OK\r\n", '+', "OK", false, "OK", 0, ""},
		{"+\r\n", '+', "", false, "", 0, ""},
		{"-ERR no\r\n", '-', "ERR no", false, "ERR no", 0, ""},
		{":-7\r\n", ':', "-7", false, "-7", 0, ""},
		{":+007\r\n", ':', "+007", false, "+007", 0, ""},
		{"$5\r\na\r\nb\x00\r\n", '$', "a\r\nb\x00", false, "a\r\nb\x00", 0, ""},
		{"$0\r\n\r\n", '$', "", false, "", 0, ""},
		{"!3\r\nERR\r\n", '!', "ERR", false, "ERR", 0, ""},
		{"=7\r\ntxt:abc\r\n", '=', "abc", false, "abc", 0, "txt"},
		{"=4\r\nmkd:\r\n", '=', "", false, "", 0, "mkd"},
		{"=5\r\nx\r\n:y\r\n", '=', "y", false, "y", 0, "x\r\n"},
		{"(123456789012345678901234567890\r\n", '(', "123456789012345678901234567890", false, "123456789012345678901234567890", 0, ""},
		{",1.50\r\n", ',', "1.50", false, "1.50", 0, ""},
		{"#t\r\n", '#', "t", false, "t", 0, ""},
		{"#f\r\n", '#', "f", false, "f", 0, ""},
		{"_\r\n", '_', "", true, "", 0, ""},
		{"$-1\r\n", '_', "", true, "", 0, ""},
		{"*-1\r\n", '_', "", true, "", 0, ""},
		{"*0\r\n", '*', "", true, "[]", 0, ""},
		{"*3\r\n:1\r\n$1\r\na\r\n_\r\n", '*', "", true, `[1 "a" null]`, 3, ""},
		{"~2\r\n#t\r\n#f\r\n", '~', "", true, "[true false]", 2, ""},
		{">2\r\n+push\r\n,-inf\r\n", '>', "", true, `["push" -inf]`, 2, ""},
		{"%2\r\n+k\r\n:1\r\n:2\r\n*1\r\n_\r\n", '%', "", true, `{"k": 1, 2: [null]}`, 4, ""},
		{"%0\r\n", '%', "", true, "{}", 0, ""},
		{"*?\r\n:1\r\n:2\r\n.\r\n", '*', "", true, "[1 2]", 2, ""},
		{"%?\r\n+k\r\n+v\r\n.\r\n", '%', "", true, `{"k": "v"}`, 2, ""},
		{"$?\r\n;2\r\nab\r\n;3\r\ncde\r\n;0\r\n", '$', "abcde", false, "abcde", 0, ""},
		{"$?\r\n;0\r\n", '$', "", false, "", 0, ""},
		{"*2\r\n-ERR a\r\n!1\r\n\xff\r\n", '*', "", true, `["ERR a" "\xff"]`, 2, ""},
		{"*2\r\n=5\r\ntxt:\n\r\n(1\r\n", '*', "", true, `["\n" 1]`, 2, ""},
		{"+a\n\rb\r\r\n", '+', "a\n\rb\r", false, "a\n\rb\r", 0, ""},
		{":1 2\r\n", ':', "1 2", false, "1 2", 0, ""},
		{"#\r\n", '#', "", false, "", 0, ""},
		{"#true\r\n", '#', "true", false, "true", 0, ""},
		{"*7\r\n#\r\n#true\r\n:1 2\r\n(\r\n,NaN\r\n,1]\r\n(12\n\r\n", '*', "", true, `["" "true" "1 2" "" NaN "1]" "12\n"]`, 7, ""},
	} {
		for _, before := range []string{"", attribute} {
			v := valueOf(t, before+c.wire)
			require.Equal(t, c.typ, v.Type(), "%q", c.wire)
			require.Equal(t, c.typ == parser.TypeNull, v.IsNull(), "%q", c.wire)
			require.Equal(t, c.null, v.Bytes() == nil, "%q", c.wire)
			require.Equal(t, c.bytes, string(v.Bytes()), "%q", c.wire)
			require.Equal(t, c.text, v.String(), "%q", c.wire)
			require.Equal(t, c.n, v.Len(), "%q", c.wire)
			require.Equal(t, c.format, v.VerbatimFormat(), "%q", c.wire)
			require.Len(t, slices.Collect(v.All()), c.n, "%q", c.wire)
			require.Zero(t, v.Attributes().Type(), "those before the frame are the frame's")
			if c.wire[1] != '?' { // which is assembled
				require.Equal(t, len(v.Bytes()), cap(v.Bytes()), "an append must not reach the wire")
			}
			if c.typ == parser.TypePush {
				continue // which is no element
			}
			// The same as an element, with an attribute of its own.
			for child := range valueOf(t, "*1\r\n"+before+c.wire).All() {
				require.Equal(t, c.typ, child.Type())
				require.Equal(t, c.text, child.String())
				require.Equal(t, c.n, child.Len())
				require.Equal(t, before != "", child.Attributes().Type() == parser.TypeAttribute)
			}
		}
	}
}

func TestValueIntegerIsExactOrAnError(t *testing.T) {
	for _, c := range []struct {
		wire string
		want int64
		err  error
	}{
		{":0\r\n", 0, nil}, {":-0\r\n", 0, nil}, {":+5\r\n", 5, nil}, {":007\r\n", 7, nil},
		{":9223372036854775807\r\n", math.MaxInt64, nil}, {":-9223372036854775808\r\n", math.MinInt64, nil},
		{"$2\r\n42\r\n", 42, nil}, {"+-42\r\n", -42, nil}, {"=6\r\ntxt:42\r\n", 42, nil}, {"(42\r\n", 42, nil},
		{"$?\r\n;1\r\n4\r\n;1\r\n2\r\n;0\r\n", 42, nil},
		{"(9223372036854775807\r\n", math.MaxInt64, nil}, {"(-9223372036854775808\r\n", math.MinInt64, nil},
		{"(9223372036854775808\r\n", 0, parser.ErrRange}, {"(-9223372036854775809\r\n", 0, parser.ErrRange},
		{"$20\r\n99999999999999999999\r\n", 0, parser.ErrRange},
		{"+\r\n", 0, parser.ErrNumber}, {"+-\r\n", 0, parser.ErrNumber}, {"+4 \r\n", 0, parser.ErrNumber},
		{"+4.0\r\n", 0, parser.ErrNumber}, {"+0x4\r\n", 0, parser.ErrNumber}, {"+4_2\r\n", 0, parser.ErrNumber},
		{"+--4\r\n", 0, parser.ErrNumber}, {":\r\n", 0, parser.ErrNumber}, {":1 2\r\n", 0, parser.ErrNumber}, {"(NaN\r\n", 0, parser.ErrNumber},
		{":9223372036854775808\r\n", 0, parser.ErrRange}, {":-9223372036854775809\r\n", 0, parser.ErrRange}, {"+99999999999999999999x\r\n", 0, parser.ErrNumber},
		{",4\r\n", 0, parser.ErrKind}, {"#t\r\n", 0, parser.ErrKind}, {"_\r\n", 0, parser.ErrKind}, {"$-1\r\n", 0, parser.ErrKind},
		{"-4\r\n", 0, parser.ErrKind}, {"!1\r\n4\r\n", 0, parser.ErrKind}, {"*1\r\n:4\r\n", 0, parser.ErrKind}, {">1\r\n:4\r\n", 0, parser.ErrKind},
	} {
		got, err := valueOf(t, c.wire).Int64()
		require.Equal(t, c.err, err, "%q", c.wire)
		require.Equal(t, c.want, got, "%q", c.wire)
	}
}

func TestValueFloatIsANumberOrAnError(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		wire string
		want float64
		err  error
	}{
		{",1.5\r\n", 1.5, nil}, {",1.\r\n", 1, nil}, {",1e3\r\n", 1000, nil}, {",+1E-3\r\n", 0.001, nil}, {",-0\r\n", math.Copysign(0, -1), nil},
		{",inf\r\n", inf, nil}, {",+inf\r\n", inf, nil}, {",-inf\r\n", -inf, nil},
		{",1e999\r\n", inf, parser.ErrRange}, {",-1e999\r\n", -inf, parser.ErrRange}, {",1e-999\r\n", 0, nil},
		{":42\r\n", 42, nil}, {"(42\r\n", 42, nil}, {"(123456789012345678901234567890\r\n", 123456789012345678901234567890, nil},
		{"+0.1\r\n", 0.1, nil}, {"$3\r\n0.1\r\n", 0.1, nil}, {"=7\r\ntxt:0.1\r\n", 0.1, nil}, {"$?\r\n;1\r\n0\r\n;2\r\n.1\r\n;0\r\n", 0.1, nil},
		{"$3\r\ninf\r\n", inf, nil}, {"$5\r\n1e999\r\n", inf, parser.ErrRange},
		{"+\r\n", 0, parser.ErrNumber}, {"+.5\r\n", 0, parser.ErrNumber}, {"+0x1p4\r\n", 0, parser.ErrNumber}, {"+1_0\r\n", 0, parser.ErrNumber},
		{"+infinity\r\n", 0, parser.ErrNumber}, {"+Inf\r\n", 0, parser.ErrNumber}, {"+ 1\r\n", 0, parser.ErrNumber}, {"+1e\r\n", 0, parser.ErrNumber},
		{",\r\n", 0, parser.ErrNumber}, {",+nan\r\n", 0, parser.ErrNumber}, {",nan(\r\n", 0, parser.ErrNumber}, {",nan(1\r\n", 0, parser.ErrNumber}, {",nan1)\r\n", 0, parser.ErrNumber},
		{",nan(-)\r\n", 0, parser.ErrNumber}, {",nan(\x1a)\r\n", 0, parser.ErrNumber}, {",-na\r\n", 0, parser.ErrNumber}, {":1 2\r\n", 0, parser.ErrNumber},
		{"#t\r\n", 0, parser.ErrKind}, {"_\r\n", 0, parser.ErrKind}, {"-1\r\n", 0, parser.ErrKind}, {"*1\r\n,1\r\n", 0, parser.ErrKind},
	} {
		got, err := valueOf(t, c.wire).Float64()
		require.Equal(t, c.err, err, "%q", c.wire)
		require.Equal(t, math.Float64bits(c.want), math.Float64bits(got), "%q: %v", c.wire, got)
	}
	for _, wire := range []string{
		",nan\r\n", ",-nan\r\n", "+nan\r\n", ",NaN\r\n", ",NAN\r\n", ",-nAN\r\n", ",nan(0x8000)\r\n", ",-nan(ind)\r\n", ",nan()\r\n", "$11\r\nNaN(sNaN_1)\r\n",
	} {
		got, err := valueOf(t, wire).Float64()
		require.NoError(t, err)
		require.True(t, math.IsNaN(got), wire)
	}
}

func TestValueBoolIsThatOfABooleanAlone(t *testing.T) {
	for _, c := range []struct {
		wire string
		want bool
		err  error
	}{
		{"#t\r\n", true, nil}, {"#f\r\n", false, nil}, {attribute + "#t\r\n", true, nil},
		{"#\r\n", false, parser.ErrBoolean}, {"#T\r\n", false, parser.ErrBoolean}, {"#true\r\n", false, parser.ErrBoolean}, {"#t\r\r\n", false, parser.ErrBoolean},
		{":1\r\n", false, parser.ErrKind}, {"+true\r\n", false, parser.ErrKind}, {"_\r\n", false, parser.ErrKind}, {"*1\r\n#t\r\n", false, parser.ErrKind},
	} {
		got, err := valueOf(t, c.wire).Bool()
		require.Equal(t, c.err, err, "%q", c.wire)
		require.Equal(t, c.want, got, "%q", c.wire)
	}
}

func TestValueAnyHasTheGoTypeOfItsWireType(t *testing.T) {
	huge, _ := new(big.Int).SetString("123456789012345678901234567890", 10)
	for _, c := range []struct {
		wire string
		want any
	}{
		{"+OK\r\n", "OK"}, {"$2\r\nhi\r\n", "hi"}, {"=6\r\ntxt:hi\r\n", "hi"}, {"$?\r\n;1\r\nh\r\n;1\r\ni\r\n;0\r\n", "hi"},
		{":42\r\n", int64(42)}, {",1.5\r\n", 1.5}, {",1e999\r\n", math.Inf(1)}, {"#f\r\n", false}, {"(123456789012345678901234567890\r\n", huge},
		{"_\r\n", nil}, {"$-1\r\n", nil}, {"*-1\r\n", nil},
		{"-ERR no\r\n", parser.ServerError("ERR no")}, {"!3\r\nERR\r\n", parser.ServerError("ERR")},
		{"*0\r\n", []any{}}, {"~1\r\n+a\r\n", []any{"a"}}, {"*?\r\n_\r\n.\r\n", []any{nil}},
		{">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", []any{"invalidate", []any{"k"}}},
		{"%1\r\n+k\r\n%1\r\n:1\r\n_\r\n", map[any]any{"k": map[any]any{int64(1): nil}}},
		{"%2\r\n+k\r\n:1\r\n$1\r\nk\r\n:2\r\n", map[any]any{"k": int64(2)}}, // the later pair
		{"%3\r\n_\r\n:1\r\n#t\r\n:2\r\n-E\r\n:3\r\n", map[any]any{nil: int64(1), true: int64(2), parser.ServerError("E"): int64(3)}},
		{"*2\r\n" + attribute + ":1\r\n>1\r\n+p\r\n:2\r\n", []any{int64(1), int64(2)}}, // attributes and pushes are no elements
	} {
		v := valueOf(t, attribute+c.wire)
		got, err := v.Any()
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%q", c.wire)
	}
	got, err := parse(t, attribute+":1\r\n").Attributes().Any()
	require.NoError(t, err)
	require.Equal(t, map[any]any{"k": "v"}, got)
	for _, wire := range []string{"%1\r\n*0\r\n:1\r\n", "*1\r\n%1\r\n%0\r\n:1\r\n", "%1\r\n:1\r\n%1\r\n~0\r\n_\r\n", ">2\r\n+p\r\n%1\r\n*0\r\n:1\r\n"} {
		got, err := valueOf(t, wire).Any()
		require.Equal(t, parser.ErrMapKey, err, "%q", wire)
		require.Nil(t, got)
	}
	got, err = valueOf(t, "%1\r\n*-1\r\n:1\r\n").Any()
	require.NoError(t, err)
	require.Equal(t, map[any]any{nil: int64(1)}, got, "a null is no aggregate, however it is sent")
}

// TestAnyBoundsBigNumbers asks for numbers of as many digits as Any makes a big.Int of, and of one more.
func TestAnyBoundsBigNumbers(t *testing.T) {
	for _, sign := range []string{"", "+", "-"} {
		digits := strings.Repeat("9", 10_000)
		got, err := valueOf(t, "("+sign+digits+"\r\n").Any()
		require.NoError(t, err)
		want, _ := new(big.Int).SetString(sign+digits, 10)
		require.Zero(t, want.Cmp(got.(*big.Int)))
		got, err = valueOf(t, "("+sign+digits+"0\r\n").Any()
		require.Equal(t, parser.ErrRange, err)
		require.Nil(t, got)
		_, err = valueOf(t, "("+sign+digits+"0x\r\n").Any()
		require.Equal(t, parser.ErrNumber, err)
	}
}

func TestAnyOwnsItsMemory(t *testing.T) {
	wire := []byte("%1\r\n$3\r\nkey\r\n*2\r\n=7\r\ntxt:abc\r\n-ERR\r\n")
	f, _, err := parser.Parse(wire)
	require.NoError(t, err)
	got, err := f.Value().Any()
	require.NoError(t, err)
	text := f.Value().String()
	clear(wire)
	require.Equal(t, map[any]any{"key": []any{"abc", parser.ServerError("ERR")}}, got)
	require.Equal(t, `{"key": ["abc" "ERR"]}`, text)
}

func TestServerErrorIsItsText(t *testing.T) {
	v, err := valueOf(t, "-MOVED 1 a:1\r\n").Any()
	require.NoError(t, err)
	require.EqualError(t, v.(error), "MOVED 1 a:1")
}

func TestPairsAreKeysAndValuesInWireOrder(t *testing.T) {
	for _, c := range []struct {
		wire string
		want []string
	}{
		{"%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", []string{"a", "1", "b", "2"}},
		{"%?\r\n+a\r\n:1\r\n.\r\n", []string{"a", "1"}},
		{"%1\r\n>1\r\n+p\r\n+a\r\n>1\r\n+p\r\n" + attribute + ":1\r\n", []string{"a", "1"}},
		{"*4\r\n+a\r\n:1\r\n+b\r\n:2\r\n", []string{"a", "1", "b", "2"}},
		{"*3\r\n+a\r\n:1\r\n+b\r\n", []string{"a", "1"}},
		{"*1\r\n+a\r\n", nil}, {"%0\r\n", nil}, {"+a\r\n", nil}, {"_\r\n", nil},
	} {
		var got []string
		for k, v := range valueOf(t, c.wire).Pairs() {
			got = append(got, k.String(), v.String())
		}
		require.Equal(t, c.want, got, "%q", c.wire)
	}
}

func TestIterationMayStopAnywhere(t *testing.T) {
	const wire = "|2\r\n+a\r\n+b\r\n+c\r\n+d\r\n" + attribute +
		">5\r\n+name\r\n>1\r\n+p\r\n:1\r\n*?\r\n>2\r\n+q\r\n>0\r\n_\r\n_\r\n.\r\n%1\r\n" + attribute + ":2\r\n>1\r\n+r\r\n:3\r\n~0\r\n"
	f := parse(t, wire)
	iterations := map[string]func(stop int) (all []string){
		"All": func(stop int) (all []string) {
			for v := range f.Value().All() {
				if all = append(all, v.String()); len(all) == stop {
					break
				}
			}
			return all
		},
		"Args": func(stop int) (all []string) {
			for v := range f.Args() {
				if all = append(all, v.String()); len(all) == stop {
					break
				}
			}
			return all
		},
		"Pairs": func(stop int) (all []string) {
			for k, v := range f.Value().Pairs() {
				if all = append(all, k.String()+v.String()); len(all) == stop {
					break
				}
			}
			return all
		},
		"Attributes": func(stop int) (all []string) {
			for v := range f.Attributes().All() {
				if all = append(all, v.String()); len(all) == stop {
					break
				}
			}
			return all
		},
		"NestedPushes": func(stop int) (all []string) {
			for p := range f.NestedPushes() {
				if all = append(all, p.Value().String()); len(all) == stop {
					break
				}
			}
			return all
		},
	}
	want := map[string][]string{
		"All":          {"name", "1", "[null]", "{2: 3}", "[]"},
		"Args":         {"1", "[null]", "{2: 3}", "[]"},
		"Pairs":        {"name1", "[null]{2: 3}"},
		"Attributes":   {"a", "b", "c", "d", "k", "v"},
		"NestedPushes": {`["p"]`, `["q" null]`, "[]", `["r"]`},
	}
	for name, iterate := range iterations {
		for stop := 1; stop <= len(want[name]); stop++ {
			require.Equal(t, want[name][:stop], iterate(stop), name)
		}
		require.Equal(t, want[name], iterate(0), name)
	}
}
