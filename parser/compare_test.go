package parser_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/parser"
)

var causes = map[error]string{
	parser.ErrType:       oracle.ErrType,
	parser.ErrLength:     oracle.ErrLength,
	parser.ErrTerminator: oracle.ErrTerminator,
	parser.ErrNull:       oracle.ErrNull,
	parser.ErrVerbatim:   oracle.ErrVerbatim,
	parser.ErrChunk:      oracle.ErrChunk,
	parser.ErrEnd:        oracle.ErrEnd,
}

// reasons are what the accessors of a value return.
var reasons = map[error]string{
	nil:               "",
	parser.ErrKind:    oracle.ErrKind,
	parser.ErrNumber:  oracle.ErrNumber,
	parser.ErrBoolean: oracle.ErrBoolean,
	parser.ErrRange:   oracle.ErrRange,
	parser.ErrMapKey:  oracle.ErrMapKey,
}

// reason gives an accessor's error in the oracle's words.
func reason(err error) string {
	if r, ok := reasons[err]; ok {
		return r
	}
	return "foreign error: " + err.Error()
}

// outcome puts what a parse returned into the oracle's words, without a tree. Offsets count from base. An error that is
// none of the parser's is no verdict: its Cause says so.
func outcome(n int, err error, base int) oracle.Result {
	switch err {
	case nil:
		return oracle.Result{Verdict: oracle.OK, N: n}
	case parser.ErrIncomplete, io.EOF, io.ErrUnexpectedEOF:
		return oracle.Result{Verdict: oracle.Incomplete}
	}
	switch e := err.(type) {
	case *parser.SyntaxError:
		cause, ok := causes[e.Err]
		if !ok || !errors.Is(err, e.Err) {
			cause = "no sentinel: " + e.Error()
		}
		return oracle.Result{Verdict: oracle.Syntax, Cause: cause, Offset: e.Offset - int64(base)}
	case *parser.LimitError:
		return oracle.Result{Verdict: oracle.OverLimit, Limit: e.Limit, Max: e.Max, Got: e.Got, Offset: e.Offset - int64(base)}
	}
	return oracle.Result{Verdict: oracle.Syntax, Cause: "foreign error: " + err.Error()}
}

// sameOutcome compares all of two results but their trees.
func sameOutcome(a, b oracle.Result) bool {
	a.Tree, b.Tree = nil, nil
	return a == b
}

// render gives a frame as oracle.Node.String does.
func render(f parser.Frame) string {
	b := appendFrame(nil, f)
	for p := range f.NestedPushes() {
		b = appendFrame(append(b, " !"...), p)
	}
	return string(b)
}

func appendFrame(b []byte, f parser.Frame) []byte {
	if a := f.Attributes(); a.Type() != 0 {
		b = appendContent(b, a)
	}
	return appendContent(b, f.Value())
}

func appendValue(b []byte, v parser.Value) []byte {
	if a := v.Attributes(); a.Type() != 0 {
		b = appendContent(b, a)
	}
	return appendContent(b, v)
}

func appendContent(b []byte, v parser.Value) []byte {
	t := v.Type()
	switch t {
	case parser.TypeNull:
		return append(b, '_')
	case parser.TypeVerbatimString:
		return strconv.AppendQuote(append(b, '='), v.VerbatimFormat()+":"+string(v.Bytes()))
	case parser.TypeSimpleString, parser.TypeSimpleError, parser.TypeBulkString, parser.TypeBulkError:
		return strconv.AppendQuote(append(b, byte(t)), string(v.Bytes()))
	case parser.TypeInteger, parser.TypeBigNumber, parser.TypeDouble, parser.TypeBoolean:
		return append(append(b, byte(t)), v.Bytes()...)
	}
	b = append(b, byte(t), '[')
	first := true
	for c := range v.All() {
		if !first {
			b = append(b, ' ')
		}
		first = false
		b = appendValue(b, c)
	}
	return append(b, ']')
}

