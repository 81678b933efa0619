package parser_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/parser"
)

// isText says whether n is a string of any of the three kinds.
func isText(n *oracle.Node) bool { return n.Type == '$' || n.Type == '+' || n.Type == '=' }

// is says whether v may be n, without looking at what is in it.
func is(v parser.Value, n *oracle.Node) bool {
	same := byte(v.Type()) == n.Type && (v.Attributes().Type() != 0) == (len(n.Attributes) > 0)
	if n.Aggregate() {
		return same && v.Len() == len(n.Children)
	}
	return same && (n.Null() || string(v.Bytes()) == string(n.Content()))
}

// differElements says in what e and the children of parent from the one at first on differ, read in every way there is.
func differElements(e parser.Elements, parent *oracle.Node, first int) string {
	want := parent.Children[min(first, len(parent.Children)):]
	if e.Len() != len(want) || e.IsNull() {
		return "Len"
	}
	i := 0
	for v := range e.All() {
		if i == len(want) || !is(v, want[i]) {
			return "All"
		}
		i++
	}
	n := 0
	for text := range e.Texts() {
		if n == len(want) || !isText(want[n]) || string(text) != string(want[n].Content()) {
			return "Texts"
		}
		n++
	}
	if i != len(want) || n < len(want) && isText(want[n]) {
		return "too few"
	}
	for _, c := range want {
		text, behindText, gotText := e.NextText()
		number, behindInt, isInt := e.NextInt64()
		texts, behindStrings, hasTexts := e.NextStrings()
		v, rest, ok := e.Next()
		w, cause := c.Any()
		switch {
		case !ok || !is(v, c):
			return "Next"
		case gotText != isText(c) || gotText && (string(text) != string(c.Content()) || behindText.Len() != rest.Len()):
			return "NextText"
		case isInt != (c.Type == ':' && cause == "") || isInt && (number != w || behindInt.Len() != rest.Len()):
			return "NextInt64"
		case hasTexts && behindStrings.Len() != rest.Len():
			return "behind NextStrings"
		}
		if d := differStrings(texts, hasTexts, c); d != "" {
			return "NextStrings: " + d
		}
		e = rest
	}
	if _, _, ok := e.Next(); ok {
		return "an element too many"
	}
	return ""
}

// differStrings says what is wrong with e as the strings that n stands for.
func differStrings(e parser.Elements, ok bool, n *oracle.Node) string {
	all := []*oracle.Node{n}
	switch {
	case n.Type == '*':
		all = n.Children
	case n.Null():
		all = nil
	case !isText(n):
		if ok {
			return "of what has none"
		}
		return ""
	}
	for _, c := range all {
		if !isText(c) {
			if ok {
				return "of what is not all strings"
			}
			return ""
		}
	}
	if !ok || e.Len() != len(all) || e.IsNull() != n.Null() {
		return "Len"
	}
	for text := range e.Texts() {
		if string(text) != string(all[0].Content()) {
			return "Texts"
		}
		all = all[1:]
	}
	if len(all) > 0 {
		return "too few"
	}
	return ""
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		wire string
		name string
		rest int
	}{
		{">1\r\n+p\r\n", "p", 0}, {">1\r\n$1\r\np\r\n", "p", 0}, {">2\r\n=5\r\ntxt:p\r\n_\r\n", "p", 1},
		{">2\r\n$?\r\n;1\r\np\r\n;0\r\n_\r\n", "p", 1}, {attribute + ">3\r\n" + attribute + "$1\r\np\r\n:1\r\n:2\r\n", "p", 2},
		{">12\r\n$1\r\np\r\n" + strings.Repeat(":1\r\n", 11), "p", 11}, {">1\r\n+\r\n", "", 0},
		{">0\r\n", "none", 0}, {">1\r\n:1\r\n", "none", 0}, {"*1\r\n$1\r\np\r\n", "none", 1}, {"$1\r\np\r\n", "none", 0},
	} {
		name, e := parse(t, c.wire).Split()
		require.Equal(t, c.name == "none", name == nil, "%q", c.wire)
		require.True(t, name == nil || string(name) == c.name, "%q", c.wire)
		require.Equal(t, c.rest, e.Len(), "%q", c.wire)
	}
	name, e := parser.Frame{}.Split()
	require.Nil(t, name)
	require.Zero(t, e.Len())
}

func TestZeroElementsAreNone(t *testing.T) {
	var e parser.Elements
	require.Zero(t, e.Len())
	require.False(t, e.IsNull())
	_, _, ok := e.Next()
	require.False(t, ok)
	_, _, ok = e.NextText()
	require.False(t, ok)
	_, _, ok = e.NextInt64()
	require.False(t, ok)
	_, _, ok = e.NextStrings()
	require.False(t, ok)
}
