package parser

import "math/big"

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
// Attributes before values and pushes inside are left out. Errors are ErrNumber
// and ErrBoolean for text that is no number or boolean, ErrRange for an integer
// beyond int64 or a big number of more than 10,000 digits, and ErrMapKey for a map
// whose key is an aggregate, which no Go map can hold; the first in wire order of
// those in v. Any goes as deep as the value nests, which [Limits] bound.
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
	case TypeArray, TypeSet, TypePush:
		return v.slice()
	case TypeMap, TypeAttribute:
		return v.mapping()
	}
	return nil, nil
}

// orNil returns v, and nil when there is an error.
func orNil[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

// maxBigDigits bounds what Any makes a big.Int of, as the time that takes is
// quadratic in the number of digits, and the peer says how many there are.
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
