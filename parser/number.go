package parser

import (
	"bytes"
	"math"
	"strconv"
)

// unsigned returns b without its leading sign, if any.
func unsigned(b []byte) []byte {
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		return b[1:]
	}
	return b
}

// digits returns the number of decimal digits at the start of b.
func digits(b []byte) int {
	for i, c := range b {
		if c-'0' > 9 {
			return i
		}
	}
	return len(b)
}

// isInteger reports whether b is [+-]?D+, the grammar of ':' and '(', where D
// is a digit.
func isInteger(b []byte) bool {
	b = unsigned(b)
	return len(b) > 0 && digits(b) == len(b)
}

// isDouble reports whether b is [+-]?D+(.D*)?([eE][+-]?D+)? or [+-]?inf, the
// grammar of ',' but for NaN, where D is a digit.
func isDouble(b []byte) bool {
	b = unsigned(b)
	if string(b) == "inf" {
		return true
	}
	n := digits(b)
	if n == 0 {
		return false
	}
	b = b[n:]
	if len(b) > 0 && b[0] == '.' {
		b = b[1:]
		b = b[digits(b):]
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = unsigned(b[1:])
		if n = digits(b); n == 0 {
			return false
		}
		b = b[n:]
	}
	return len(b) == 0
}

// isNaN reports whether b is -?nan(\([0-9A-Za-z_]*\))? in any case, which
// covers what the C libraries print for one.
func isNaN(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("-"))
	if len(b) < 3 || !bytes.EqualFold(b[:3], []byte("nan")) {
		return false
	}
	b = b[3:]
	if len(b) == 0 {
		return true
	}
	if len(b) < 2 || b[0] != '(' || b[len(b)-1] != ')' {
		return false
	}
	for _, c := range b[1 : len(b)-1] {
		if c-'0' > 9 && c|0x20-'a' > 'z'-'a' && c != '_' {
			return false
		}
	}
	return true
}

// magnitude adds a decimal digit to n, the absolute value of an integer, and
// reports whether the result is within int64 with the given sign.
func magnitude(n uint64, digit byte, negative bool) (uint64, bool) {
	limit := uint64(math.MaxInt64)
	if negative {
		limit++
	}
	d := uint64(digit - '0')
	if n > (limit-d)/10 {
		return n, false
	}
	return n*10 + d, true
}

// parseInt is Int64 for a value whose text is b.
func parseInt(b []byte) (int64, error) {
	text := unsigned(b)
	if len(text) == 0 {
		return 0, ErrNumber
	}
	n, negative, inRange := uint64(0), b[0] == '-', true
	for _, c := range text {
		if c-'0' > 9 {
			return 0, ErrNumber
		}
		if inRange {
			n, inRange = magnitude(n, c, negative)
		}
	}
	switch {
	case !inRange:
		return 0, ErrRange
	case negative:
		return -int64(n), nil // two's complement: right for the smallest int64 as well
	}
	return int64(n), nil
}

// parseFloat is Float64 for a value whose text is b.
func parseFloat(b []byte) (float64, error) {
	if !isDouble(b) {
		if isNaN(b) {
			return math.NaN(), nil
		}
		return 0, ErrNumber
	}
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		err = ErrRange
	}
	return f, err
}
