package oracle

import "math"

// Verdict says which of the four outcomes a parse had.
type Verdict byte

// The outcomes of [Parse].
const (
	OK         Verdict = iota // a whole frame
	Incomplete                // a strict prefix of something valid
	Syntax                    // malformed
	OverLimit                 // over one of the Limits
)

// String names v in one lower-case word.
func (v Verdict) String() string {
	switch v {
	case OK:
		return "ok"
	case Incomplete:
		return "incomplete"
	case Syntax:
		return "syntax"
	case OverLimit:
		return "limit"
	}
	return "unknown"
}

// The causes of a Syntax verdict, each equal to the name of package parser's
// sentinel.
const (
	ErrType       = "ErrType"
	ErrLength     = "ErrLength"
	ErrTerminator = "ErrTerminator"
	ErrNull       = "ErrNull"
	ErrVerbatim   = "ErrVerbatim"
	ErrChunk      = "ErrChunk"
	ErrEnd        = "ErrEnd"
)

// Why a value cannot be had in the form asked for, each equal to the name of
// package parser's sentinel.
const (
	ErrKind    = "ErrKind"
	ErrNumber  = "ErrNumber"
	ErrBoolean = "ErrBoolean"
	ErrRange   = "ErrRange"
	ErrMapKey  = "ErrMapKey"
)

// The names of the limits an OverLimit verdict can carry, equal to the fields
// of Limits.
const (
	MaxFrame    = "MaxFrame"
	MaxBulk     = "MaxBulk"
	MaxElements = "MaxElements"
	MaxDepth    = "MaxDepth"
)

// Limits bounds one frame. A field that is zero or negative means its default.
// The fields are package parser's, in its order, so that one converts to the
// other.
type Limits struct {
	MaxFrame    int // bytes of the frame, attributes included; default 1 GiB
	MaxBulk     int // bytes of one string; default 512 MiB
	MaxElements int // elements announced in the whole frame, all levels together; default 16 Mi
	MaxDepth    int // aggregates open at once; default 128
}

// withDefaults returns l with its default in every field that is not positive.
func (l Limits) withDefaults() Limits {
	if l.MaxFrame <= 0 {
		l.MaxFrame = 1 << 30
	}
	if l.MaxBulk <= 0 {
		l.MaxBulk = 512 << 20
	}
	if l.MaxElements <= 0 {
		l.MaxElements = 16 << 20
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = 128
	}
	return l
}

// Result is what [Parse] found. Which fields are set depends on Verdict: N and
// Tree for OK; Offset and Cause for Syntax; Offset, Limit, Max and Got for
// OverLimit; none for Incomplete.
type Result struct {
	Verdict Verdict
	N       int   // bytes of the frame
	Tree    *Node // the frame's value; its attributes hang from it
	Offset  int64 // Syntax: the byte that broke the rule; OverLimit: where the item under way begins
	Cause   string
	Limit   string
	Max     int64
	Got     int64
}

// Parse reads the one frame at the start of b; bytes behind it are another
// frame's. The tree borrows b.
func Parse(b []byte, l Limits) Result {
	s := state{in: b, lim: l.withDefaults()}
	tree, ok := s.frame()
	if !ok {
		return s.res
	}
	return Result{Verdict: OK, N: s.pos, Tree: tree}
}

// state is a parse under way: in[:pos] has been judged and is valid, item is
// where the item under way begins. A method that returns false has put the
// verdict into res; nothing is read after that.
type state struct {
	in        []byte
	pos       int
	item      int
	lim       Limits
	announced int64 // elements announced in the frame so far, all levels together
	res       Result
}

// incomplete ends the parse for want of bytes.
func (s *state) incomplete() bool {
	s.res = Result{Verdict: Incomplete}
	return false
}

// syntax ends the parse because of the byte at offset.
func (s *state) syntax(cause string, offset int) bool {
	s.res = Result{Verdict: Syntax, Cause: cause, Offset: int64(offset)}
	return false
}

// over ends the parse because the item under way passes a limit.
func (s *state) over(limit string, most int, got int64) bool {
	s.res = Result{Verdict: OverLimit, Limit: limit, Max: int64(most), Got: got, Offset: int64(s.item)}
	return false
}

// begin says that the next item begins at the next byte, whether it has come or
// not.
func (s *state) begin() { s.item = s.pos }

// peek returns the next byte of the frame without taking it. A frame that needs
// a byte more than MaxFrame is over the limit before that byte arrives, and
// whatever it is.
func (s *state) peek() (byte, bool) {
	if s.pos >= s.lim.MaxFrame {
		return 0, s.over(MaxFrame, s.lim.MaxFrame, int64(s.lim.MaxFrame)+1)
	}
	if s.pos >= len(s.in) {
		return 0, s.incomplete()
	}
	return s.in[s.pos], true
}

// take consumes the byte that peek gave.
func (s *state) take() { s.pos++ }

// char is peek inside a length or a null, where a LF without its CR is never
// right.
func (s *state) char() (byte, bool) {
	c, ok := s.peek()
	if ok && c == '\n' {
		return 0, s.syntax(ErrTerminator, s.pos)
	}
	return c, ok
}

// expect takes the next byte, which must be c, or else it is cause.
func (s *state) expect(c byte, cause string) bool {
	got, ok := s.peek()
	if !ok {
		return false
	}
	if got != c {
		return s.syntax(cause, s.pos)
	}
	s.take()
	return true
}

// endLine takes the CR LF that must stand here: a byte other than CR is cause,
// a LF without its CR ErrTerminator, and so is a byte other than LF after the
// CR.
func (s *state) endLine(cause string) bool {
	c, ok := s.char()
	if !ok {
		return false
	}
	if c != '\r' {
		return s.syntax(cause, s.pos)
	}
	s.take()
	return s.expect('\n', ErrTerminator)
}

// sum adds what cannot be negative; what does not fit becomes the largest
// int64, and over says so.
func sum(a, b int64) (total int64, over bool) {
	if b > math.MaxInt64-a {
		return math.MaxInt64, true
	}
	return a + b, false
}

// exceeds reports whether the sum of a and b passes most, and what to report as
// got.
func exceeds(a, b int64, most int) (got int64, yes bool) {
	got, over := sum(a, b)
	return got, over || got > int64(most)
}
