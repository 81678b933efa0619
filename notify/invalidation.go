package notify

import (
	"iter"

	"github.com/seed79615202/respush/parser"
)

// Invalidation is an invalidate push: keys have changed, or all of them have. A
// server sends it to a connection with client-side caching (CLIENT TRACKING).
// An Invalidation is borrowed from the frame it was parsed from. The zero
// Invalidation has no keys.
//
// Invariant: keys is a list of strings, or a null.
type Invalidation struct {
	keys parser.Elements
}

// ParseInvalidation parses an invalidate push. Its one element after the name
// is an array of keys, or a null, which means every key. A single key without
// an array around it is accepted as well. ParseInvalidation returns a
// [*ShapeError] for any other frame, and allocates only for that.
func ParseInvalidation(push parser.Frame) (Invalidation, error) {
	if name, e := push.Split(); string(name) == NameInvalidate && e.Len() == 1 {
		if keys, _, ok := e.NextStrings(); ok {
			return Invalidation{keys}, nil
		}
	}
	return Invalidation{}, errInvalidation(push)
}

// errInvalidation returns the error for a frame that ParseInvalidation rejects.
func errInvalidation(push parser.Frame) error {
	if string(push.Name()) != NameInvalidate {
		return errFamily(push, FamilyInvalidation)
	}
	d := decoder{family: FamilyInvalidation, push: NameInvalidate}
	d.read(push, 2, 2)
	d.fail(1, ErrType)
	return d.err
}

// FlushAll reports whether the push invalidates every key, as it does after
// FLUSHALL, FLUSHDB and SWAPDB. Keys then yields nothing, and Len returns 0.
func (i Invalidation) FlushAll() bool { return i.keys.IsNull() }

// Len returns the number of keys.
func (i Invalidation) Len() int { return i.keys.Len() }

// Keys returns an iterator over the keys in wire order. Each is borrowed like
// the Invalidation.
func (i Invalidation) Keys() iter.Seq[[]byte] { return i.keys.Texts() }

// String returns a description of the invalidation on one line: the number of
// keys, and the first ten of them.
func (i Invalidation) String() string { return string(i.appendLine(nil)) }

func (i Invalidation) appendLine(dst []byte) []byte {
	return i.appendWords(append(dst, NameInvalidate...))
}

// appendWords appends the part of the line that follows the name.
func (i Invalidation) appendWords(dst []byte) []byte {
	if i.FlushAll() {
		return append(dst, gap+"flush all"...)
	}
	n := i.Len()
	dst = appendCount(append(dst, gap...), n, "key")
	if n == 0 {
		return dst
	}
	dst = append(dst, gap...)
	l := newList(dst, n, " ")
	for key := range i.Keys() {
		if !l.next() {
			break
		}
		l.line = appendWord(l.line, key)
	}
	return l.line
}
