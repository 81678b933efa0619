package parser

import (
	"bytes"
	"encoding/binary"
	"math"
)

// The fast path handles what nearly all pushes are made of, in a loop that
// keeps its state in registers. It leaves everything else, and whatever is
// incomplete in the bytes at hand, to the general path. The general path passes
// every test alone (build tag respushgeneral).

// maxPlain is the largest length or count that the fast path reads: 5 digits,
// which fill a word together with the type byte and line end.
const maxPlain = 99999

// crlf is CR LF as a little-endian number.
const crlf = '\r' | '\n'<<8

// maxShort is the largest number of elements of a push that is taken as a
// whole, without the Scanner. A push cut by the end of the buffer is looked at
// twice; for so few elements the cost is negligible.
const maxShort = 16

// manyElements is the largest number of elements of a reply that is passed over
// together with others. A larger one is likely to be cut by the end of the
// bytes at hand and would then be looked at twice
// (BenchmarkTap/conn=memory/reply=array-1000x16B).
const manyElements = 64

// longRun is the number of values left above which headers are compared before
// they are read.
const longRun = 8

// admitsPlain reports whether l permits the fast path: no value that it reads
// is over a limit by itself.
func (l Limits) admitsPlain() bool {
	return useFast && l.MaxBulk >= maxPlain && l.MaxDepth >= 2 && l.MaxElements >= maxShort
}

// PlainPush returns the push at the start of b and its name, if b begins with a
// whole push that the fast path can read. Otherwise it returns zero values, which
// say nothing about b. A plain push has at most 9 elements of its own, the first
// of them a bulk string, and neither attributes nor pushes inside. The default
// limits apply. The Frame borrows b.
//
// PlainPush is for code that has a buffer and no Reader on it. It may load bytes
// between the length and the capacity of b, but draws no conclusions from them.
func PlainPush(b []byte) (f Frame, name []byte) {
	if !useFast {
		return Frame{}, nil
	}
	f, n := shortPush(b)
	if n == 0 {
		return Frame{}, nil
	}
	end := f.meta.nameEnd()
	return f, b[f.meta.nameAt():end:end]
}

// shortPush returns the push at the start of p and its length if the push is
// plain, short and whole. Otherwise n is 0.
func shortPush(p []byte) (f Frame, n int) {
	count, at, end := plainHead(p)
	if count == 0 {
		return Frame{}, 0
	}
	n, left, _, _ := plainRun(p, end+2, count-1, maxShort-count)
	if left > 0 {
		return Frame{}, 0
	}
	return Frame{p[:n:n], shortMeta(at, end)}, n
}

// shortMeta returns the meta of a short push whose name is at p[at:end].
func shortMeta(at, end int) frameMeta {
	return frameMeta(TypePush) | frameMeta(nameKnown)<<8 | frameMeta(at)<<32 | frameMeta(end)<<48
}

// shortHead is the header and the name of a short push. Pushes of one kind tend
// to follow one another. Comparing the next one with the head of the last, in
// three loads, saves reading its header and looking up its name
// (BenchmarkProcess/frame=F1).
type shortHead struct {
	count   int // of elements, the name included
	end     int // of the head, its last LF included
	meta    frameMeta
	compare bool      // load is set
	load    [3]uint64 // the first, the second and the last 8 bytes
}

// read reads the head at the start of p, and reports whether there is one.
func (h *shortHead) read(p []byte) bool {
	count, at, end := plainHead(p)
	if count == 0 {
		return false
	}
	h.count, h.end = count, end+2
	h.meta = shortMeta(at, end)
	if h.compare = h.end >= 16 && h.end <= 24; h.compare {
		h.load = h.loads(p)
	}
	return true
}

// loads returns the value of load for the head at the start of p.
func (h *shortHead) loads(p []byte) [3]uint64 {
	return [3]uint64{
		binary.LittleEndian.Uint64(p),
		binary.LittleEndian.Uint64(p[8:]),
		binary.LittleEndian.Uint64(p[h.end-8:]),
	}
}

