package parser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/parser"
)

func TestZeroFrameAndZeroValueAreNothing(t *testing.T) {
	var f parser.Frame
	require.Zero(t, f.Type())
	require.False(t, f.IsPush())
	require.False(t, f.HasNestedPushes())
	require.Nil(t, f.Name())
	require.Nil(t, f.Raw())
	require.Zero(t, f.Len())
	require.Zero(t, f.Clone())
	for range f.Args() {
		t.Error("an element")
	}
	for range f.NestedPushes() {
		t.Error("a push")
	}
	for _, v := range []parser.Value{{}, f.Value(), f.Attributes(), f.Value().Attributes()} {
		require.Zero(t, v.Type())
		require.Equal(t, "unknown type", v.Type().String())
		require.False(t, v.IsNull())
		require.Nil(t, v.Bytes())
		require.Empty(t, v.String())
		require.Empty(t, v.VerbatimFormat())
		require.Zero(t, v.Len())
		_, err := v.Int64()
		require.Equal(t, parser.ErrKind, err)
		_, err = v.Float64()
		require.Equal(t, parser.ErrKind, err)
		_, err = v.Bool()
		require.Equal(t, parser.ErrKind, err)
		got, err := v.Any()
		require.NoError(t, err)
		require.Nil(t, got)
		for range v.All() {
			t.Error("a child")
		}
		for range v.Pairs() {
			t.Error("a pair")
		}
		require.Zero(t, v.Attributes())
	}
}

func TestFramePartsAreThoseOnTheWire(t *testing.T) {
	for _, c := range []struct {
		wire  string
		typ   parser.Type
		name  string // "-" is none
		n     int
		args  int
		attrs int
	}{
		{invalidate, '>', "invalidate", 2, 1, 0},
		{attribute + invalidate, '>', "invalidate", 2, 1, 2},
		{attribute + "|2\r\n:1\r\n:2\r\n:3\r\n:4\r\n" + invalidate, '>', "invalidate", 2, 1, 6},
		{"|0\r\n" + invalidate, '>', "invalidate", 2, 1, 0},
		{">0\r\n", '>', "-", 0, 0, 0},
		{">1\r\n$0\r\n\r\n", '>', "", 1, 0, 0},
		{">2\r\n:1\r\n:2\r\n", '>', "-", 2, 1, 0}, // what stands in the name's place is no argument
		{">2\r\n=5\r\ntxt:n\r\n_\r\n", '>', "n", 2, 1, 0},
		{">2\r\n$?\r\n;1\r\nn\r\n;0\r\n_\r\n", '>', "n", 2, 1, 0},
		{"*2\r\n+a\r\n+b\r\n", '*', "-", 2, 2, 0},
		{"%1\r\n+a\r\n+b\r\n", '%', "-", 2, 2, 0},
		{"+OK\r\n", '+', "-", 0, 0, 0},
		{attribute + "$-1\r\n", '_', "-", 0, 0, 2},
		{attribute + "*-1\r\n", '_', "-", 0, 0, 2},
		{"_\r\n", '_', "-", 0, 0, 0},
	} {
		f := parse(t, c.wire)
		for _, f := range []parser.Frame{f, f.Clone(), f.CloneTo(nil), f.CloneTo(make([]byte, 5, 1000))} {
			require.Equal(t, c.typ, f.Type(), "%q", c.wire)
			require.Equal(t, c.typ == '>', f.IsPush(), "%q", c.wire)
			require.Equal(t, c.name == "-", f.Name() == nil, "%q", c.wire)
			if c.name != "-" {
				require.Equal(t, c.name, string(f.Name()), "%q", c.wire)
			}
			require.Equal(t, c.n, f.Len(), "%q", c.wire)
			require.Equal(t, c.attrs, f.Attributes().Len(), "%q", c.wire)
			require.Equal(t, c.wire, string(f.Raw()))
			args := 0
			for range f.Args() {
				args++
			}
			require.Equal(t, c.args, args, "%q", c.wire)
		}
	}
}

func TestCloneOwnsItsMemory(t *testing.T) {
	wire := []byte(attribute + "*2\r\n>1\r\n+p\r\n$3\r\nkey\r\n_\r\n")
	f, _, err := parser.Parse(wire)
	require.NoError(t, err)
	memory := make([]byte, 0, 100)
	clone, to := f.Clone(), f.CloneTo(memory)
	require.Equal(t, string(wire), string(memory[:len(wire)]))
	clear(wire)
	for _, c := range []parser.Frame{clone, to} {
		require.Equal(t, `["key" null]`, c.Value().String())
		require.Equal(t, `{"k": "v"}`, c.Attributes().String())
		for p := range c.NestedPushes() {
			require.Equal(t, "p", string(p.Name()))
		}
	}
	require.Equal(t, 1.0, allocs.PerRun(10, func() { clone.Clone() }))
	require.Zero(t, allocs.PerRun(10, func() { clone.CloneTo(memory) }))
}

func TestAttributesInARowAreOneValue(t *testing.T) {
	const row = "|1\r\n+a\r\n:1\r\n" + "|0\r\n" + "|2\r\n+b\r\n|1\r\n+inner\r\n_\r\n:2\r\n+a\r\n:3\r\n"
	f := parse(t, row+"*2\r\n"+row+":7\r\n"+row+row+"*0\r\n")
	times := 1
	check := func(a parser.Value) {
		t.Helper()
		require.Equal(t, parser.TypeAttribute, a.Type())
		require.Equal(t, 6*times, a.Len())
		require.Equal(t, strings.Repeat(`, "a": 1, "b": 2, "a": 3`, times)[2:], strings.Trim(a.String(), "{}"))
		m, err := a.Any()
		require.NoError(t, err)
		require.Equal(t, map[any]any{"a": int64(3), "b": int64(2)}, m)
		require.Zero(t, a.Attributes())
		require.Nil(t, a.Bytes())
		inner := 0
		for v := range a.All() {
			if v.Attributes().Type() != 0 {
				require.Equal(t, `{"inner": null}`, v.Attributes().String())
				inner++
			}
		}
		require.Equal(t, times, inner)
	}
	check(f.Attributes())
	for v := range f.Value().All() {
		check(v.Attributes())
		times++
	}
	require.Equal(t, 3, times)
}

