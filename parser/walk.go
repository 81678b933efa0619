package parser

import (
	"bytes"
	"encoding/binary"
)

// The functions here walk bytes that a Scanner has found valid, so they check
// nothing again. An index out of range would be a bug in the Scanner.

// header reads the header line at b[p], the type byte of a bulk, chunk or
// aggregate. n is the length or count announced, -1 for a RESP2 null, -2 for a
// streamed value; body is where the line ends.
func header(b []byte, p int) (n, body int) {
	p++
	switch b[p] {
	case '-':
		return -1, p + 4
	case '?':
		return -2, p + 3
	}
	for b[p] != '\r' {
		n = n*10 + int(b[p]-'0')
		p++
	}
	return n, p + 2
}

// parseValue returns the value whose type byte is b[at], with the attributes
// before it, which begin at b[from]. It ends at b[end]. If end is -1,
// parseValue finds the end itself.
func parseValue(b []byte, from, at, end int) Value {
	t := Type(b[at])
	body := at + 1
	switch classes[t] {
	case classBulk, classAggregate:
		var n int
		n, body = header(b, at)
		switch {
		case n == -1:
			t, end = TypeNull, body
		case n < 0 && t == TypeBulkString:
			return newValue(b, from, at, body, end, t, true)
		case classes[t] == classBulk:
			end = body + n + 2
			if t == TypeVerbatimString {
				body += 4
			}
		}
	default:
		end = body + bytes.IndexByte(b[body:], '\n') + 1
		if b[end-2] != '\r' { // rare; a call of lineEnd is not inlined
			end = lineEnd(b, end)
		}
	}
	return newValue(b, from, at, body, end, t, false)
}

// newValue returns a Value of these parts.
func newValue(b []byte, from, at, body, end int, t Type, streamed bool) Value {
	if end < 0 {
		end = skipItem(b, at)
	}
	v := Value{b[from:end:end], valueMeta(t) | valueMeta(body-at)<<8 | valueMeta(at-from)<<16}
	if streamed {
		v.meta |= 1 << 15
	}
	return v
}

// onWalk is called with the number of bytes that a scan or walk goes over. Only tests
// set it.
var onWalk func(n int)

// walked calls onWalk if it is set.
func walked(n int) {
	if onWalk != nil {
		onWalk(n)
	}
}

// skipItem returns where the item at b[p] ends. An item is a value, an
// attribute without the value after it, or a push out of band.
func skipItem(b []byte, p int) int {
	end := skip(b, p)
	walked(end - p)
	return end
}

// skip is skipItem without the call of walked.
func skip(b []byte, p int) int {
	open := 1 // the items of the one at p not yet passed; at first that one itself
	for first := true; open > 0; first = false {
		t := Type(b[p])
		if first || t != TypeAttribute && t != TypePush {
			open--
		}
		switch classes[b[p]] {
		case classBulk:
			n, body := header(b, p)
			switch {
			case n == -1:
				p = body
			case n < 0:
				p = skipChunks(b, body)
			default:
				p = body + n + 2
			}
		case classAggregate:
			n, body := header(b, p)
			p = body
			switch {
			case n == -1:
			case n < 0:
				for b[p] != markEnd {
					p = skip(b, p)
				}
				p += 3
			case t.paired():
				open += 2 * n
			default:
				open += n
			}
		default:
			p += bytes.IndexByte(b[p:], '\n') + 1
			if b[p-2] != '\r' {
				p = lineEnd(b, p)
			}
		}
	}
	return p
}

// skipChunks returns where the streamed string whose first part is at b[p]
// ends.
func skipChunks(b []byte, p int) int {
	for {
		n, body := header(b, p)
		if n == 0 {
			return body
		}
		p = body + n + 2
	}
}

// joinChunks returns the text of the streamed string whose first part is at
// b[p]: in place when it has one part, otherwise in new memory.
func joinChunks(b []byte, p int) []byte {
	n, body := header(b, p)
	text := b[body : body+n : body+n]
	if n == 0 {
		return text
	}
	for {
		p = body + n + 2
		if n, body = header(b, p); n == 0 {
			return text
		}
		text = append(text, b[body:body+n]...) // its capacity is its length: append copies
	}
}

// skipAttributes returns where the attributes at b[p] end, or p if there are
// none.
func skipAttributes(b []byte, p int) int {
	for p < len(b) && Type(b[p]) == TypeAttribute {
		p = skipItem(b, p)
	}
	return p
}

// attributes returns the attributes that fill b as one value.
func attributes(b []byte) Value {
	if len(b) == 0 {
		return Value{}
	}
	return Value{b[:len(b):len(b)], valueMeta(TypeAttribute)}
}

// element returns where the next element at or after b[p] begins: from includes
// its attributes, at does not. It passes over pushes before the element. at is
// the place of the end marker when no element is left.
func element(b []byte, p int) (from, at int) {
	for {
		at = skipAttributes(b, p)
		if Type(b[at]) != TypePush {
			return p, at
		}
		p = skipItem(b, at)
	}
}

// A walk goes over values that a Scanner has found valid, from first to last
// and never back. So Any and String take time linear in the size of a value,
// however deep it is. An iterator does not, as it has to find the end of each
// child before the caller looks into the child.
type walk struct {
	b []byte
	p int // where the next item begins
}

// open goes over the header of the aggregate at w. It returns the number of
// values that follow, counting keys and values. It returns -1 for a RESP2 null,
// and another negative number when there is an end marker.
func (w *walk) open() int {
	t := Type(w.b[w.p])
	n, body := header(w.b, w.p)
	w.p = body
	if t.paired() && n > 0 {
		n *= 2
	}
	return n
}

// more reports whether another value follows. n is the count from open less the
// values already gone over. It passes over attributes and pushes before that
// value, and over the end marker otherwise.
func (w *walk) more(n int) bool {
	if n == 0 {
		return false
	}
	switch b := w.b[w.p]; {
	case b == byte(TypeAttribute), b == byte(TypePush), b == markEnd:
		return w.skipped()
	}
	return true
}

// skipped is more when the next byte does not begin a value.
func (w *walk) skipped() bool {
	if _, w.p = element(w.b, w.p); w.b[w.p] == markEnd {
		w.p += 3
		return false
	}
	return true
}

// atAggregate reports whether the value at w is an aggregate.
func (w *walk) atAggregate() bool {
	return classes[w.b[w.p]] == classAggregate && w.b[w.p+1] != '-'
}

// bulk returns the text of the value at w and goes over it, if it is a bulk
// string in one part with a plain header and at least 8 bytes are left.
// Otherwise it returns nil.
func (w *walk) bulk() []byte {
	b := w.b[w.p:]
	if len(b) < 8 || Type(b[0]) != TypeBulkString {
		return nil
	}
	n, h := plainLength(binary.LittleEndian.Uint64(b))
	if h == 0 {
		return nil
	}
	w.p += h + n + 2
	return b[h : h+n]
}

// scalar returns the value at w, which must not be an aggregate, and goes over
// it.
func (w *walk) scalar() Value {
	v := parseValue(w.b, w.p, w.p, -1)
	w.p += len(v.raw)
	return v
}
