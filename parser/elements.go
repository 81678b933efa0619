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
// invalidation. What else a child is, it does not tell: see OnlyTexts.
func (v Value) Texts() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var text []byte
		for b, p, left := v.children(); p < len(b); {
			if text, p, left = nextText(b, p, left); p > len(b) || !yield(text) {
				return
			}
		}
	}
}

// OnlyTexts reports whether v is an aggregate whose direct children are all
// strings: bulk, simple or verbatim.
func (v Value) OnlyTexts() bool {
	var c Value
	for b, p, left := v.children(); p < len(b); {
		p, left = passBulks(b, p, left)
		if p == len(b) {
			break
		}
		if c, p, left = next(b, p, left); p > len(b) {
			break
		}
		switch c.Type() {
		case TypeBulkString, TypeSimpleString, TypeVerbatimString:
		default:
			return false
		}
	}
	return v.aggregate()
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

// args is children for the elements of f behind the name of a push.
func (f Frame) args() (b []byte, p, left int) {
	if f.meta.naming() != nameKnown {
		b, p, left = f.Value().children()
		if f.IsPush() && p < len(b) {
			_, p, left = next(b, p, left)
		}
		return b, p, left
	}
	b = f.raw
	p = f.meta.nameEnd() + 2
	left, _ = header(b, f.valueAt())
	return b, p, left - 1
}

// next returns the child that begins at or behind b[p], where it ends, and how
// many are left behind it. left is how many are left before it, or negative when
// they go up to an end marker; b ends with the last of them. When there is none,
// end is more than len(b).
func next(b []byte, p, left int) (v Value, end, rest int) {
	if left > 0 && p <= len(b)-8 {
		w := binary.LittleEndian.Uint64(b[p : p+8])
		n, h := shortLength(w)
		switch Type(w) {
		case TypeBulkString:
			if h > 0 {
				end = p + h + n + 2
				return Value{b[p:end:end], valueMeta(TypeBulkString) | valueMeta(h)<<8}, end, left - 1
			}
		case TypeInteger:
			if h > 0 {
				end = p + h
				return Value{b[p:end:end], valueMeta(TypeInteger) | 1<<8}, end, left - 1
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
