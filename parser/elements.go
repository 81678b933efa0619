package parser

import (
	"encoding/binary"
	"iter"
	"math"
)

// The iterators here are loops around next or nextText, small enough to be
// inlined where they are ranged over, the loop's body included: an element costs
// one call, and is handed over in registers (BenchmarkValue).

// All yields the direct children in wire order, keys and values in turn for a
// map, each borrowed like v. Pushes inside are passed over. It yields nothing
// for what is no aggregate. A child that is an aggregate is gone over to its end
// before it is yielded: a caller that descends through many levels does so once
// for each, which Any and String do not.
func (v Value) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		var c Value
		for b, p, left := v.children(); p < len(b); {
			if c, p, left = next(b, p, left); p > len(b) || !yield(c) {
				return
			}
		}
	}
}

// Pairs yields the direct children two by two: the keys and values of a map or
// attribute. An odd last child of another aggregate is left out.
func (v Value) Pairs() iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		var key, val Value
		for b, p, left := v.children(); p < len(b); {
			if key, p, left = next(b, p, left); p >= len(b) {
				return
			}
			if val, p, left = next(b, p, left); p > len(b) || !yield(key, val) {
				return
			}
		}
	}
}

// Texts yields what Bytes returns for each of the direct children, in wire
// order. It is the fast way to read many strings, such as the keys of an
// invalidation. A string stands for itself: its own text is the only one. What a
// child is that is no string, Texts does not tell: see OnlyTexts.
func (v Value) Texts() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var text []byte
		for b, p, left := v.texts(); p < len(b); {
			if text, p, left = nextText(b, p, left); p > len(b) || !yield(text) {
				return
			}
		}
	}
}

// OnlyTexts reports whether all that Texts yields are strings, bulk, simple or
// verbatim, and v is one or an aggregate of such.
func (v Value) OnlyTexts() bool {
	var c Value
	b, p, left := v.texts()
	for p < len(b) {
		if p, left = passBulks(b, p, left); p == len(b) {
			break
		}
		if c, p, left = next(b, p, left); p <= len(b) && !c.Type().text() {
			return false
		}
	}
	return b != nil
}

// Args yields the elements of a push after its name, or all elements of any
// other aggregate, borrowed like the frame. A push without a name has its first
// element skipped all the same: it stands in the name's place.
func (f Frame) Args() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		var v Value
		for b, p, left := f.args(); p < len(b); {
			if v, p, left = next(b, p, left); p > len(b) || !yield(v) {
				return
			}
		}
	}
}

// inRow is added to the number of children that an attribute has left: where
// they end the next attribute begins, if any, and is part of the same Value.
const inRow = math.MaxInt/2 + 1

// children returns what next is called with for the first child: the bytes of v,
// where in them the child begins, and how many are left. p is len(b) when there
// are none.
func (v Value) children() (b []byte, p, left int) {
	if !v.aggregate() {
		return nil, 0, 0
	}
	b, p = v.raw, v.meta.at()
	t := v.Type()
	if t == TypeAttribute {
		return b, p, inRow
	}
	left, p = header(b, p)
	if t == TypeMap && left > 0 {
		left *= 2
	}
	return b, p, left
}

// texts is children for Texts.
func (v Value) texts() (b []byte, p, left int) {
	if v.Type().text() {
		return v.raw, 0, 1
	}
	return v.children()
}

// args is children for the elements of f behind the name of a push.
func (f Frame) args() (b []byte, p, left int) {
	if f.meta.naming() != nameKnown {
		b, p, left = f.Value().children()
		if f.IsPush() && p < len(b) {
			_, p, left = next(b, p, left)
		}
		return b, p, left
	}
	return f.raw, f.meta.nameEnd() + 2, f.pushLen() - 1
}

// pushLen returns the number of elements of a push.
func (f Frame) pushLen() int {
	if b, at := f.raw, f.meta.valueAt(); at+2 < len(b) && b[at+2] == '\r' {
		return int(b[at+1] - '0') // which nearly all have, as they are few
	}
	n, _ := header(f.raw, f.valueAt())
	return n
}