// differ says in what the frame f and the tree n, which was parsed from in, differ; it is empty if they do not. It
// allocates little as long as they do not.
func differ(f parser.Frame, n *oracle.Node, in []byte) string {
	if d := differFrame(f, n, in); d != "" {
		return d
	}
	pushes := n.NestedPushes()
	if f.HasNestedPushes() != (len(pushes) > 0) {
		return fmt.Sprintf("HasNestedPushes is %v, %d nested pushes", f.HasNestedPushes(), len(pushes))
	}
	i := 0
	for p := range f.NestedPushes() {
		if i == len(pushes) {
			return fmt.Sprintf("nested push too many: %q", p.Raw())
		}
		if d := differFrame(p, pushes[i], in); d != "" {
			return fmt.Sprintf("nested push %d: %s", i, d)
		}
		i++
	}
	if i < len(pushes) {
		return fmt.Sprintf("%d nested pushes, want %d", i, len(pushes))
	}
	return ""
}

// differFrame is differ without the nested pushes.
func differFrame(f parser.Frame, n *oracle.Node, in []byte) string {
	if raw := in[n.Start:n.End]; !bytes.Equal(f.Raw(), raw) {
		return fmt.Sprintf("raw %q, want %q", f.Raw(), raw)
	}
	if byte(f.Type()) != n.Type || f.IsPush() != (n.Type == '>') || f.Len() != len(n.Children) {
		return fmt.Sprintf("frame of type %v, push %v, len %d; want %q, len %d", f.Type(), f.IsPush(), f.Len(), n.Type, len(n.Children))
	}
	name, named := n.Name()
	if got := f.Name(); (got != nil) != named || !bytes.Equal(got, name) {
		return fmt.Sprintf("name %q (nil %v), want %q, %v", got, got == nil, name, named)
	}
	if d := differAttributes(f.Attributes(), n); d != "" {
		return d
	}
	v := f.Value()
	first := 0
	if f.IsPush() {
		first = 1
	}
	if d := differElements(f.Elements(), n, first); d != "" {
		return "elements: " + d
	}
	if got, e := f.Split(); (got != nil) != named || !bytes.Equal(got, name) || e.Len() != f.Elements().Len() {
		return "Split"
	}
	if n.Aggregate() {
		i := min(1, len(n.Children))
		if n.Type != '>' {
			i = 0
		}
		for a := range f.Args() {
			if i >= len(n.Children) {
				return "an argument too many"
			}
			if d := differValue(a, n.Children[i]); d != "" {
				return fmt.Sprintf("argument %d: %s", i, d)
			}
			i++
		}
		if i != len(n.Children) {
			return fmt.Sprintf("%d elements up to the last argument, want %d", i, len(n.Children))
		}
	}
	return differContent(v, n)
}

func differAttributes(a parser.Value, n *oracle.Node) string {
	want := n.Attribute()
	if want == nil {
		if a.Type() != 0 {
			return fmt.Sprintf("attributes %s, want none", a)
		}
		return ""
	}
	if a.Type() != parser.TypeAttribute {
		return fmt.Sprintf("attributes of type %v", a.Type())
	}
	if a.Attributes().Type() != 0 {
		return "attributes have attributes"
	}
	if d := differContent(a, want); d != "" {
		return "attributes: " + d
	}
	return ""
}

// differValue compares an inner value with the attributes before it.
func differValue(v parser.Value, n *oracle.Node) string {
	if d := differAttributes(v.Attributes(), n); d != "" {
		return d
	}
	return differContent(v, n)
}

