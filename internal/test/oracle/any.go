package oracle

import (
	"math"
	"math/big"
	"strconv"
)

// Error is what an error of the server becomes in the result of [Node.Any].
type Error string

// Error gives the text.
func (e Error) Error() string { return string(e) }

// Any gives n as Go values that share no memory with it: string, int64, float64, bool, *big.Int, []any, map[any]any, nil
// and [Error]. Attributes and nested pushes are dropped; of two equal keys the later wins; a double beyond the range of
// float64 is an infinity. ok is false if a key of a map in n is an aggregate: then there is no such value.
func (n *Node) Any() (v any, ok bool) {
	switch n.Type {
	case '+', '$', '=':
		return string(n.Content()), true
	case '-', '!':
		return Error(n.Text), true
	case ':':
		i, _ := strconv.ParseInt(string(n.Text), 10, 64)
		return i, true
	case ',':
		return n.double(), true
	case '(':
		i, _ := new(big.Int).SetString(string(n.Text), 10)
		return i, true
	case '#':
		return n.Text[0] == 't', true
	case '_':
		return nil, true
	case '%', '|':
		return n.anyMap()
	}
	list := make([]any, 0, len(n.Children))
	for _, c := range n.Children {
		v, ok := c.Any()
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

// double gives the value of a double.
func (n *Node) double() float64 {
	switch text := string(n.Text); text {
	case "nan", "-nan":
		return math.NaN()
	default:
		f, _ := strconv.ParseFloat(text, 64) // beyond the range it gives an infinity, and an error
		return f
	}
}

// anyMap gives the children as a map.
func (n *Node) anyMap() (any, bool) {
	m := make(map[any]any, len(n.Children)/2)
	for i := 0; i < len(n.Children); i += 2 {
		if n.Children[i].Aggregate() {
			return nil, false
		}
		key, _ := n.Children[i].Any()
		value, ok := n.Children[i+1].Any()
		if !ok {
			return nil, false
		}
		m[key] = value
	}
	return m, true
}
