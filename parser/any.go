package parser

import (
	"bytes"
	"math/big"
)

// Any returns v in Go's own types, all memory new, so that it may be kept. The
// mapping is the one go-redis makes for a reply:
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
// Attributes before values and pushes inside are left out. The one error is
// ErrMapKey, for a map whose key is an aggregate, which no Go map can hold. Any
// goes as deep as the value nests, which [Limits] bound.
func (v Value) Any() (any, error) {
	switch v.Type() {
	case TypeInteger:
		return v.Int64()
	case TypeDouble:
		f, _ := v.Float64() // a double that was scanned can only be out of range
		return f, nil
	case TypeBoolean:
		return v.Bool()
	case TypeBigNumber:
		return v.bigInt(), nil
	case TypeSimpleString, TypeBulkString, TypeVerbatimString:
		return string(v.Bytes()), nil
	case TypeSimpleError, TypeBulkError:
		return ServerError(v.Bytes()), nil
	case TypeArray, TypeSet, TypePush:
		return v.slice()
	case TypeMap, TypeAttribute:
		return v.mapping()
	}
	return nil, nil
}

// bigInt is Any for a big number.
func (v Value) bigInt() *big.Int {
	b := v.Bytes()
	digits := bytes.TrimLeft(b, "+-")
	n := bigInt(digits)
	if b[0] == '-' {
		n.Neg(n)
	}
	return n
}

// bigInt returns the number of decimal digits b. SetString takes time quadratic
// in them, which halving avoids: the peer says how many there are.
func bigInt(b []byte) *big.Int {
	if len(b) <= 2000 {
		n, _ := new(big.Int).SetString(string(b), 10)
		return n
	}
	low := len(b) / 2
	n := bigInt(b[:len(b)-low])
	n.Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(low)), nil))
	return n.Add(n, bigInt(b[len(b)-low:]))
}

// slice is Any for an array, set or push.
func (v Value) slice() (any, error) {
	// Children that are announced have arrived: the count is paid for in bytes.
	all := make([]any, 0, v.Len())
	for c := range v.All() {
		a, err := c.Any()
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// mapping is Any for a map or attribute.
func (v Value) mapping() (any, error) {
	m := make(map[any]any, v.Len()/2)
	for key, val := range v.Pairs() {
		if key.aggregate() {
			return nil, ErrMapKey
		}
		k, err := key.Any()
		if err != nil {
			return nil, err
		}
		if m[k], err = val.Any(); err != nil {
			return nil, err
		}
	}
	return m, nil
}
