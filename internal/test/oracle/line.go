package oracle

import "math"

// form is the form of a length or count.
type form byte

const (
	fixed    form = iota // a number
	null                 // -1: a RESP2 null
	streamed             // ?: an end marker follows the value instead
)

// isDigit reports whether c is an ASCII digit.
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// length reads the length or count after the type byte t, including its CR LF.
// It consists of digits without a sign or leading zeros. It may also be -1
// after $ and *, and ? after $ * ~ and %. The first byte that fits none of
// these is ErrLength. So is a digit that takes the value beyond int64 or, after
// % and |, where the value counts pairs, beyond half of int64.
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

// line reads bytes up to and including the first CR LF. Any byte is valid, even
// a lone CR or LF.
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