// opens reports whether p begins with the same bytes as h.
func (h *shortHead) opens(p []byte) bool {
	return h.compare && len(p) >= 24 &&
		binary.LittleEndian.Uint64(p) == h.load[0] &&
		binary.LittleEndian.Uint64(p[8:]) == h.load[1] &&
		binary.LittleEndian.Uint64(p[h.end-8:]) == h.load[2]
}

// elements returns where the push at the start of p ends, or 0 when its
// elements are not plain, not whole or too many.
func (h *shortHead) elements(p []byte) int {
	n, left, _, _ := plainRun(p, h.end, h.count-1, maxShort-h.count)
	if left > 0 {
		return 0
	}
	return n
}

// plain consumes the whole, plain values at p[i], and returns the index of the
// first byte that it left. At the start of a frame it reads the header and the
// name of a push; inside a counted aggregate it reads elements.
func (s *Scanner) plain(p []byte, i int, u until) int {
	if !s.plainOK {
		return i
	}
	if s.depth == 0 {
		if Type(p[i]) != TypePush {
			return s.plainReply(p, i, u)
		}
		if u == untilType {
			return i
		}
		count, at, end := plainHead(p[i:])
		if count == 0 || exceed(s.elements, int64(count), s.lim.MaxElements) && !s.skip {
			return i
		}
		s.typ, s.naming = TypePush, nameKnown
		s.valueAt = s.pos + int64(i) - s.start
		s.nameAt, s.nameEnd = s.valueAt+int64(at), s.valueAt+int64(end)
		s.elements += int64(count)
		s.enter(level{rem: int64(count)})
		if s.cur.rem--; s.cur.rem == 0 {
			s.cur.rem = 1
			s.complete()
			return i + end + 2
		}
		i += end + 2
		if u == untilName {
			return i
		}
	} else if s.cur.kind&levelStreamed != 0 || s.depth == 1 && s.naming == nameUnknown && s.typ == TypePush {
		return i
	}
	rem, budget := int(min(s.cur.rem, math.MaxInt32)), 0
	if s.depth < s.lim.MaxDepth && s.roomy() {
		budget = int(max(0, min(int64(s.lim.MaxElements)-s.elements, math.MaxInt32)))
	}
	j, left, outer, unused := plainRun(p, i, rem, budget)
	s.elements += int64(budget - unused)
	if outer > 0 { // it stopped inside an array, which still counts among the outer values
		s.cur.rem -= int64(rem - outer)
		s.enter(level{rem: int64(left)})
		return j
	}
	s.cur.rem -= int64(rem - left)
	if j > i {
		s.cur.attributed = false
	}
	if s.cur.rem == 0 {
		s.cur.rem = 1
		s.complete()
	}
	return j
}

// plainReply consumes the frame at p[i] if it is a plain, whole frame other
// than a push, and returns where it ends. An incomplete frame is left to the
// general path, which looks at its bytes again.
func (s *Scanner) plainReply(p []byte, i int, u until) int {
	if u == untilType || u == untilName {
		return i
	}
	budget := int(max(0, min(int64(s.lim.MaxElements)-s.elements, math.MaxInt32)))
	j, unused := plainReply(p, i, budget)
	if j > i {
		s.typ, s.valueAt = Type(p[i]), s.pos+int64(i)-s.start
		s.elements += int64(budget - unused)
		s.ended = true
	}
	return j
}

