package parser

import (
	"encoding/binary"
	"math/big"

	"github.com/seed79615202/respush/internal/unsafeconv"
)

// Any returns v in Go's own types. All of its memory is new, so it may be kept.
// Short strings of a long array share memory: keeping one of them keeps up to 4
// KiB, unless it is cloned. The mapping is the one go-redis uses for a reply:
//
//	simple, bulk, verbatim string   string (a verbatim one without its format)
//	integer                         int64
//	double                          float64; beyond its range an infinity
//	boolean                         bool
//	big number                      *big.Int
//	array, set, push                []any
//	map, attribute                  map[any]any; a later pair replaces an earlier one
//	null                            nil
//	simple error, bulk error        ServerError, an error
//
// Attributes before values and nested pushes are left out. Any returns the
// first error in wire order: ErrNumber or ErrBoolean for text that is not a
// number or boolean, ErrRange for an integer beyond int64 or a big number of
// more than 10,000 digits, and ErrMapKey for a map with an aggregate as a key,
// which no Go map can hold. Any recurses as deep as the value nests, which
// [Limits] bound. Its time is linear in the size of v.
func (v Value) Any() (any, error) {
	switch v.Type() {
	case TypeInteger:
		return orNil(v.Int64())
	case TypeDouble:
		f, err := v.Float64()
		if err == ErrRange {
			err = nil
		}
		return orNil(f, err)
	case TypeBoolean:
		return orNil(v.Bool())
	case TypeBigNumber:
		return orNil(parseBig(v.Bytes()))
	case TypeSimpleString, TypeBulkString, TypeVerbatimString:
		return string(v.Bytes()), nil
	case TypeSimpleError, TypeBulkError:
		return ServerError(v.Bytes()), nil
	case TypeArray, TypeSet, TypePush, TypeMap, TypeAttribute:
		walked(len(v.raw))
		w := walk{b: v.raw, p: v.meta.at()}
		return w.aggregateAny()
	}
	return nil, nil
}

// orNil returns v, or nil and err when err is not nil.
func orNil[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// maxBigDigits bounds the digits that Any converts to a big.Int. The conversion
// takes time quadratic in their number, and the peer chooses that number.
const maxBigDigits = 10_000

// parseBig is Any for a big number whose text is b.
func parseBig(b []byte) (*big.Int, error) {
	if !isInteger(b) {
		return nil, ErrNumber
	}
	if len(unsigned(b)) > maxBigDigits {
		return nil, ErrRange
	}
	n, _ := new(big.Int).SetString(string(b), 10)
	return n, nil
}

// Slice is Any for an array, set or push, without an interface around the
// slice. It returns ErrKind for any other type.
func (v Value) Slice() ([]any, error) {
	switch v.Type() {
	case TypeArray, TypeSet, TypePush:
		walked(len(v.raw))
		w := walk{b: v.raw, p: v.meta.at()}
		return w.slice(w.open())
	}
	return nil, ErrKind
}

// SliceNamed is Value().Slice() for a push that has name as its name, which is the
// first element of the result. It spares the copy that Slice would make of it.
func (f Frame) SliceNamed(name any) ([]any, error) {
	if f.meta.naming() != nameKnown {
		return f.Value().Slice()
	}
	walked(len(f.raw))
	n := f.pushLen()
	all := append(make([]any, 0, n), name)
	w := walk{b: f.raw, p: f.meta.nameEnd() + 2}
	return w.appendTo(all, n-1)
}

// any is Any for the value at w. It leaves w behind that value.
func (w *walk) any() (any, error) {
	if b := w.b[w.p:]; len(b) >= 8 { // one load reads what most values are
		word := binary.LittleEndian.Uint64(b)
		if n, h := plainLength(word); h > 0 {
			switch Type(word) {
			case TypeBulkString:
				w.p += h + n + 2
				return string(b[h : h+n]), nil
			case TypeInteger:
				w.p += h
				return int64(n), nil
			}
		}
	}
	if classes[w.b[w.p]] == classAggregate {
		return w.aggregateAny()
	}
	return w.scalar().Any()
}

// aggregateAny is any for an aggregate. A RESP2 null may have the type of one.
func (w *walk) aggregateAny() (any, error) {
	t := Type(w.b[w.p])
	n := w.open()
	switch {
	case n == -1:
		return nil, nil
	case t.paired():
		return w.mapAny(t, n)
	}
	all, err := w.slice(n)
	if err != nil {
		return nil, err
	}
	return all, nil
}

// slice is any for the n values of an array, set or push.
func (w *walk) slice(n int) ([]any, error) {
	// The announced values have arrived, so the count is paid for in bytes.
	return w.appendTo(make([]any, 0, max(n, 0)), n)
}

// appendTo appends to all what slice returns.
func (w *walk) appendTo(all []any, n int) ([]any, error) {
	var strings shared
	many := n >= manyStrings && !unsafeconv.Copies
	for ; w.more(n); n-- {
		if many {
			if text := w.bulk(); text != nil {
				all = append(all, strings.copy(text, len(text)+len(w.b)-w.p))
				continue
			}
		}
		a, err := w.any()
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// mapAny is any for the n keys and values of a map, or of an attribute and the
// attributes directly after it.
func (w *walk) mapAny(t Type, n int) (any, error) {
	m := make(map[any]any, max(n, 0)/2)
	for {
		for ; w.more(n); n -= 2 {
			if w.atAggregate() {
				return nil, ErrMapKey
			}
			key, err := w.any()
			if err != nil {
				return nil, err
			}
			w.more(-1)
			if m[key], err = w.any(); err != nil {
				return nil, err
			}
		}
		if t != TypeAttribute || w.p == len(w.b) {
			return m, nil
		}
		n = w.open()
	}
}
