package oracle

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
)

// The valid texts of numbers.
var (
	integerText = regexp.MustCompile(`^[+-]?[0-9]+$`)
	doubleText  = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?|inf)$`)
	nanText     = regexp.MustCompile(`^-?[nN][aA][nN](\([0-9A-Za-z_]*\))?$`)
)

// numeric reports whether n is of a type whose text may be read as a number.
func (n *Node) numeric() bool {
	switch n.Type {
	case ':', '(', '$', '+', '=':
		return true
	}
	return false
}

// Int64 returns the integer that n holds, or the cause if there is none.
func (n *Node) Int64() (int64, string) {
	if !n.numeric() {
		return 0, ErrKind
	}
	if !integerText.Match(n.Content()) {
		return 0, ErrNumber
	}
	i, _ := new(big.Int).SetString(string(n.Content()), 10)
	if !i.IsInt64() {
		return 0, ErrRange
	}
	return i.Int64(), ""
}

// Float64 returns the number that n holds, or the cause if there is none. With
// ErrRange the number is an infinity.
func (n *Node) Float64() (float64, string) {
	switch text := n.Content(); {
	case !n.numeric() && n.Type != ',':
		return 0, ErrKind
	case nanText.Match(text):
		return math.NaN(), ""
	case !doubleText.Match(text):
		return 0, ErrNumber
	default:
		f, err := strconv.ParseFloat(string(text), 64)
		if err != nil {
			return f, ErrRange
		}
		return f, ""
	}
}

// Bool returns the boolean that n holds, or the cause if there is none.
func (n *Node) Bool() (bool, string) {
	switch {
	case n.Type != '#':
		return false, ErrKind
	case string(n.Text) == "t":
		return true, ""
	case string(n.Text) == "f":
		return false, ""
	}
	return false, ErrBoolean
}
