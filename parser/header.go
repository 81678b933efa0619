package parser

import "math"

// length reads the first byte of a length.
func (s *Scanner) length(c byte, i int) error {
	t := Type(s.mark)
	switch {
	case c == '0':
		s.state = stCR // a leading zero must be the whole number
	case c-'0' <= 9:
		s.n, s.state = uint64(c-'0'), stDigits
	case c == '-' && t.nullable():
		s.state = stMinus
	case c == '?' && t.streamable():
		s.form, s.state = formStream, stCR
	default:
		return s.syntax(i, lineCause(c, ErrLength))
	}
	return nil
}

// digit adds a digit to the length under way, and reports whether the length,
// or the number of children it stands for, is within int64.
func (s *Scanner) digit(c byte) bool {
	n, ok := magnitude(s.n, c, false)
	if !ok || Type(s.mark).paired() && n > math.MaxInt64/2 {
		return false
	}
	s.n = n
	return true
}

// line acts on a complete line, which ends before p[i].
func (s *Scanner) line(i int) (done bool, err error) {
	if s.mark == markEnd {
		s.leave()
		return s.complete(), nil
	}
	if s.mark == markChunk {
		return s.chunk(i)
	}
	switch classes[s.mark] {
	case classBulk:
		switch s.form {
		case formNull:
			s.noName()
			return s.complete(), nil
		case formStream:
			s.state, s.streamed = stChunk, 0
			return false, nil
		}
		return false, s.bulkHeader(i)
	case classAggregate:
		if s.form == formNull {
			return s.complete(), nil
		}
		return s.aggregate()
	}
	return s.complete(), nil
}

// noName ends the wait for a name: a null stands in its place.
func (s *Scanner) noName() {
	if s.naming == nameOpen && s.depth == 1 {
		s.naming = nameNone
	}
}

// chunk acts on the header of a part of a streamed string.
func (s *Scanner) chunk(i int) (done bool, err error) {
	if s.n == 0 {
		if s.naming == nameOpen && s.depth == 1 {
			s.naming, s.nameEnd = nameStreamed, s.nameAt+s.streamed
		}
		return s.complete(), nil
	}
	if err = s.admit(int64(s.n), s.streamed, i); err != nil {
		return false, err
	}
	s.streamed += int64(s.n)
	s.state = stBulk
	return false, nil
}

// bulkHeader acts on the header of a bulk, bulk error or verbatim string.
func (s *Scanner) bulkHeader(i int) error {
	verbatim := Type(s.mark) == TypeVerbatimString
	if verbatim && s.n < 4 {
		return &SyntaxError{Offset: s.item + 1, Err: ErrVerbatim}
	}
	if err := s.admit(int64(s.n), 0, i); err != nil {
		return err
	}
	if s.naming == nameOpen && s.depth == 1 {
		s.nameAt = s.pos + int64(i) - s.start
		s.nameEnd = s.nameAt + int64(s.n)
		if verbatim {
			s.nameAt += 4
		}
	}
	if verbatim {
		s.state, s.streamed = stVerbatim, 0
		return nil
	}
	s.bulk()
	return nil
}

// admit checks n further bytes of a string against the limits. before is the
// number of bytes it had already, and the header ends before p[i].
func (s *Scanner) admit(n, before int64, i int) error {
	if s.skip {
		return nil
	}
	if exceed(before, n, s.lim.MaxBulk) {
		return s.over("MaxBulk", s.lim.MaxBulk, sum(before, n))
	}
	if before = s.pos + int64(i) - s.start + 2; exceed(before, n, s.lim.MaxFrame) {
		return s.over("MaxFrame", s.lim.MaxFrame, sum(before, n))
	}
	return nil
}

// announce counts n elements against the limit.
func (s *Scanner) announce(n int64) error {
	total := sum(s.elements, n)
	if !s.skip && exceed(s.elements, n, s.lim.MaxElements) {
		return s.over("MaxElements", s.lim.MaxElements, total)
	}
	s.elements = total
	return nil
}

// syntax returns the error for p[i].
func (s *Scanner) syntax(i int, cause error) error {
	return &SyntaxError{Offset: s.pos + int64(i), Err: cause}
}

// over returns the error for an item that goes beyond a limit.
func (s *Scanner) over(limit string, most int, got int64) error {
	return &LimitError{Limit: limit, Max: int64(most), Got: got, Offset: s.item}
}

// overFrame returns the error for a frame that has used up MaxFrame and not
// ended.
func (s *Scanner) overFrame() error {
	if s.state == stValue || s.state == stChunk {
		s.item = s.pos // the next item would begin here
	}
	return s.over("MaxFrame", s.lim.MaxFrame, sum(int64(s.lim.MaxFrame), 1))
}

// lineError returns the cause when another byte stands where the line under way
// must end.
func (s *Scanner) lineError() error {
	switch s.mark {
	case byte(TypeNull):
		return ErrNull
	case markEnd:
		return ErrTerminator
	}
	return ErrLength
}

// lineCause returns the cause for a byte that cannot stand in a line. An LF
// without its CR is always ErrTerminator.
func lineCause(c byte, cause error) error {
	if c == '\n' {
		return ErrTerminator
	}
	return cause
}

// exceed reports whether two numbers that are not negative add up to more than
// most.
func exceed(a, b int64, most int) bool { return a > int64(most)-b }

// sum returns the sum of two numbers that are not negative, at most the largest
// int64.
func sum(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
