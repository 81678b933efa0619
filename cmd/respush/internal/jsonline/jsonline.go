// Package jsonline writes a push as one line of JSON.
//
//	{"time":"2024-05-04T10:20:30.123456789Z","name":"invalidate","bytes":46,"args":[["user:1"]]}
//
// Texts are JSON strings, and {"base64":"..."} when they are not UTF-8. Errors
// are {"error":text}, maps {"map":[[key,value],...]}, integers, big numbers and
// doubles are numbers; a double that JSON has no number for is the string inf,
// -inf or nan. Arrays, sets and inner pushes are arrays. A push without a name
// has the name null and all of its elements in args. Attributes before the push
// are in "attributes", as [[key,value],...]; those of inner values are left out.
package jsonline

import (
	"bytes"
	"encoding/json"
	"iter"
	"math"
	"math/big"
	"time"
	"unicode/utf8"

	"github.com/seed79615202/respush/parser"
)

type line struct {
	Time       time.Time `json:"time"`
	Name       any       `json:"name"`
	Bytes      int       `json:"bytes"`
	Args       []any     `json:"args"`
	Attributes []any     `json:"attributes,omitempty"`
}

// Append appends push as a line, its line end included, to dst. Nothing of the
// push is kept.
func Append(dst []byte, at time.Time, push parser.Frame) ([]byte, error) {
	l := line{Time: at, Bytes: len(push.Raw()), Attributes: pairs(push.Attributes())}
	if name := push.Name(); name != nil {
		l.Name = text(name)
		l.Args = values(push.Args(), push.Len()-1)
	} else {
		l.Args = values(push.Value().All(), push.Len())
	}
	buf := bytes.NewBuffer(dst)
	encoder := json.NewEncoder(buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(l); err != nil {
		return dst, err
	}
	return buf.Bytes(), nil
}

func values(seq iter.Seq[parser.Value], count int) []any {
	out := make([]any, 0, count)
	for v := range seq {
		out = append(out, value(v))
	}
	return out
}

func pairs(v parser.Value) []any {
	var out []any
	for key, val := range v.Pairs() {
		out = append(out, []any{value(key), value(val)})
	}
	return out
}

// value calls itself no deeper than the parser's limit on nesting.
func value(v parser.Value) any {
	switch v.Type() {
	case parser.TypeNull:
		return nil
	case parser.TypeBoolean:
		yes, _ := v.Bool() // a frame that was handed out is valid
		return yes
	case parser.TypeInteger:
		n, _ := v.Int64()
		return n
	case parser.TypeBigNumber:
		return bigNumber(v)
	case parser.TypeDouble:
		return double(v)
	case parser.TypeSimpleError, parser.TypeBulkError:
		return map[string]any{"error": text(v.Bytes())}
	case parser.TypeMap:
		return map[string]any{"map": append([]any{}, pairs(v)...)}
	case parser.TypeArray, parser.TypeSet, parser.TypePush:
		return values(v.All(), v.Len())
	default:
		return text(v.Bytes())
	}
}

func text(b []byte) any {
	if utf8.Valid(b) {
		return string(b)
	}
	return map[string][]byte{"base64": b}
}

func bigNumber(v parser.Value) any {
	n, ok := new(big.Int).SetString(string(v.Bytes()), 10)
	if !ok {
		return text(v.Bytes())
	}
	return n
}

func double(v parser.Value) any {
	f, _ := v.Float64() // a frame that was handed out is valid
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	default:
		return f
	}
}