// next returns the child that begins at or behind b[p], where it ends, and how
// many are left behind it. left is how many are left before it, or negative when
// they go up to an end marker; b ends with the last of them. When there is none,
// end is more than len(b).
func next(b []byte, p, left int) (v Value, end, rest int) {
	if left > 0 && len(b) >= 8 {
		var w uint64 // the 8 bytes at b[p], or as many as there are
		if last := len(b) - 8; p <= last {
			w = binary.LittleEndian.Uint64(b[p:])
		} else {
			w = binary.LittleEndian.Uint64(b[last:]) >> (8 * (p - last))
		}
		n, h := shortLength(w)
		switch Type(w) {
		case TypeBulkString:
			if h == 0 {
				n, h = plainLength(w)
			}
			if h > 0 {
				end = p + h + n + 2
				return Value{b[p:end:end], plainBulk | valueMeta(h)<<8}, end, left - 1
			}
		case TypeInteger:
			if h == 0 {
				_, h = plainLength(w)
			}
			if h > 0 {
				end = p + h
				return Value{b[p:end:end], valueMeta(TypeInteger) | 1<<8}, end, left - 1
			}
		case TypeArray:
			if h > 0 && left == 1 { // it ends where its parent does
				return Value{b[p:len(b):len(b)], valueMeta(TypeArray) | valueMeta(h)<<8}, len(b), 0
			}
		case TypeNull:
			if w>>8&0xffff == crlf {
				end = p + 3
				return Value{b[p:end:end], valueMeta(TypeNull) | 1<<8}, end, left - 1
			}
		}
	}
	return nextAny(b, p, left)
}

// nextText is next for the text of the child.
func nextText(b []byte, p, left int) (text []byte, end, rest int) {
	if left > 0 && p <= len(b)-8 {
		w := binary.LittleEndian.Uint64(b[p : p+8])
		if n, h := shortLength(w); Type(w) == TypeBulkString && h > 0 {
			end = p + h + n
			return b[p+h : end : end], end + 2, left - 1
		}
	}
	v, end, rest := nextAny(b, p, left)
	return v.Bytes(), end, rest
}

// passBulks passes over the bulks that stand at b[p], as far as they are short.
func passBulks(b []byte, p, left int) (end, rest int) {
	for left > 0 && p <= len(b)-8 {
		w := binary.LittleEndian.Uint64(b[p : p+8])
		n, h := shortLength(w)
		if Type(w) != TypeBulkString || h == 0 {
			break
		}
		p += h + n + 2
		left--
	}
	return p, left
}

// shortLength is plainLength for up to 2 digits.
func shortLength(w uint64) (n, h int) {
	a, b := w>>8&0xff-'0', w>>16&0xff-'0'
	switch {
	case w>>24&0xffff == crlf && a <= 9 && b <= 9:
		return int(a*10 + b), 5
	case w>>16&0xffff == crlf && a <= 9:
		return int(a), 4
	}
	return 0, 0
}

// nextAny is next for all there is.
func nextAny(b []byte, p, left int) (v Value, end, rest int) {
	for left == inRow {
		if p == len(b) {
			return Value{}, p + 1, 0
		}
		var n int
		n, p = header(b, p)
		left = inRow + 2*n
	}
	from, at := element(b, p)
	if b[at] == markEnd {
		return Value{}, len(b) + 1, 0
	}
	end = -1
	if left == 1 {
		end = len(b) // and need not be looked for
	}
	v = parseValue(b, from, at, end)
	return v, from + len(v.raw), left - 1
}

// fewDigits reads a number of up to 18 digits without a sign, which is what most
// are.
func fewDigits(b []byte) (n int64, ok bool) {
	if len(b) > 18 {
		return 0, false
	}
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + int64(d)
	}
	return n, len(b) > 0
}
