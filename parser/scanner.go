package parser

import "math"

// A Scanner finds where a frame ends. It is fed the stream in pieces cut
// anywhere, remembers in a few words what remains of each open aggregate, looks
// at every byte once, and checks each that decides where the frame ends: types,
// lengths, counts, nesting and terminators. The zero value is ready, with
// default limits. A Scanner is used by one goroutine at a time and must not be
// copied once in use.
//
// Invariant: between calls, pos is the stream offset of the next byte and state
// says what that byte may be; depth aggregates are open, the innermost of them
// in cur and the others in the stack; nothing else about the bytes seen is
// needed.
type Scanner struct {
	lim     Limits // resolved; zero before the first frame
	err     error  // what the scan failed with; sticky
	pos     int64  // offset of the next byte
	start   int64  // offset of the frame's first byte
	item    int64  // offset of the value, chunk or end marker under way
	state   state
	ended   bool // the last byte consumed ended a frame
	plainOK bool // the limits leave the fast path alone
	skip    bool // the limits do not apply to the frame under way, and depth takes no memory

	// The item under way.
	mark     byte // its type byte, markChunk or markEnd
	form     form
	n        uint64 // a length being read; in a bulk, the bytes still to come
	streamed int64  // bytes of a streamed string so far

	stack
	elements int64 // announced so far

	// What is known of the frame, offsets counted from start.
	typ     Type
	nested  bool // it holds pushes out of band
	naming  naming
	valueAt int64
	nameAt  int64
	nameEnd int64
}

// state says what the next byte may be.
type state uint8

const (
	stValue    state = iota // a value begins, or a streamed aggregate ends
	stLength                // first byte of a length
	stDigits                // further digits of a length
	stMinus                 // the 1 of a RESP2 null
	stCR                    // only CR
	stLF                    // only LF
	stText                  // text up to CR LF
	stTextLF                // the same, behind a CR
	stVerbatim              // the format of a verbatim string and its colon
	stBulk                  // n bytes of anything
	stBulkCR                // the CR behind them
	stBulkLF                // the LF behind it
	stChunk                 // the next part of a streamed string
)

// form is how a length was given.
type form uint8

const (
	formCounted form = iota
	formNull         // -1
	formStream       // ?
)

// naming is how far the name of a push is known.
type naming uint8

const (
	nameUnknown  naming = iota // its first element has not begun
	nameOpen                   // it has, and is a string
	nameKnown                  // nameAt and nameEnd are set and the bytes have been seen
	nameStreamed               // the name is a streamed string that has been seen whole; it begins at nameAt and has nameEnd-nameAt bytes of text
	nameNone                   // the first element is missing or not a string
	nameFar                    // in a Frame: known, to be found by walking
)

// until is how much of a frame a scan is to look at.
type until uint8

const (
	untilEnd  until = iota // all of it
	untilType              // up to its type byte
	untilName              // up to the name of a push, or the type byte of anything else
	untilPush              // up to a push inside it

	unlimited until = 1 << 7 // from now on limits do not apply to the frame

	untilDropped = untilEnd | unlimited
)

// NewScanner returns a Scanner with the given limits.
func NewScanner(l Limits) *Scanner {
	s := new(Scanner)
	s.limit(l)
	return s
}

// limit sets the limits.
func (s *Scanner) limit(l Limits) {
	s.lim = l.resolved()
	s.plainOK = s.lim.admitsPlain()
}

// Reset makes s ready for another stream; its limits stay.
func (s *Scanner) Reset() {
	*s = Scanner{lim: s.lim, plainOK: s.plainOK, stack: stack{more: s.more[:0]}}
}

// Type returns the type byte of the frame under way, or of the frame that has
// just ended, skipping attributes. It returns 0 before the type is known.
func (s *Scanner) Type() Type { return s.typ }

// Scan consumes the next n bytes of the current frame from p and reports
// whether the frame ended with them. If it is neither done nor failed, it has
// consumed all it could use: the caller keeps p[n:], appends what arrives next,
// and calls again. The next call after done begins a new frame. The total cost
// of a frame is linear in its size, however it is cut. An error is a
// [*SyntaxError] or a [*LimitError], its Offset counted from the first byte
// ever scanned; it is returned again until Reset.
func (s *Scanner) Scan(p []byte) (n int, done bool, err error) {
	return s.scan(p[:len(p):len(p)], untilEnd)
}

