package parser_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// FuzzValue calls every accessor on every value of a frame, and holds Clone, Any, Pairs and NestedPushes to what they
// promise.
func FuzzValue(f *testing.F) {
	seedFrames(f, func(wire string, l oracle.Limits) {
		if l == (oracle.Limits{}) {
			f.Add(false, []byte(wire))
		}
	})
	for _, s := range scripts() {
		f.Add(true, s)
	}
	f.Fuzz(func(t *testing.T, generated bool, input []byte) {
		if len(input) > maxInput {
			return
		}
		values(t, wireOf(generated, input))
	})
}

// TestGeneratedValues is FuzzValue for as many scripts as every test run can do, the same ones each time.
func TestGeneratedValues(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for range 10000 {
		values(t, vectors.Generate(nil, randomBytes(r, 1+r.IntN(250))))
	}
}

// values calls every accessor on every value of the frame that input begins with, if any.
func values(t *testing.T, input []byte) {
	t.Helper()
	wire := bytes.Clone(input) // input may be the fuzzing engine's; wire is overwritten below
	frame, n, err := parser.Parse(wire)
	if err != nil {
		return
	}
	wire = wire[:n]
	original := bytes.Clone(wire)
	want := oracle.Parse(original, oracle.Limits{})
	if want.Verdict != oracle.OK || want.N != n {
		t.Fatalf("%q: %d bytes\nwant %+v", wire, n, want)
	}
	if d := accessors(frame.Value(), want.Tree); d != "" {
		t.Fatalf("%q: %s\nwant %s", wire, d, want.Tree)
	}
	if a := want.Tree.Attribute(); a != nil {
		if d := accessors(frame.Attributes(), a); d != "" {
			t.Fatalf("%q: attributes: %s\nwant %s", wire, d, want.Tree)
		}
	}
	if d := nested(frame); d != "" {
		t.Fatalf("%q: %s\nwant %s", wire, d, want.Tree)
	}
	if d := differ(frame, want.Tree, original); d != "" {
		t.Fatalf("%q: %s\nwant %s", original, d, want.Tree)
	}

	clone := frame.Clone()
	for i := range wire {
		wire[i] = 'X'
	}
	if d := differ(clone, want.Tree, original); d != "" {
		t.Fatalf("%q: clone: %s\nwant %s", original, d, want.Tree)
	}
}

// textOf is what String makes of n, as an element with its strings quoted.
func textOf(n *oracle.Node, inside bool) string {
	switch n.Type {
	case '_':
		if inside {
			return "null"
		}
		return ""
	case '#':
		if b, cause := n.Bool(); inside && cause == "" {
			return strconv.FormatBool(b)
		}
	case ':', ',', '(': // an integer is a double too
		if _, cause := n.Float64(); cause == "" || cause == reason(parser.ErrRange) {
			return string(n.Text)
		}
	case '%', '|':
		var all []string
		for i := 0; i < len(n.Children); i += 2 {
			all = append(all, textOf(n.Children[i], true)+": "+textOf(n.Children[i+1], true))
		}
		return "{" + strings.Join(all, ", ") + "}"
	case '*', '~', '>':
		var all []string
		for _, c := range n.Children {
			all = append(all, textOf(c, true))
		}
		return "[" + strings.Join(all, " ") + "]"
	}
	if inside {
		return strconv.Quote(string(n.Content()))
	}
	return string(n.Content())
}

// accessors says what is wrong with v or a value in it. n is what the oracle makes of it.
func accessors(v parser.Value, n *oracle.Node) string {
	i, err := v.Int64()
	if want, cause := n.Int64(); i != want || reason(err) != cause {
		return "Int64"
	}
	d, err := v.Float64()
	if want, cause := n.Float64(); !sameAny(d, want) || reason(err) != cause {
		return "Float64"
	}
	b, err := v.Bool()
	if want, cause := n.Bool(); b != want || reason(err) != cause {
		return "Bool"
	}
	if text := v.String(); text != textOf(n, false) {
		return "String is " + text
	}
	got, err := v.Any()
	if want, cause := n.Any(); reason(err) != cause || cause == "" && !sameAny(got, want) || cause != "" && got != nil {
		return "Any"
	}

	at := 0
	for key, value := range v.Pairs() {
		if at+2 > len(n.Children) {
			return "a pair too many"
		}
		if differValue(key, n.Children[at]) != "" || differValue(value, n.Children[at+1]) != "" {
			return "Pairs"
		}
		at += 2
	}
	if at != len(n.Children)&^1 {
		return "too few pairs"
	}
	for range v.Pairs() {
		break
	}
	at = 0
	for c := range v.All() {
		if d := accessors(c, n.Children[at]); d != "" {
			return d
		}
		if a := n.Children[at].Attribute(); a != nil {
			if d := accessors(c.Attributes(), a); d != "" {
				return "attributes: " + d
			}
		}
		if at++; at == len(n.Children) {
			break
		}
	}
	return ""
}

// nested says what is wrong with the nested pushes of f: each is what a parse of its bytes gives.
func nested(f parser.Frame) string {
	count := 0
	for range f.NestedPushes() {
		count++
	}
	for p := range f.NestedPushes() {
		again, n, err := parser.Parse(p.Raw())
		if err != nil || n != len(p.Raw()) || !p.IsPush() || !bytes.Equal(p.Name(), again.Name()) || p.Len() != again.Len() {
			return "a nested push is none"
		}
		if p.HasNestedPushes() != again.HasNestedPushes() {
			return "HasNestedPushes of a nested push"
		}
		if count--; count == 0 {
			break
		}
	}
	return ""
}
