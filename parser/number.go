package parser

import "math"

// numState is where a number stands in its grammar. One byte is enough to
// resume a number that was cut anywhere.
type numState uint8

const (
	numStart  numState = iota // nothing yet
	numPlus                   // a leading +
	numMinus                  // a leading -
	numDigits                 // digits; a whole number
	numFrac                   // behind the point; a whole number
	numExp                    // behind e
	numExpSig                 // behind e and its sign
	numExpDig                 // digits of the exponent; a whole number
	numI                      // i
	numIn                     // in
	numInf                    // inf; a whole number
	numN                      // n
	numNa                     // na
	numNan                    // nan; a whole number
	numDead                   // no number begins like this
)

// whole reports whether the bytes so far are a number.
func (s numState) whole() bool {
	switch s {
	case numDigits, numFrac, numExpDig, numInf, numNan:
		return true
	}
	return false
}

// integerStep advances over one byte of [+-]?[0-9]+, the grammar of ':' and '('.
func integerStep(s numState, c byte) numState {
	switch {
	case c-'0' <= 9:
		return numDigits
	case s == numStart && c == '+':
		return numPlus
	case s == numStart && c == '-':
		return numMinus
	}
	return numDead
}

// doubleStep advances over one byte of the grammar of ',':
// [+-]?D+(.D*)?([eE][+-]?D+)?, [+-]?inf, -?nan, where D is a digit.
func doubleStep(s numState, c byte) numState {
	if c-'0' <= 9 {
		switch s {
		case numStart, numPlus, numMinus, numDigits:
			return numDigits
		case numFrac:
			return numFrac
		case numExp, numExpSig, numExpDig:
			return numExpDig
		}
		return numDead
	}
	switch s {
	case numStart, numPlus, numMinus:
		switch {
		case c == 'i':
			return numI
		case c == 'n' && s != numPlus:
			return numN
		case c == '+' && s == numStart:
			return numPlus
		case c == '-' && s == numStart:
			return numMinus
		}
	case numDigits, numFrac:
		switch {
		case c == '.' && s == numDigits:
			return numFrac
		case c == 'e' || c == 'E':
			return numExp
		}
	case numExp:
		if c == '+' || c == '-' {
			return numExpSig
		}
	case numI:
		if c == 'n' {
			return numIn
		}
	case numIn:
		if c == 'f' {
			return numInf
		}
	case numN:
		if c == 'a' {
			return numNa
		}
	case numNa:
		if c == 'n' {
			return numNan
		}
	}
	return numDead
}

// isDouble reports whether b is a double as RESP3 writes it.
func isDouble(b []byte) bool {
	s := numStart
	for _, c := range b {
		if s = doubleStep(s, c); s == numDead {
			return false
		}
	}
	return s.whole()
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

// parseInt reads [+-]?[0-9]+ that fills b.
func parseInt(b []byte) (int64, error) {
	s, n, negative := numStart, uint64(0), false
	for _, c := range b {
		if s = integerStep(s, c); s == numDead {
			return 0, ErrNumber
		}
		if s != numDigits {
			negative = s == numMinus
			continue
		}
		var ok bool
		if n, ok = magnitude(n, c, negative); !ok {
			return 0, ErrRange
		}
	}
	if !s.whole() {
		return 0, ErrNumber
	}
	if negative {
		return -int64(n), nil // two's complement: right for the smallest int64 as well
	}
	return int64(n), nil
}