// Offsets of 64 KiB and more do not fit into the words of a Frame.
func TestFarAwayPartsAreFound(t *testing.T) {
	for _, far := range []int{65_000, 65_534 - 15, 65_535 - 15, 65_536 - 15, 65_535 - 22, 70_000, 200_000} {
		long := strings.Repeat("a", far)
		attributes := "|1\r\n+" + long + "\r\n+v\r\n"
		for _, c := range []struct{ wire, name string }{
			{attributes + invalidate, "invalidate"},
			{attributes + ">2\r\n+simple\r\n_\r\n", "simple"},
			{attributes + ">2\r\n=8\r\ntxt:name\r\n_\r\n", "name"},
			{attributes + ">2\r\n$?\r\n;4\r\nname\r\n;0\r\n_\r\n", "name"},
			{attributes + ">2\r\n$?\r\n;2\r\nna\r\n;2\r\nme\r\n;0\r\n_\r\n", "name"},
			{attributes + ">2\r\n:1\r\n_\r\n", ""},
			{">2\r\n" + attributes + "+name\r\n_\r\n", "name"},
			{">2\r\n>1\r\n+" + long + "\r\n+name\r\n_\r\n", "name"},
			{fmt.Sprintf(">2\r\n$%d\r\n%s\r\n_\r\n", far, long), long},
			{fmt.Sprintf(">2\r\n=%d\r\ntxt:%s\r\n_\r\n", far+4, long), long},
			{">2\r\n+" + long + "\r\n_\r\n", long},
			{fmt.Sprintf(">2\r\n$?\r\n;%d\r\n%s\r\n;0\r\n_\r\n", far, long), long},
			{fmt.Sprintf(">2\r\n$?\r\n;1\r\nx\r\n;%d\r\n%s\r\n;0\r\n_\r\n", far, long), "x" + long},
		} {
			check := func(f parser.Frame) {
				t.Helper()
				require.Equal(t, parser.TypePush, f.Type())
				require.True(t, c.name == string(f.Name()), "far %d: name %.20q, %d bytes, of %.20q", far, f.Name(), len(f.Name()), c.wire)
				require.Equal(t, 2, f.Len())
				require.True(t, c.wire == string(f.Raw()))
				require.Equal(t, strings.HasPrefix(c.wire, "|"), f.Attributes().Len() == 2)
				require.Zero(t, f.Value().Attributes())
				require.Equal(t, c.wire[0] == '>' && c.wire[4] == '>', f.HasNestedPushes())
			}
			check(parse(t, c.wire))
			check(parse(t, c.wire).Clone())
			for _, opts := range [][]parser.Option{nil, {parser.WithBufferSize(16)}, {parser.WithBufferSize(300_000)}} {
				r := parser.NewReader(strings.NewReader(c.wire), opts...)
				name, push, err := r.PeekPush()
				require.NoError(t, err)
				require.True(t, push)
				require.True(t, c.name == string(name))
				f, err := r.Next()
				require.NoError(t, err)
				check(f)
				r.Release()
			}
			// The same push inside a reply.
			for f := range parse(t, "*1\r\n"+c.wire+"_\r\n").NestedPushes() {
				check(f)
				break
			}
		}
		for _, null := range []string{"$-1\r\n", "*-1\r\n", "_\r\n"} {
			f := parse(t, attributes+null)
			require.Equal(t, parser.TypeNull, f.Type())
			require.True(t, f.Value().IsNull())
			require.Equal(t, 2, f.Attributes().Len())
		}
	}
}

func TestNestedPushesComeInTheOrderOfTheirFirstBytes(t *testing.T) {
	push := func(name string, rest ...string) string {
		return fmt.Sprintf(">%d\r\n+%s\r\n%s", len(rest)+1, name, strings.Join(rest, ""))
	}
	wire := "|1\r\n" + push("1") + "+k\r\n" + "+v\r\n" +
		"*3\r\n" + attribute + push("2", push("3")+":1\r\n") +
		"*1\r\n" + push("4") + push("5") + "%1\r\n" + push("6") + "+k\r\n" + push("7") + "~?\r\n" + push("8") + ".\r\n" +
		"|1\r\n+k\r\n" + push("9") + "+v\r\n" + ":1\r\n" +
		">0\r\n" + ">1\r\n:1\r\n" + "$-1\r\n"
	f := parse(t, wire)
	var names []string
	for p := range f.NestedPushes() {
		names = append(names, string(p.Name()))
		require.True(t, p.IsPush())
		if p.Name() != nil {
			require.Equal(t, string(p.Name()) == "2", p.HasNestedPushes())
			require.Equal(t, string(p.Name()) == "2", p.Attributes().Type() == parser.TypeAttribute)
		}
		again := parse(t, string(p.Raw())) // each is a frame of its own
		require.Equal(t, again.Name(), p.Name())
		require.Equal(t, again.Value().String(), p.Value().String())
	}
	require.Equal(t, []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "", ""}, names)
	require.Equal(t, `[[{"k": []}] 1 null]`, f.Value().String())
}
