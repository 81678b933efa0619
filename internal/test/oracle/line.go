package oracle

import "math"

// form is what a length or count turned out to be.
type form byte

const (
	fixed    form = iota // a number
	null                 // -1: a RESP2 null
	streamed             // ?: the end is marked, not announced
)

// isDigit says whether c is an ASCII digit.
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// length reads the length or count behind the marker t, its CR LF included. It is digits without a sign and without
// leading zeros, or -1 behind $ and *, or ? behind $ * ~ and %. The first byte that fits none is ErrLength; a digit that
// takes the value beyond int64 is too, and so is one that takes it beyond half of that behind % and |, where it counts
// pairs.
func (s *state) length(t byte) (n int64, f form, ok bool) {
	c, ok := s.char()
	if !ok {
		return 0, fixed, false
	}
	switch {
	case c == '?' && (t == '$' || t == '*' || t == '~' || t == '%'):
		s.take()
		return 0, streamed, s.endLine(ErrLength)
	case c == '-' && (t == '$' || t == '*'):
		s.take()
		c, ok := s.char()
		if !ok {
			return 0, null, false
		}
		if c != '1' {
			return 0, null, s.syntax(ErrLength, s.pos)
		}
		s.take()
		return 0, null, s.endLine(ErrLength)
	case !isDigit(c):
		return 0, fixed, s.syntax(ErrLength, s.pos)
	}

	most := int64(math.MaxInt64)
	if t == '%' || t == '|' {
		most = math.MaxInt64 / 2
	}
	first := s.pos
	for {
		c, ok := s.char()
		if !ok {
			return 0, fixed, false
		}
		if !isDigit(c) {
			return n, fixed, s.endLine(ErrLength)
		}
		if s.pos > first && s.in[first] == '0' {
			return 0, fixed, s.syntax(ErrLength, s.pos) // a leading zero
		}
		d := int64(c - '0')
		if n > (most-d)/10 {
			return 0, fixed, s.syntax(ErrLength, s.pos)
		}
		n = n*10 + d
		s.take()
	}
}

// sign takes a + or - if one stands here and returns it, else 0.
func (s *state) sign() (byte, bool) {
	c, ok := s.char()
	if !ok || (c != '+' && c != '-') {
		return 0, ok
	}
	s.take()
	return c, true
}

// digits takes digits up to the first byte that is none; fewer than least of them is ErrNumber at that byte.
func (s *state) digits(least int) bool {
	for n := 0; ; n++ {
		c, ok := s.char()
		if !ok {
			return false
		}
		if !isDigit(c) {
			if n < least {
				return s.syntax(ErrNumber, s.pos)
			}
			return true
		}
		s.take()
	}
}

// integer reads [+-]?[0-9]+ CR LF; the digit that leaves int64 is ErrNumber.
func (s *state) integer() bool {
	sign, ok := s.sign()
	if !ok {
		return false
	}
	most := uint64(math.MaxInt64)
	if sign == '-' {
		most++
	}
	n := uint64(0)
	for first := s.pos; ; s.take() {
		c, ok := s.char()
		if !ok {
			return false
		}
		if !isDigit(c) {
			if s.pos == first {
				return s.syntax(ErrNumber, s.pos)
			}
			return s.endLine(ErrNumber)
		}
		d := uint64(c - '0')
		if n > (most-d)/10 {
			return s.syntax(ErrNumber, s.pos)
		}
		n = n*10 + d
	}
}

// bigNumber reads [+-]?[0-9]+ CR LF of any length.
func (s *state) bigNumber() bool {
	if _, ok := s.sign(); !ok {
		return false
	}
	return s.digits(1) && s.endLine(ErrNumber)
}

// double reads [+-]?D+(.D*)?([eE][+-]?D+)? or [+-]?inf or -?nan, and CR LF.
func (s *state) double() bool {
	sign, ok := s.sign()
	if !ok {
		return false
	}
	c, ok := s.char()
	if !ok {
		return false
	}
	switch {
	case c == 'i':
		return s.word("inf")
	case c == 'n' && sign != '+':
		return s.word("nan")
	}
	if !s.digits(1) {
		return false
	}
	if c, ok = s.char(); !ok {
		return false
	}
	if c == '.' {
		s.take()
		if !s.digits(0) {
			return false
		}
		if c, ok = s.char(); !ok {
			return false
		}
	}
	if c == 'e' || c == 'E' {
		s.take()
		if _, ok := s.sign(); !ok {
			return false
		}
		if !s.digits(1) {
			return false
		}
	}
	return s.endLine(ErrNumber)
}

// word takes the bytes of w and CR LF, or else ErrNumber.
func (s *state) word(w string) bool {
	for i := range len(w) {
		c, ok := s.char()
		if !ok {
			return false
		}
		if c != w[i] {
			return s.syntax(ErrNumber, s.pos)
		}
		s.take()
	}
	return s.endLine(ErrNumber)
}

// boolean reads t or f, and CR LF.
func (s *state) boolean() bool {
	c, ok := s.char()
	if !ok {
		return false
	}
	if c != 't' && c != 'f' {
		return s.syntax(ErrBoolean, s.pos)
	}
	s.take()
	return s.endLine(ErrBoolean)
}

// simple reads any bytes but CR and LF, then CR LF.
func (s *state) simple() bool {
	for {
		c, ok := s.char()
		if !ok {
			return false
		}
		if c == '\r' {
			return s.endLine(ErrTerminator)
		}
		s.take()
	}
}
