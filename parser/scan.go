package parser

import "bytes"

// step is the Scanner's loop. It handles one run of bytes of one state per
// iteration. s.pos stays where it was, so that s.pos+i is the offset of p[i].
func (s *Scanner) step(p []byte, u until) (i int, done bool, err error) {
	for i < len(p) {
		if s.reached(u) {
			return i, false, nil
		}
		switch s.state {
		case stValue:
			if j := s.plain(p, i, u); j != i {
				if i = j; s.ended {
					return i, true, nil
				}
				continue
			}
			if u == untilPush && Type(p[i]) == TypePush && s.depth > 0 {
				s.cur.attributed = false // attributes before it are its own
				return i, false, nil
			}
			if err = s.open(p[i], i); err != nil {
				return i, false, err
			}
			i++
		case stText, stTextLF:
			ended := false
			if i, ended = s.text(p, i); ended && s.complete() {
				return i, true, nil
			}
		case stBulk:
			if left := len(p) - i; uint64(left) < s.n {
				s.n -= uint64(left)
				return len(p), false, nil
			}
			i += int(s.n)
			s.n = 0
			s.bulk()
		default:
			if done, err = s.strict(p[i], i); err != nil {
				return i, false, err
			}
			if i++; done {
				return i, true, nil
			}
		}
	}
	return i, false, nil
}

// strict reads c, which is p[i], in a state that permits only a few bytes: in a
// length, at the end of a line or bulk, and before a chunk.
func (s *Scanner) strict(c byte, i int) (done bool, err error) {
	switch s.state {
	case stLength:
		return false, s.length(c, i)
	case stDigits:
		switch {
		case c-'0' <= 9:
			if !s.digit(c) {
				return false, s.syntax(i, ErrLength)
			}
		case c == '\r':
			s.state = stLF
		default:
			return false, s.syntax(i, lineCause(c, ErrLength))
		}
	case stMinus:
		if c != '1' {
			return false, s.syntax(i, lineCause(c, ErrLength))
		}
		s.form, s.state = formNull, stCR
	case stCR:
		if c != '\r' {
			return false, s.syntax(i, lineCause(c, s.lineError()))
		}
		s.state = stLF
	case stLF:
		if c != '\n' {
			return false, s.syntax(i, ErrTerminator)
		}
		return s.line(i + 1)
	case stVerbatim:
		// The first four bytes of the text are the format and a colon; streamed
		// counts them, as no verbatim string is streamed.
		if s.streamed == 3 && c != ':' {
			return false, s.syntax(i, ErrVerbatim)
		}
		s.streamed++
		if s.n--; s.streamed == 4 {
			s.bulk()
		}
	case stBulkCR:
		if c != '\r' {
			return false, s.syntax(i, ErrTerminator)
		}
		s.state = stBulkLF
	case stBulkLF:
		if c != '\n' {
			return false, s.syntax(i, ErrTerminator)
		}
		if s.mark == markChunk {
			s.state = stChunk
			return false, nil
		}
		return s.complete(), nil
	case stChunk:
		if c != markChunk {
			return false, s.syntax(i, ErrChunk)
		}
		s.begin(c, i)
		s.state = stLength
	}
	return false, nil
}

// begin makes the item with the first byte c, at p[i], the one under way.
func (s *Scanner) begin(c byte, i int) {
	s.item = s.pos + int64(i)
	s.mark, s.form, s.n = c, formCounted, 0
}

// open begins the value, or ends the streamed aggregate, whose first byte is c.
func (s *Scanner) open(c byte, i int) error {
	s.begin(c, i)
	if c == markEnd && s.depth > 0 && s.cur.kind&levelStreamed != 0 {
		if s.cur.attributed || s.cur.odd {
			return s.syntax(i, ErrEnd)
		}
		s.state = stCR
		return nil
	}
	switch classes[c] {
	case classNone:
		return s.syntax(i, ErrType)
	case classText:
		s.state = stText
	case classNull:
		s.state = stCR
	case classBulk, classAggregate:
		s.state = stLength
	}
	t := Type(c)
	if t == TypeAttribute {
		return nil
	}
	if s.depth == 0 {
		s.typ, s.valueAt = t, s.item-s.start
		return nil
	}
	if t == TypePush {
		s.nested = true
		return nil
	}
	if s.cur.kind&levelStreamed != 0 {
		if err := s.announce(1); err != nil {
			return err
		}
	}
	if s.depth == 1 && s.typ == TypePush && s.naming == nameUnknown {
		switch t {
		case TypeBulkString, TypeVerbatimString:
			s.naming, s.nameAt = nameOpen, s.item-s.start
		case TypeSimpleString:
			s.naming, s.nameAt = nameOpen, s.item+1-s.start
		default:
			s.naming = nameNone
		}
	}
	return nil
}

// text consumes a line of text, and reports whether the line ended in p. The
// line ends at its first CR LF; a CR or LF alone is text.
func (s *Scanner) text(p []byte, i int) (next int, ended bool) {
	for i < len(p) {
		k := bytes.IndexByte(p[i:], '\n')
		if k < 0 {
			s.state = stText
			if p[len(p)-1] == '\r' {
				s.state = stTextLF
			}
			return len(p), false
		}
		cr := s.state == stTextLF
		if k > 0 {
			cr = p[i+k-1] == '\r'
		}
		if i += k + 1; cr {
			s.nameText(i - 2)
			return i, true
		}
		s.state = stText
	}
	return i, false
}

// lineEnd returns where the line of text around p[i] ends, behind its CR LF, or
// -1. The byte before p[i] must not be a CR.
func lineEnd(p []byte, i int) int {
	for {
		k := bytes.IndexByte(p[i:], '\n')
		if k < 0 {
			return -1
		}
		if i += k + 1; p[i-2] == '\r' {
			return i
		}
	}
}

// nameText ends a name that is a simple string.
func (s *Scanner) nameText(end int) {
	if s.naming == nameOpen && s.depth == 1 {
		s.naming, s.nameEnd = nameKnown, s.pos+int64(end)-s.start
	}
}

// bulk makes s ready for the n bytes of a bulk that are still to come.
func (s *Scanner) bulk() {
	if s.n > 0 {
		s.state = stBulk
		return
	}
	s.state = stBulkCR
	if s.naming == nameOpen && s.depth == 1 && s.mark != markChunk {
		s.naming = nameKnown
	}
}