func differContent(v parser.Value, n *oracle.Node) string {
	if byte(v.Type()) != n.Type || v.IsNull() != n.Null() {
		return fmt.Sprintf("type %v, null %v; want %q", v.Type(), v.IsNull(), n.Type)
	}
	if v.Len() != len(n.Children) {
		return fmt.Sprintf("len %d, want %d", v.Len(), len(n.Children))
	}
	if n.Type == '=' {
		if v.VerbatimFormat() != string(n.Text[:3]) {
			return fmt.Sprintf("format %q, want %q", v.VerbatimFormat(), n.Text[:3])
		}
	} else if v.VerbatimFormat() != "" {
		return fmt.Sprintf("format %q of type %v", v.VerbatimFormat(), v.Type())
	}
	if n.Null() || n.Aggregate() {
		if v.Bytes() != nil {
			return fmt.Sprintf("bytes %q of type %v", v.Bytes(), v.Type())
		}
	} else if b := v.Bytes(); b == nil || !bytes.Equal(b, n.Content()) {
		return fmt.Sprintf("text %q (nil %v), want %q", b, b == nil, n.Content())
	}
	if d := differElements(v.Elements(), n, 0); d != "" {
		return "elements: " + d
	}
	if e, ok := v.Strings(); differStrings(e, ok, n) != "" {
		return "Strings: " + differStrings(e, ok, n)
	}
	i := 0
	for c := range v.All() {
		if i == len(n.Children) {
			return "a child too many"
		}
		if d := differValue(c, n.Children[i]); d != "" {
			return fmt.Sprintf("child %d: %s", i, d)
		}
		i++
	}
	if i < len(n.Children) {
		return fmt.Sprintf("%d children, want %d", i, len(n.Children))
	}
	return ""
}

// sameAny compares what Value.Any gave with what oracle.Node.Any gave.
func sameAny(got, want any) bool {
	switch w := want.(type) {
	case nil:
		return got == nil
	case oracle.Error:
		g, ok := got.(parser.ServerError)
		return ok && string(g) == string(w)
	case float64:
		g, ok := got.(float64)
		return ok && (g == w && math.Signbit(g) == math.Signbit(w) || math.IsNaN(g) && math.IsNaN(w))
	case *big.Int:
		g, ok := got.(*big.Int)
		return ok && g.Cmp(w) == 0
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) || g == nil {
			return false
		}
		for i := range w {
			if !sameAny(g[i], w[i]) {
				return false
			}
		}
		return true
	case map[any]any:
		g, ok := got.(map[any]any)
		return ok && len(g) == len(w) && g != nil && sameMap(g, w)
	}
	return got == want // string, int64, bool
}

// sameMap compares two maps by their keys. A NaN, or a pointer to a big.Int, finds nothing in a map: then both are
// compared as text.
func sameMap(got, want map[any]any) bool {
	for key, value := range want {
		switch k := key.(type) {
		case float64:
			if math.IsNaN(k) {
				return bytes.Equal(appendAny(nil, got), appendAny(nil, want))
			}
		case *big.Int:
			return bytes.Equal(appendAny(nil, got), appendAny(nil, want))
		case oracle.Error:
			key = parser.ServerError(k)
		}
		if g, ok := got[key]; !ok || !sameAny(g, value) {
			return false
		}
	}
	return true
}

// appendAny renders what either Any gave, the same for both, a map in the order of its renderings.
func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "nil"...)
	case string:
		return strconv.AppendQuote(b, v)
	case oracle.Error:
		return strconv.AppendQuote(append(b, '-'), string(v))
	case parser.ServerError:
		return strconv.AppendQuote(append(b, '-'), string(v))
	case int64:
		return strconv.AppendInt(append(b, ':'), v, 10)
	case float64:
		return strconv.AppendFloat(append(b, ','), v, 'g', -1, 64)
	case bool:
		return strconv.AppendBool(b, v)
	case *big.Int:
		return v.Append(append(b, '('), 10)
	case []any:
		b = append(b, '[')
		for _, e := range v {
			b = append(appendAny(b, e), ' ')
		}
		return append(b, ']')
	case map[any]any:
		pairs := make([]string, 0, len(v))
		for key, value := range v {
			pairs = append(pairs, string(appendAny(append(appendAny(nil, key), '='), value)))
		}
		slices.Sort(pairs)
		b = append(b, '{')
		for _, p := range pairs {
			b = append(append(b, p...), ' ')
		}
		return append(b, '}')
	}
	return fmt.Appendf(b, "%T", v)
}
