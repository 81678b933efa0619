package parser

import (
	"encoding/binary"
	"iter"
	"math"
)

// Elements holds the unread elements of an aggregate, in wire order. Reading
// does not change it: each Next method returns the first element and the rest.
//
//	for e := v.Elements(); ; {
//		c, rest, ok := e.Next()
//		if !ok {
//			break
//		}
//		...
//		e = rest
//	}
//
// Elements is borrowed like the Value or Frame it was taken from. The zero
// Elements has no elements.
//
// Invariant: b is the rest of an aggregate and ends where that does. left is
// the number of elements left: negative if they end at an end marker, inRow or
// more in an attribute, which another may follow, and isNull for a null. Four
// words are the most the compiler keeps in registers; see [Frame].
type Elements struct {
	b    []byte
	left int
}

const (
	inRow  = math.MaxInt/2 + 1
	isNull = math.MinInt
)

// Elements returns the direct children of v, with keys and values in turn for a
// map. A value that is not an aggregate has none.
func (v Value) Elements() Elements {
	t := v.Type()
	switch {
	case classes[t] != classAggregate:
		return Elements{}
	case t == TypeAttribute:
		return Elements{v.raw, inRow}
	}
	n, body := header(v.raw, v.meta.at())
	if t == TypeMap && n > 0 {
		n *= 2
	}
	return Elements{v.raw[body:], n}
}

// Strings returns the strings that v stands for. These are the elements of an
// array of bulk, simple or verbatim strings, or v itself when it is such a
// string. For a null it returns an empty Elements whose IsNull reports true.
// For any other value ok is false.
func (v Value) Strings() (e Elements, ok bool) {
	switch t := v.Type(); {
	case t == TypeArray:
		e = v.Elements()
		return e, e.strings()
	case t == TypeNull:
		return Elements{left: isNull}, true
	case t.text():
		return Elements{v.raw, 1}, true
	}
	return Elements{}, false
}

// Elements returns the elements of a push after its name, or all elements of
// any other aggregate. The first element of a push without a name is left out
// too, as it stands in the name's place.
func (f Frame) Elements() Elements {
	_, e := f.Split()
	return e
}

// Split returns the results of Name and Elements, in less time than both take.
func (f Frame) Split() (name []byte, e Elements) {
	if f.meta.naming() != nameKnown {
		return f.split()
	}
	b, at, end := f.raw, f.meta.valueAt(), f.meta.nameEnd()
	n := int(b[at+1] - '0')
	if b[at+2] != '\r' { // more than 9 elements; known pushes have at most 9
		n = f.pushLen()
	}
	return b[f.meta.nameAt():end:end], Elements{b[end+2:], n - 1}
}

// split is Split for a frame whose name is not in its meta.
func (f Frame) split() (name []byte, e Elements) {
	e = f.Value().Elements()
	if f.IsPush() {
		_, e, _ = e.Next()
	}
	return f.walkedName(), e
}

// pushLen returns the number of elements of a push.
func (f Frame) pushLen() int {
	n, _ := header(f.raw, f.valueAt())
	return n
}

// IsNull reports whether e is what [Value.Strings] returns for a null.
func (e Elements) IsNull() bool { return e.left == isNull }

// Len returns the number of elements. It has to walk the elements of a streamed
// aggregate, or of several attributes in a row, to count them.
func (e Elements) Len() int {
	if uint(e.left) < inRow {
		return e.left
	}
	return e.count()
}

// count is Len for elements that have to be walked.
func (e Elements) count() int {
	n := 0
	for len(e.b) > 0 {
		_, rest, ok := e.Next()
		if !ok {
			break
		}
		e = rest
		n++
	}
	return n
}

// All yields the elements.
func (e Elements) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for e := e; len(e.b) > 0; {
			v, rest, ok := e.Next()
			if !ok || !yield(v) {
				return
			}
			e = rest
		}
	}
}

// Texts yields what Bytes returns for each element. It is the fast way to read
// many strings, such as the keys of an invalidation.
func (e Elements) Texts() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for e := e; len(e.b) > 0; {
			text, rest, ok := e.NextText()
			if !ok || !yield(text) {
				return
			}
			e = rest
		}
	}
}