// plainReply returns where the frame at p[i] ends if it is plain, whole and not
// a push, and otherwise i. unused is the rest of the budget for its elements.
func plainReply(p []byte, i, budget int) (next, unused int) {
	j, left, outer, unused := i, 1, 0, budget
	switch Type(p[i]) {
	case TypeSimpleString, TypeSimpleError, TypeInteger, TypeDouble, TypeBoolean, TypeBigNumber:
		if j = lineEnd(p, i+1); j > 0 {
			left = 0
		}
	case TypeArray, TypeSet, TypeMap:
		if len(p)-i < 8 {
			break
		}
		n, h := plainLength(binary.LittleEndian.Uint64(p[i:]))
		if Type(p[i]) == TypeMap {
			n *= 2
		}
		if h > 0 && n <= budget {
			j, left, outer, unused = plainRun(p, i+h, n, budget-n)
		}
	case TypeBulkString, TypeNull:
		j, left, outer, unused = plainRun(p, i, 1, budget)
	}
	if left > 0 || outer > 0 {
		return i, budget
	}
	return j, unused
}

// plainReplies returns where the run of whole, plain replies at the start of p
// ends. Replies tend to be like the ones before them. Comparing the next one
// with the last bulk string and the last short line, without waiting for its
// length, lets the CPU look at several at once (BenchmarkPassReplies).
func plainReplies(p []byte) int {
	// The last bulk string's header and the last line; at first, values that
	// match nothing.
	head, line := uint64(1), uint64(1)
	var headMask, lineMask uint64
	var bulkSize, lineSize int
	for i, lines := 0, 0; ; {
		var w uint64
		for len(p)-i >= 8 {
			w = binary.LittleEndian.Uint64(p[i : i+8])
			if w&lineMask == line {
				i += lineSize
				if lines++; lines == manyLines {
					i, lines = sameLines(p, i, lineSize), 0
				}
				continue
			}
			end := i + bulkSize
			if w&headMask != head || end > len(p) || binary.LittleEndian.Uint16(p[end-2:]) != crlf {
				break
			}
			i, lines = end, 0
		}
		if i == len(p) {
			return i
		}
		j := i
		if t := Type(p[i]); t == TypeInteger || t == TypeNull {
			j, _, _, _ = plainRun(p, i, math.MaxInt32, 0)
		}
		if j == i {
			j, _ = plainReply(p, i, manyElements)
		}
		if j == i {
			return i
		}
		if size := j - i; len(p)-i >= 8 {
			switch Type(w) {
			case TypeBulkString:
				if _, h := plainLength(w); h > 0 {
					headMask, bulkSize = uint64(1)<<(8*h)-1, size
					head = w & headMask
				}
			case TypeSimpleString:
				if size <= 8 {
					lineMask, lineSize = uint64(1)<<(8*size)-1, size
					line = w & lineMask
				}
			}
		}
		i, lines = j, 0
	}
}

// manyLines is the number of equal lines after which more are looked for by many.
const manyLines = 16

// sameLines returns the end of a run of lines of the given size at p[i] that equal
// the line before them. It compares the run with itself, one line on, in blocks of
// many lines, and leaves the last ones.
func sameLines(p []byte, i, size int) (end int) {
	for block := manyLines * size; len(p)-i >= block && bytes.Equal(p[i:i+block], p[i-size:i-size+block]); {
		i += block
	}
	return i
}

// plainHead reads the header and the name of a push at the start of p. It
// returns the number of elements, which is 0 if the head is not plain or not
// whole, and where the name begins and ends.
func plainHead(p []byte) (count, at, end int) {
	if len(p) < 12 || p[0] != byte(TypePush) {
		return 0, 0, 0
	}
	w := binary.LittleEndian.Uint64(p)
	count = int(w>>8&0xff - '0')
	if uint(count) > 9 || w>>16&0xffff != crlf || Type(w>>32) != TypeBulkString {
		return 0, 0, 0
	}
	n, h := plainLength(binary.LittleEndian.Uint64(p[4:]))
	at = 4 + h
	end = at + n
	if h == 0 || end >= farOffset || end > len(p)-2 || binary.LittleEndian.Uint16(p[end:]) != crlf {
		return 0, 0, 0
	}
	return count, at, end
}

