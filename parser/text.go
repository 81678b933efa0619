package parser

import "strconv"

// appendText appends the value at w to dst in the form of String, with strings
// quoted.
func (w *walk) appendText(dst []byte) []byte {
	if !w.atAggregate() {
		return w.scalar().appendText(dst)
	}
	t := Type(w.b[w.p])
	if !t.paired() {
		dst = append(dst, '[')
		for i, n := 0, w.open(); w.more(n); i, n = i+1, n-1 {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = w.appendText(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i, n := 0, w.open(); ; n = w.open() {
		for ; w.more(n); i, n = i+1, n-1 {
			switch {
			case i%2 == 1:
				dst = append(dst, ": "...)
			case i > 0:
				dst = append(dst, ", "...)
			}
			dst = w.appendText(dst)
		}
		if t != TypeAttribute || w.p == len(w.b) {
			return append(dst, '}')
		}
	}
}

// appendText is walk.appendText for a value that is not an aggregate. It quotes
// the text of a number or boolean that is malformed.
func (v Value) appendText(dst []byte) []byte {
	switch v.Type() {
	case TypeNull:
		return append(dst, "null"...)
	case TypeBoolean:
		if b, err := v.Bool(); err == nil {
			return strconv.AppendBool(dst, b)
		}
	case TypeInteger, TypeDouble, TypeBigNumber:
		if b := v.Bytes(); isDouble(b) || isNaN(b) {
			return append(dst, b...)
		}
	}
	return strconv.AppendQuote(dst, string(v.Bytes()))
}