// Next returns the first element and the Elements after it. ok is false when
// there are no elements.
func (e Elements) Next() (v Value, rest Elements, ok bool) {
	b := e.b
	if useFast && e.left > 0 && len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		n, h := shortLength(w)
		switch Type(w) {
		case TypeBulkString:
			if h == 0 {
				n, h = plainLength(w)
			}
			if end := h + n + 2; h > 0 {
				return Value{b[:end:end], plainBulk | valueMeta(h)<<8}, Elements{b[end:], e.left - 1}, true
			}
		case TypeInteger:
			if h == 0 {
				_, h = plainLength(w)
			}
			if h > 0 {
				return Value{b[:h:h], valueMeta(TypeInteger) | 1<<8}, Elements{b[h:], e.left - 1}, true
			}
		case TypeArray:
			if h > 0 && e.left == 1 { // it ends with its parent
				return Value{b, valueMeta(TypeArray) | valueMeta(h)<<8}, Elements{}, true
			}
		}
	} else if e.left == 1 && len(b) == nullSize && Type(b[0]) == TypeNull {
		return Value{b, valueMeta(TypeNull) | 1<<8}, Elements{}, true
	}
	return e.next()
}

// nullSize is the size of a null.
const nullSize = len("_\r\n")

// next is Next for any element.
func (e Elements) next() (v Value, rest Elements, ok bool) {
	b, left := e.b, e.left
	for left == inRow && len(b) > 0 {
		n, body := header(b, 0)
		b, left = b[body:], inRow+2*n
	}
	if left == 0 || left == inRow || left == isNull {
		return Value{}, Elements{}, false
	}
	from, at := element(b, 0)
	if b[at] == markEnd {
		return Value{}, Elements{}, false
	}
	end := -1
	if left == 1 {
		end = len(b) // so there is no need to search for it
	}
	v = parseValue(b, from, at, end)
	return v, Elements{b[from+len(v.raw):], left - 1}, true
}

// NextText is Next for the text of a bulk, simple or verbatim string. ok is
// false when the first element is not such a string.
func (e Elements) NextText() (text []byte, rest Elements, ok bool) {
	b := e.b
	if useFast && e.left > 0 && len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		if n, h := shortLength(w); Type(w) == TypeBulkString && h > 0 {
			return b[h : h+n : h+n], Elements{b[h+n+2:], e.left - 1}, true
		}
	}
	v, rest, ok := e.Next()
	if !ok || !v.Type().text() {
		return nil, e, false
	}
	return v.Bytes(), rest, true
}

// NextInt64 is Next for an integer. ok is false when the first element is not
// an integer, or is one beyond int64.
func (e Elements) NextInt64() (n int64, rest Elements, ok bool) {
	b := e.b
	if useFast && e.left > 0 && len(b) > 0 && Type(b[0]) == TypeInteger {
		i := 1
		for i < len(b) && b[i]-'0' <= 9 {
			n = n*10 + int64(b[i]-'0')
			i++
		}
		if i > 1 && i <= 18 && len(b)-i >= 2 && binary.LittleEndian.Uint16(b[i:]) == crlf {
			return n, Elements{b[i+2:], e.left - 1}, true
		}
	}
	return e.nextInt64()
}

// nextInt64 is NextInt64 for any element.
func (e Elements) nextInt64() (n int64, rest Elements, ok bool) {
	v, rest, ok := e.Next()
	if !ok || v.Type() != TypeInteger {
		return 0, e, false
	}
	n, err := v.Int64()
	if err != nil {
		return 0, e, false
	}
	return n, rest, true
}

// NextStrings is Next followed by [Value.Strings] on the element. ok is false
// when there is no element or Strings reports false.
func (e Elements) NextStrings() (strings, rest Elements, ok bool) {
	b := e.b
	if useFast && e.left == 1 && len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		n, h := shortLength(w)
		if h == 0 {
			n, h = plainLength(w)
		}
		if Type(w) == TypeArray && h > 0 {
			strings = Elements{b[h:], n}
			return strings, Elements{}, strings.strings()
		}
	} else if e.left == 1 && len(b) == nullSize && Type(b[0]) == TypeNull {
		return Elements{left: isNull}, Elements{}, true
	}
	v, rest, ok := e.Next()
	if ok {
		strings, ok = v.Strings()
	}
	return strings, rest, ok
}

// strings reports whether all elements are strings.
func (e Elements) strings() bool {
	b := e.b
	for left := e.left; ; left-- {
		for p, size, head, mask := 0, 0, uint64(0), uint64(0); useFast && left > 0; left-- {
			if len(b)-p < 8 {
				b = b[p:]
				break
			}
			w := binary.LittleEndian.Uint64(b[p:])
			if w&mask == head && size > 0 { // as the one before it
				p += size
				continue
			}
			n, h := shortLength(w)
			if Type(w) != TypeBulkString || h == 0 {
				b = b[p:]
				break
			}
			mask = uint64(1)<<(8*h) - 1
			size, head = h+n+2, w&mask
			p += size
		}
		if left == 0 {
			return true
		}
		v, rest, ok := Elements{b, left}.next()
		if !ok || !v.Type().text() {
			return !ok
		}
		b = rest.b
	}
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

// fewDigits parses a number of up to 18 digits without a sign. Most numbers are
// of this form.
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
