package oracle

import "math"

// form is what a length or count turned out to be.
type form byte

const (
	fixed    form = iota // a number
	null                 // -1: a RESP2 null
	streamed             // ?: the end is marked, not announced
)

// isDigit reports whether c is an ASCII digit.
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// length reads the length or count behind the marker t, its CR LF included. It
// is digits without a sign and without leading zeros, or -1 behind $ and *, or
// ? behind $ * ~ and %. The first byte that fits none is ErrLength; a digit
// that takes the value beyond int64 is too, and so is one that takes it beyond
// half of that behind % and |, where it counts pairs.
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

// line reads bytes up to the first CR LF, and takes that too. Any byte is
// right, a CR or LF alone as well.
func (s *state) line() bool {
	for first := s.pos; ; {
		c, ok := s.peek()
		if !ok {
			return false
		}
		s.take()
		if c == '\n' && s.pos-first >= 2 && s.in[s.pos-2] == '\r' {
			return true
		}
	}
}
