package parser

import (
	"bytes"
	"errors"
	"iter"
	"math"
	"sync"
)

// Frame is one complete top-level value with the attributes that stand before
// it. It is a small value that refers to wire bytes it does not own. The
// function that returns it says how long they are valid; Clone returns a copy
// that outlives them. A Frame may be read from several goroutines at once while
// its bytes are valid. The zero Frame is not a frame; its methods return zero
// values.
//
// Invariant: raw is valid RESP3 from its first byte to its last, and meta holds
// what was learned from scanning it.
//
// A Frame has four words because that is the most the compiler keeps in
// registers; a larger one makes every call that passes it wait for memory,
// about 20 ns a push in all (BenchmarkProcess/frame=F1).
type Frame struct {
	raw  []byte
	meta frameMeta
}

// frameMeta packs, from the lowest bit: the type (8 bits), the naming (7), the
// nested flag (1), and, 16 bits each, where the value begins, and where the
// name of a push begins and ends. An offset that does not fit is stored as
// farOffset and found by walking.
type frameMeta uint64

const farOffset = math.MaxUint16

func (m frameMeta) typ() Type      { return Type(m) }
func (m frameMeta) naming() naming { return naming(m >> 8 & 0x7f) }
func (m frameMeta) nested() bool   { return m>>15&1 != 0 }
func (m frameMeta) valueAt() int   { return int(m >> 16 & farOffset) }
func (m frameMeta) nameAt() int    { return int(m >> 32 & farOffset) }
func (m frameMeta) nameEnd() int   { return int(m >> 48) }

// newFrameMeta packs its arguments. A name whose end does not fit becomes
// nameFar.
func newFrameMeta(t Type, n naming, nested bool, valueAt, nameAt, nameEnd int64) frameMeta {
	if n == nameKnown && nameEnd >= farOffset {
		n = nameFar
	}
	if n != nameKnown {
		nameAt, nameEnd = 0, 0
	}
	m := frameMeta(t) | frameMeta(n)<<8 | frameMeta(min(valueAt, farOffset))<<16 |
		frameMeta(nameAt)<<32 | frameMeta(nameEnd)<<48
	if nested {
		m |= 1 << 15
	}
	return m
}

// errDeep stops a scan that would have to allocate for its stack.
var errDeep = errors.New("parser: deep frame")

// Parse finds one frame at the start of b, within the default limits, and
// returns it with its length. The Frame borrows b. It does not look at bytes
// after the frame. It returns [ErrIncomplete] when b holds only the beginning
// of a frame, and a [*SyntaxError] or [*LimitError] when b cannot begin one;
// offsets count from the start of b. It allocates only for these errors.
func Parse(b []byte) (f Frame, n int, err error) {
	s := Scanner{stack: stack{shallow: true}}
	n, done, err := s.Scan(b)
	if err == errDeep {
		return parseDeep(b)
	}
	return s.result(b, n, done, err)
}

// deep holds Scanners whose stacks have grown.
var deep = sync.Pool{New: func() any { return new(Scanner) }}

// parseDeep is Parse with room for as many open aggregates as there may be.
func parseDeep(b []byte) (Frame, int, error) {
	s := deep.Get().(*Scanner)
	defer deep.Put(s)
	s.Reset()
	n, done, err := s.Scan(b)
	return s.result(b, n, done, err)
}

// result returns the results of Parse after a scan of b.
func (s *Scanner) result(b []byte, n int, done bool, err error) (Frame, int, error) {
	if err != nil {
		return Frame{}, 0, err
	}
	if !done {
		return Frame{}, 0, ErrIncomplete
	}
	return s.frame(b[:n:n]), n, nil
}

// frame returns the frame that has just been scanned; raw is all of it.
func (s *Scanner) frame(raw []byte) Frame {
	return Frame{raw, newFrameMeta(s.typ, s.naming, s.nested, s.valueAt, s.nameAt, s.nameEnd)}
}

// valueAt returns where the frame's value begins.
func (f Frame) valueAt() int {
	at := f.meta.valueAt()
	if at == farOffset {
		at = skipAttributes(f.raw, 0)
	}
	return at
}

// Type returns the type of the frame's value.
func (f Frame) Type() Type {
	t := f.meta.typ()
	if t.nullable() && f.raw[f.valueAt()+1] == '-' {
		return TypeNull
	}
	return t
}

// IsPush reports whether f is a push.
func (f Frame) IsPush() bool { return f.meta.typ() == TypePush }

// Name returns the name of a push: the text of its first element when that is a
// bulk, simple or verbatim string (without its format). It is nil for any other
// frame, and for a push whose first element is missing or not a string. It is
// borrowed like the frame, except that a name sent as a streamed string in more
// than one part, which no server does, is assembled in new memory.
func (f Frame) Name() []byte {
	if f.meta.naming() == nameKnown {
		end := f.meta.nameEnd()
		return f.raw[f.meta.nameAt():end:end]
	}
	return f.walkedName()
}

// walkedName is Name for a name whose place is not in meta.
func (f Frame) walkedName() []byte {
	switch f.meta.naming() {
	case nameFar, nameStreamed:
		v, _, _ := f.Value().Elements().Next()
		return v.Bytes()
	}
	return nil
}

// Value returns the frame's value without the attributes before it, borrowed
// like the frame.
func (f Frame) Value() Value {
	if len(f.raw) == 0 {
		return Value{}
	}
	at := f.valueAt()
	return parseValue(f.raw, at, at, len(f.raw))
}

// Len returns the number of the value's elements, as [Value.Len] does; the name
// of a push is one of them.
func (f Frame) Len() int {
	if f.IsPush() {
		return f.pushLen()
	}
	return f.Value().Len()
}

// Args yields the elements of a push after its name, or all elements of any
// other aggregate, borrowed like the frame. The first element of a push without
// a name is skipped too, as it stands in the name's place.
func (f Frame) Args() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for e := f.Elements(); len(e.b) > 0; {
			v, rest, ok := e.Next()
			if !ok || !yield(v) {
				return
			}
			e = rest
		}
	}
}

// Attributes returns the attributes that stand before the frame's value as one
// value of TypeAttribute, or the zero Value. It is borrowed like the frame.
func (f Frame) Attributes() Value { return attributes(f.raw[:f.valueAt()]) }

// NestedPushes yields the pushes that the server put inside the frame, at any
// depth, in the order of their first bytes. Servers before Redis 7.2 put a
// message published by the same connection inside the EXEC reply. Nested pushes
// are not elements of the aggregate around them: All and Len pass them over.
// They are borrowed like the frame. When there are none, the cost is one test.
func (f Frame) NestedPushes() iter.Seq[Frame] {
	return func(yield func(Frame) bool) {
		if f.meta.nested() {
			nestedPushes(f.raw, f.valueAt(), yield)
		}
	}
}

// HasNestedPushes reports whether NestedPushes yields anything.
func (f Frame) HasNestedPushes() bool { return f.meta.nested() }

// Raw returns the frame's wire bytes, attributes included, borrowed like the
// frame. They must not be changed.
func (f Frame) Raw() []byte { return f.raw }

// Clone returns a copy of f that owns its memory. It makes one allocation.
func (f Frame) Clone() Frame {
	f.raw = bytes.Clone(f.raw)
	return f
}

// CloneTo is Clone into the memory of dst, whose content is overwritten. It
// allocates when the capacity of dst is too small. Raw of the result is what
// append(dst[:0], f.Raw()...) returns.
func (f Frame) CloneTo(dst []byte) Frame {
	f.raw = append(dst[:0], f.raw...)
	return f
}