// ScanType is Scan for code that must know the type of a frame before it goes
// on. It stops after the type byte of the frame's value, which is the first
// byte unless there are attributes.
func (s *Scanner) ScanType(p []byte) (n int, done bool, err error) {
	return s.scan(p[:len(p):len(p)], untilType)
}

// Pass is Scan for code that forwards a frame and keeps nothing of it. Limits
// do not apply, as for [Reader.Skip]. Pass stops before each push inside the
// frame: it has met one when it is neither done nor failed and n < len(p). The
// caller takes the push out with another Scanner, and calls Pass next with the
// bytes after the push. Once Pass has begun a frame, limits do not apply to
// Scan either until the frame ends.
func (s *Scanner) Pass(p []byte) (n int, done bool, err error) {
	return s.scan(p[:len(p):len(p)], untilPush|unlimited)
}

// PassReplies is Pass for many frames at once: it consumes the whole replies at
// the start of p, as long as they are short strings, bulk strings, integers,
// nulls, or short arrays and maps of those, in their usual forms. It stops
// before anything else, such as a push, an attribute or an incomplete reply,
// which the caller gives to Pass. It consumes nothing in the middle of a frame.
func (s *Scanner) PassReplies(p []byte) (n int) {
	if !useFast || s.err != nil || !s.ended && s.pos > s.start {
		return 0
	}
	if s.ended {
		s.next()
	}
	n = plainReplies(p[:len(p):len(p)])
	s.pos += int64(n)
	s.start = s.pos
	return n
}

// Skip is Scan for code that drops a frame, including the pushes inside it. Its
// memory does not depend on the frame. Limits do not apply, except MaxDepth to
// streamed aggregates, as long as the announced values can be counted in an
// int64.
func (s *Scanner) Skip(p []byte) (n int, done bool, err error) {
	return s.scan(p[:len(p):len(p)], untilDropped)
}

// Frame returns the frame that ended with the last byte scanned, borrowed from
// b, which must hold exactly the bytes of that frame. It is the zero Frame when
// no frame has ended there, b has another length, or the limits did not apply
// to the frame, as with Pass and Skip.
func (s *Scanner) Frame(b []byte) Frame {
	if !s.ended || s.skip || int64(len(b)) != s.pos-s.start {
		return Frame{}
	}
	return s.frame(b[:len(b):len(b)])
}

// scan is Scan, for as much of the frame as u says.
func (s *Scanner) scan(p []byte, u until) (n int, done bool, err error) {
	if s.err != nil {
		return 0, false, s.err
	}
	if s.ended || s.lim.MaxDepth == 0 {
		s.next()
	}
	s.skip = s.skip || u&unlimited != 0
	u &^= unlimited
	// No frame is looked at beyond MaxFrame, whatever else is wrong with it.
	room := s.room()
	if int64(len(p)) > room {
		p = p[:room:room]
	}
	n, done, err = s.step(p, u)
	s.pos += int64(n)
	walked(n)
	if err == nil && !done && int64(n) == room && !s.reached(u) {
		err = s.overFrame()
	}
	if err != nil {
		s.err = err
	}
	return n, done, err
}

// next makes s ready for the frame that begins at pos.
func (s *Scanner) next() {
	if s.lim.MaxDepth == 0 {
		s.limit(Limits{})
	}
	s.ended, s.skip, s.start, s.state = false, false, s.pos, stValue
	s.depth, s.cur, s.elements = 0, level{}, 0
	s.typ, s.nested, s.naming = 0, false, nameUnknown
	s.valueAt, s.nameAt, s.nameEnd = 0, 0, 0
}

// rewind makes s forget what it has seen of the frame under way.
func (s *Scanner) rewind() {
	s.pos, s.err = s.start, nil
	s.next()
}

// bulkLeft returns how many bytes of the bulk under way are still to come.
func (s *Scanner) bulkLeft() uint64 {
	if s.state == stBulk {
		return s.n
	}
	return 0
}

// room returns how many bytes of the frame under way are within MaxFrame.
func (s *Scanner) room() int64 {
	if s.skip {
		return math.MaxInt64
	}
	return int64(s.lim.MaxFrame) - (s.pos - s.start)
}

// reached reports whether the frame has been scanned as far as u asks.
func (s *Scanner) reached(u until) bool {
	switch u {
	case untilType:
		return s.typ != 0
	case untilName:
		return s.typ != 0 && s.typ != TypePush || s.naming >= nameKnown
	}
	return false
}
