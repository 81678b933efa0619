package parser

import "encoding/binary"

// The fast path: what nearly all pushes are made of, in a loop that keeps its
// state in registers. Everything else, and whatever is not complete in the
// bytes at hand, is left to the general path, which passes every test alone
// (build tag respushgeneral).

// maxPlain is the largest length or count that the fast path reads: 4 digits.
const maxPlain = 9999

// crlf is CR LF as a little-endian number.
const crlf = '\r' | '\n'<<8

// admitsPlain reports whether l never stops the fast path: nothing that it
// reads is over a limit on its own.
func (l Limits) admitsPlain() bool {
	return useFast && l.MaxBulk >= maxPlain && l.MaxDepth >= 2
}

// plain consumes the plain values that stand whole at p[i], and returns where
// the first byte is that it left. At the start of a frame it reads the header
// and the name of a push; inside a counted aggregate short bulk strings, small
// integers, nulls, and arrays of these.
func (s *Scanner) plain(p []byte, i int) int {
	if !s.plainOK {
		return i
	}
	if s.depth == 0 {
		j := s.plainHead(p, i)
		if j == i {
			return i
		}
		i = j
	} else if s.cur.kind&levelStreamed != 0 || s.depth == 1 && s.naming == nameUnknown && s.typ == TypePush {
		return i
	}
	rem, outer, inner := s.cur.rem, int64(0), false
	for rem > 0 && len(p)-i >= 8 {
		// One load covers the longest header read here, and one bounds check.
		w := binary.LittleEndian.Uint64(p[i:])
		n, h := plainLength(w)
		if h == 0 {
			break
		}
		switch Type(w) {
		case TypeBulkString:
			end := i + h + n
			if end > len(p)-2 || binary.LittleEndian.Uint16(p[end:]) != crlf {
				goto out
			}
			i = end + 2
		case TypeInteger:
			i += h
		case TypeArray:
			total := s.elements + int64(n)
			if inner || n == 0 || total > int64(s.lim.MaxElements) || s.depth >= s.lim.MaxDepth {
				goto out
			}
			s.elements = total
			outer, rem, inner = rem, int64(n), true
			i += h
			continue
		default:
			goto out
		}
		if rem--; rem == 0 && inner {
			rem, inner = outer-1, false
		}
	}
out:
	s.cur.attributed = s.cur.attributed && i == 0
	switch {
	case inner:
		s.cur.rem = outer
		s.enter(level{rem: rem})
	case rem == 0:
		s.cur.rem = 1
		s.complete()
	default:
		s.cur.rem = rem
	}
	return i
}

// plainHead reads the header and the name of a push at the start of a frame.
func (s *Scanner) plainHead(p []byte, i int) int {
	if len(p)-i < 12 || p[i] != byte(TypePush) {
		return i
	}
	count, h := plainLength(binary.LittleEndian.Uint64(p[i:]))
	if h != 4 || count == 0 || p[i+4] != byte(TypeBulkString) {
		return i
	}
	n, k := plainLength(binary.LittleEndian.Uint64(p[i+4:]))
	at := i + 4 + k
	if k == 0 || n > len(p)-2-at || binary.LittleEndian.Uint16(p[at+n:]) != crlf || count > s.lim.MaxElements {
		return i
	}
	s.typ, s.valueAt = TypePush, s.pos+int64(i)-s.start
	s.naming, s.nameAt = nameKnown, s.valueAt+int64(at-i)
	s.nameEnd = s.nameAt + int64(n)
	s.elements += int64(count)
	s.enter(level{rem: int64(count) - 1})
	return at + n + 2
}

// plainLength reads the length of up to 4 digits in w, which holds the first 8
// bytes of a header, type byte first. h is the size of the header, 0 when it is
// not that plain. Straight comparisons are faster here than a loop, and than
// arithmetic on all digits at once.
func plainLength(w uint64) (n, h int) {
	a := w>>8&0xff - '0'
	if a > 9 {
		return 0, 0
	}
	if w>>16&0xffff == crlf {
		return int(a), 4
	}
	b := w>>16&0xff - '0'
	if a == 0 || b > 9 {
		return 0, 0
	}
	if w>>24&0xffff == crlf {
		return int(a*10 + b), 5
	}
	c := w>>24&0xff - '0'
	if c > 9 {
		return 0, 0
	}
	if w>>32&0xffff == crlf {
		return int(a*100 + b*10 + c), 6
	}
	d := w>>32&0xff - '0'
	if d > 9 || w>>40&0xffff != crlf {
		return 0, 0
	}
	return int(a*1000 + b*100 + c*10 + d), 7
}
