package parser

import (
	"iter"
)

// Value is one RESP3 value inside a frame, with the attributes before it. It is
// borrowed like the [Frame] it was taken from: it refers to wire bytes it does
// not own, and is valid only as long as they are. The zero Value has type 0 and
// no content.
//
// Invariant: raw is valid RESP3 and holds attributes, if any, then the value
// and nothing more. meta holds what was learned from the value's header. Four
// words are the most the compiler keeps in registers; see [Frame].
type Value struct {
	raw  []byte
	meta valueMeta
}

// valueMeta packs, from the lowest bit: the type (8 bits), the size of the
// header (7), the streamed flag of strings (1), the size of the attributes
// (48).
type valueMeta uint64

func (m valueMeta) typ() Type      { return Type(m) }
func (m valueMeta) streamed() bool { return m>>15&1 != 0 }
func (m valueMeta) at() int        { return int(m >> 16) }
func (m valueMeta) body() int      { return m.at() + int(m>>8&0x7f) }

// The mask and the bits of meta that identify a bulk string that is not
// streamed.
const (
	plainMask valueMeta = 1<<15 | 0xff
	plainBulk           = valueMeta(TypeBulkString)
)

// Type returns the value's type. RESP2 nulls ($-1, *-1) are TypeNull.
func (v Value) Type() Type { return v.meta.typ() }

// IsNull reports whether v is a null of any spelling.
func (v Value) IsNull() bool { return v.Type() == TypeNull }

// aggregate reports whether v has children.
func (v Value) aggregate() bool { return classes[v.Type()] == classAggregate }

// Bytes returns the text of a string, error or number, without its framing and
// without the format of a verbatim string. It is nil for nulls and aggregates.
// For a number or boolean it is the text that the server sent, valid or not. It
// is borrowed, except that a streamed string in more than one part is assembled
// in new memory. That is the only case in which an accessor of borrowed bytes
// allocates.
func (v Value) Bytes() []byte {
	if t := v.meta & plainMask; t == plainBulk || t == valueMeta(TypeInteger) {
		end := len(v.raw) - 2
		return v.raw[v.meta.body():end:end]
	}
	return v.otherBytes()
}

// otherBytes is Bytes for anything but an integer or a bulk string in one part.
func (v Value) otherBytes() []byte {
	switch classes[v.Type()] {
	case classNone, classNull, classAggregate:
		return nil
	}
	if v.meta.streamed() {
		return joinChunks(v.raw, v.meta.body())
	}
	end := len(v.raw) - 2
	return v.raw[v.meta.body():end:end]
}

// String returns a copy of the text that Bytes returns. For an aggregate it
// returns a readable form, for logs: ["a" 1 null], {"k": 1}.
func (v Value) String() string {
	if v.aggregate() {
		walked(len(v.raw))
		w := walk{b: v.raw, p: v.meta.at()}
		return string(w.appendText(nil))
	}
	return string(v.Bytes())
}

// Int64 returns the integer that v holds. v may be an integer, a big number, or
// a string whose text is an integer. Int64 returns ErrKind for other types,
// ErrNumber for text that is not an integer, and ErrRange for an integer beyond
// int64.
func (v Value) Int64() (int64, error) {
	switch v.Type() {
	case TypeInteger:
		if n, ok := fewDigits(v.raw[v.meta.body() : len(v.raw)-2]); ok {
			return n, nil
		}
		return parseInt(v.Bytes())
	case TypeBigNumber, TypeBulkString, TypeSimpleString, TypeVerbatimString:
		b := v.Bytes()
		if n, ok := fewDigits(b); ok {
			return n, nil
		}
		return parseInt(b)
	}
	return 0, ErrKind
}

// Float64 returns the number that v holds. v may be a double, an integer, a big
// number, or a string whose text is a number. NaN may have the spelling of any
// C library: nan, -nan, NaN, nan(0x8000). For a number beyond float64 it
// returns an infinity and ErrRange. Other errors are as for Int64.
func (v Value) Float64() (float64, error) {
	switch v.Type() {
	case TypeDouble, TypeInteger, TypeBigNumber, TypeBulkString, TypeSimpleString, TypeVerbatimString:
	default:
		return 0, ErrKind
	}
	return parseFloat(v.Bytes())
}

// Bool returns the boolean that v holds. It returns ErrKind for other types,
// and ErrBoolean for a boolean whose text is neither t nor f.
func (v Value) Bool() (bool, error) {
	if v.Type() != TypeBoolean {
		return false, ErrKind
	}
	switch string(v.Bytes()) {
	case "t":
		return true, nil
	case "f":
		return false, nil
	}
	return false, ErrBoolean
}

// VerbatimFormat returns the format of a verbatim string, "txt" or "mkd", and
// "" for any other value.
func (v Value) VerbatimFormat() string {
	if v.Type() != TypeVerbatimString {
		return ""
	}
	switch b := v.raw[v.meta.body()-4 : v.meta.body()-1]; string(b) {
	case "txt":
		return "txt"
	case "mkd":
		return "mkd"
	default:
		return string(b)
	}
}

// Len returns the number of direct children. It is 0 for a value that is not an
// aggregate. Both keys and values of a map or attribute count. Pushes inside do
// not. Len has to walk the children of a streamed aggregate, or of several
// attributes in a row, to count them.
func (v Value) Len() int { return v.Elements().Len() }

// All yields the direct children in wire order, with keys and values in turn
// for a map. Each is borrowed like v. Pushes inside are passed over. All yields
// nothing for a value that is not an aggregate. It walks an aggregate child to
// its end before yielding it, so a caller that descends through many levels
// walks the same bytes once for each level. Any and String do not.
func (v Value) All() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		for e := v.Elements(); len(e.b) > 0; {
			c, rest, ok := e.Next()
			if !ok || !yield(c) {
				return
			}
			e = rest
		}
	}
}

// Pairs yields the direct children in pairs: the keys and values of a map or
// attribute. An odd last child of another aggregate is left out.
func (v Value) Pairs() iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		for e := v.Elements(); len(e.b) > 0; {
			key, rest, _ := e.Next()
			val, rest, ok := rest.Next()
			if !ok || !yield(key, val) {
				return
			}
			e = rest
		}
	}
}

// Attributes returns the attributes that stand before v as one value of
// TypeAttribute, or the zero Value. It is borrowed like v.
func (v Value) Attributes() Value {
	if v.Type() == TypeAttribute {
		return Value{}
	}
	return attributes(v.raw[:v.meta.at()])
}
