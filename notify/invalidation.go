package notify

import (
	"iter"

	"github.com/seed79615202/respush/parser"
)

// Invalidation is an invalidate push, which a server sends to a connection with
// client-side caching (CLIENT TRACKING): keys have changed, or all have. It is
// borrowed from the frame it was parsed from. The zero Invalidation is one of no
// keys.
//
// Invariant: keys are strings, or null.
type Invalidation struct {
	keys parser.Elements
}

// ParseInvalidation returns the invalidation that push is. Its second element is
// an array of keys, or a null, which flushes everything; a key without an array
// around it is tolerated. Anything else is a [*ShapeError]. It does not allocate
// but for that.
func ParseInvalidation(push parser.Frame) (Invalidation, error) {
	if name, e := push.Split(); string(name) == NameInvalidate && e.Len() == 1 {
		if keys, _, ok := e.NextStrings(); ok {
			return Invalidation{keys}, nil
		}
	}
	return Invalidation{}, errInvalidation(push)
}

// errInvalidation is the error for a push that is no invalidation.
func errInvalidation(push parser.Frame) error {
	if string(push.Name()) != NameInvalidate {
		return errFamily(push, FamilyInvalidation)
	}
	d := decoder{family: FamilyInvalidation, push: NameInvalidate}
	d.read(push, 2, 2)
	d.fail(1, ErrType)
	return d.err
}

// FlushAll reports whether the push stands for every key, as it does after
// FLUSHALL, FLUSHDB and SWAPDB. Keys then yields nothing.
func (i Invalidation) FlushAll() bool { return i.keys.IsNull() }

// Len returns the number of keys.
func (i Invalidation) Len() int { return i.keys.Len() }

// Keys yields the keys in wire order, each borrowed like the Invalidation.
func (i Invalidation) Keys() iter.Seq[[]byte] { return i.keys.Texts() }

// String returns the invalidation in words on one line: the number of keys, and
// the first ten of them.
func (i Invalidation) String() string { return string(i.appendLine(nil)) }

func (i Invalidation) appendLine(dst []byte) []byte {
	return i.appendWords(append(dst, NameInvalidate...))
}

// appendWords appends what follows the name.
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