// plainRun consumes up to rem whole, plain values at p[i]. It returns where it
// stopped and how many values are left. When it stopped inside an array, outer
// is the number left around it, including the array; otherwise outer is 0. It
// enters arrays as long as their counts are within budget, and returns the rest
// of the budget. It may look at bytes between the length and the capacity of p,
// but draws no conclusion from them.
func plainRun(p []byte, i, rem, budget int) (next, left, outer, unused int) {
	for rem > 0 && cap(p)-i >= 8 {
		// One load and one bounds check cover the longest header read here.
		w := binary.LittleEndian.Uint64(p[i : i+8])
		a, b, c := w>>8&0xff-'0', w>>16&0xff-'0', w>>24&0xff-'0'
		var n, h int
		switch {
		case w>>24&0xffff == crlf && a-1 <= 8 && b <= 9:
			n, h = int(a*10+b), 5
		case w>>32&0xffff == crlf && a-1 <= 8 && b <= 9 && c <= 9:
			n, h = int(a*100+b*10+c), 6
		case w>>16&0xffff == crlf && a <= 9:
			n, h = int(a), 4
		case Type(w) == TypeNull && w>>8&0xffff == crlf:
			h = 3
		default:
			n, h = plainLength(w)
		}
		body := i + h
		switch Type(w) {
		case TypeBulkString:
			end := body + n
			if h == 0 || end > len(p)-2 || binary.LittleEndian.Uint16(p[end:]) != crlf {
				return i, rem, outer, budget
			}
			if rem > longRun {
				mask := uint64(1)<<(8*h) - 1
				i, rem = alike(p, end+2, rem, w&mask, mask, end+2-i)
			} else {
				i = end + 2
			}
		case TypeInteger:
			if h == 0 || body > len(p) {
				return i, rem, outer, budget
			}
			i = body
		case TypeNull:
			if h != 3 || body > len(p) {
				return i, rem, outer, budget
			}
			i = body
		case TypeArray:
			if outer > 0 || h == 0 || n == 0 || n > budget || body > len(p) {
				return i, rem, outer, budget
			}
			outer, rem, budget = rem, n, budget-n
			i = body
			continue
		default:
			return i, rem, outer, budget
		}
		if rem--; rem == 0 && outer > 0 {
			rem, outer = outer-1, 0
		}
	}
	return i, rem, outer, budget
}

// alike consumes the whole bulks at p[i] that have the same header, and so the
// same size, as the bulk before them. mask selects the bytes of head. Of rem
// values, including the bulk before, it leaves at least one. The keys of one
// invalidation tend to be of one length (BenchmarkProcess/frame=F8).
//
// One load covers a header and the line end before it, which ends the bulk before.
func alike(p []byte, i, rem int, head, mask uint64, size int) (next, left int) {
	if mask > 1<<48-1 {
		return i, rem // a header of more than 6 bytes
	}
	head, mask = head<<16|crlf, mask<<16|0xffff
	first := i
	for rem > 1 && i+size <= len(p) && binary.LittleEndian.Uint64(p[i-2:i+6])&mask == head {
		i += size
		rem--
	}
	if i > first && binary.LittleEndian.Uint16(p[i-2:]) != crlf {
		i -= size
		rem++
	}
	return i, rem
}

// plainLength reads the length of up to 5 digits in w, which holds the first 8
// bytes of a header, type byte first. h is the size of the header, or 0 when it
// is not of that form. Comparisons of bits already loaded replace a loop over
// bytes (BenchmarkPushes).
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
	if d > 9 {
		return 0, 0
	}
	if w>>40&0xffff == crlf {
		return int(a*1000 + b*100 + c*10 + d), 7
	}
	e := w>>40&0xff - '0'
	if e > 9 || w>>48 != crlf {
		return 0, 0
	}
	return int(a*10000 + b*1000 + c*100 + d*10 + e), 8
}
