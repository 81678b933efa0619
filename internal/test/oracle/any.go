package oracle

import "math/big"

// Error is the type of a server's error in the result of [Node.Any].
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }

// MaxBigDigits is the most digits that a big number may have in [Node.Any].
const MaxBigDigits = 10_000

// Any returns n as Go values that share no memory with it: string, int64,
// float64, bool, *big.Int, []any, map[any]any, nil and [Error]. Attributes and
// nested pushes are dropped. Of two equal keys the later wins. A double beyond
// the range of float64 becomes an infinity. If n or a value inside it has no
// such Go value, cause says why for the first of them in wire order: ErrNumber,
// ErrBoolean, ErrRange, or ErrMapKey for a key that is an aggregate.
func (n *Node) Any() (v any, cause string) {
	switch n.Type {
	case '+', '$', '=':
		return string(n.Content()), ""
	case '-', '!':
		return Error(n.Text), ""
	case ':':
		return n.Int64()
	case ',':
		f, cause := n.Float64()
		if cause == ErrRange {
			cause = ""
		}
		return f, cause
	case '(':
		return n.bigInt()
	case '#':
		return n.Bool()
	case '_':
		return nil, ""
	case '%', '|':
		return n.anyMap()
	}
	list := make([]any, 0, len(n.Children))
	for _, c := range n.Children {
		v, cause := c.Any()
		if cause != "" {
			return nil, cause
		}
		list = append(list, v)
	}
	return list, ""
}

// bigInt returns the value of a big number.
func (n *Node) bigInt() (any, string) {
	if !integerText.Match(n.Text) {
		return nil, ErrNumber
	}
	digits := len(n.Text)
	if n.Text[0] == '+' || n.Text[0] == '-' {
		digits--
	}
	if digits > MaxBigDigits {
		return nil, ErrRange
	}
	i, _ := new(big.Int).SetString(string(n.Text), 10)
	return i, ""
}

// anyMap returns the children as a map.
func (n *Node) anyMap() (any, string) {
	m := make(map[any]any, len(n.Children)/2)
	for i := 0; i < len(n.Children); i += 2 {
		if n.Children[i].Aggregate() {
			return nil, ErrMapKey
		}
		key, cause := n.Children[i].Any()
		if cause != "" {
			return nil, cause
		}
		value, cause := n.Children[i+1].Any()
		if cause != "" {
			return nil, cause
		}
		m[key] = value
	}
	return m, ""
}
