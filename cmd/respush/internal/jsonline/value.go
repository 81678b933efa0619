package jsonline

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/seed79615202/respush/parser"
)

// Text appends what stands for text in JSON.
func Text(dst, text []byte) []byte {
	if !utf8.Valid(text) {
		dst = append(dst, `{"base64":"`...)
		return append(base64.StdEncoding.AppendEncode(dst, text), `"}`...)
	}
	dst = append(dst, '"')
	kept := 0 // what stands before it has been appended
	for i, r := range string(text) {
		if escaped := escape(r); escaped != "" {
			dst = append(append(dst, text[kept:i]...), escaped...)
			kept = i + utf8.RuneLen(r)
		}
	}
	return append(append(dst, text[kept:]...), '"')
}

// escape returns what stands for r in a JSON string, "" for r itself. JSON
// allows DEL and the C1 controls; a terminal may act on them. U+2028 and U+2029
// end a line in JavaScript.
func escape(r rune) string {
	const hex = "0123456789abcdef"
	switch {
	case r == '"':
		return `\"`
	case r == '\\':
		return `\\`
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < ' ', '\x7f' <= r && r <= '\u009f':
		return `\u00` + string(hex[r>>4]) + string(hex[r&0xf])
	case r == '\u2028':
		return `\u2028`
	case r == '\u2029':
		return `\u2029`
	default:
		return ""
	}
}

// appendValue calls itself no deeper than the parser's limit on nesting. Where
// the text of a number or boolean is none, it is appended as a text.
func appendValue(dst []byte, v parser.Value) []byte {
	switch v.Type() {
	case parser.TypeNull:
		return append(dst, "null"...)
	case parser.TypeBoolean:
		if yes, err := v.Bool(); err == nil {
			return strconv.AppendBool(dst, yes)
		}
	case parser.TypeInteger, parser.TypeBigNumber:
		if digits := v.Bytes(); isInteger(digits) {
			return appendInteger(dst, digits)
		}
	case parser.TypeDouble:
		if f, err := v.Float64(); err == nil || errors.Is(err, parser.ErrRange) {
			return appendDouble(dst, f)
		}
	case parser.TypeSimpleError, parser.TypeBulkError:
		return append(Text(append(dst, `{"error":`...), v.Bytes()), '}')
	case parser.TypeMap:
		return append(appendPairs(append(dst, `{"map":`...), v), '}')
	case parser.TypeArray, parser.TypeSet, parser.TypePush:
		return appendList(dst, v.All())
	}
	return Text(dst, v.Bytes())
}

func appendList(dst []byte, values iter.Seq[parser.Value]) []byte {
	dst = append(dst, '[')
	separator := ""
	for v := range values {
		dst = appendValue(append(dst, separator...), v)
		separator = ","
	}
	return append(dst, ']')
}

func appendPairs(dst []byte, v parser.Value) []byte {
	dst = append(dst, '[')
	separator := "["
	for key, val := range v.Pairs() {
		dst = appendValue(append(dst, separator...), key)
		dst = append(appendValue(append(dst, ','), val), ']')
		separator = ",["
	}
	return append(dst, ']')
}

// isInteger reports whether text is digits, with or without a sign.
func isInteger(text []byte) bool {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	return len(text) > 0 && len(bytes.Trim(text, "0123456789")) == 0
}

// appendInteger appends digits without what JSON does not allow before them: a
// plus sign and leading zeros.
func appendInteger(dst, digits []byte) []byte {
	switch digits[0] {
	case '-':
		dst = append(dst, '-')
		fallthrough
	case '+':
		digits = digits[1:]
	}
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return append(dst, digits...)
}

func appendDouble(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, `"inf"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-inf"`...)
	case math.IsNaN(f):
		return append(dst, `"nan"`...)
	}
	number, _ := json.Marshal(f) // a finite one has no error
	return append(dst, number...)
}
