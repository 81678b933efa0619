package oracle

import "math"

// Verdict is one of the four outcomes of a parse.
type Verdict byte

// The outcomes of [Parse].
const (
	OK         Verdict = iota // a whole frame
	Incomplete                // a strict prefix of something valid
	Syntax                    // malformed
	OverLimit                 // over one of the Limits
)

// String returns the name of v, one lower-case word.
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

// The causes why a value does not have the requested form, each equal to the
// name of package parser's sentinel.
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
// The fields and their order are those of package parser's Limits, so that one
// type converts to the other.
type Limits struct {
	MaxFrame    int // bytes of the frame, attributes included; default 1 GiB
	MaxBulk     int // bytes of one string; default 512 MiB
	MaxElements int // elements announced in the whole frame, at all levels together; default 16 Mi
	MaxDepth    int // aggregates open at once; default 128
}

// withDefaults returns l with the default for every field that is not positive.
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

// Result is the result of [Parse]. Which fields are set depends on Verdict: N
// and Tree for OK; Offset and Cause for Syntax; Offset, Limit, Max and Got for
// OverLimit; none for Incomplete.
type Result struct {
	Verdict Verdict
	N       int   // bytes of the frame
	Tree    *Node // the frame's value, with its attributes
	Offset  int64 // Syntax: the byte that broke the rule; OverLimit: the start of the current item
	Cause   string
	Limit   string
	Max     int64
	Got     int64
}

// Parse parses the one frame at the start of b, and ignores the bytes after it.
// The tree borrows b.
func Parse(b []byte, l Limits) Result {
	s := state{in: b, lim: l.withDefaults()}
	tree, ok := s.frame()
	if !ok {
		return s.res
	}
	return Result{Verdict: OK, N: s.pos, Tree: tree}
}

// state is the state of a parse. in[:pos] has been checked and is valid, and
// the current item begins at item. A method that returns false has put the
// verdict into res, and nothing is read after that.
type state struct {
	in        []byte
	pos       int
	item      int
	lim       Limits
	announced int64 // elements announced in the frame so far, at all levels together
	res       Result
}

// incomplete ends the parse because bytes are missing.
func (s *state) incomplete() bool {
	s.res = Result{Verdict: Incomplete}
	return false
}

// syntax ends the parse because of the byte at offset.
func (s *state) syntax(cause string, offset int) bool {
	s.res = Result{Verdict: Syntax, Cause: cause, Offset: int64(offset)}
	return false
}

// over ends the parse because the current item exceeds a limit.
func (s *state) over(limit string, most int, got int64) bool {
	s.res = Result{Verdict: OverLimit, Limit: limit, Max: int64(most), Got: got, Offset: int64(s.item)}
	return false
}

// begin begins an item at the next byte, whether or not that byte has come.
func (s *state) begin() { s.item = s.pos }

// peek returns the next byte of the frame without taking it. A frame that needs
// more bytes than MaxFrame is over the limit before the first byte too many
// arrives, whatever that byte is.
func (s *state) peek() (byte, bool) {
	if s.pos >= s.lim.MaxFrame {
		return 0, s.over(MaxFrame, s.lim.MaxFrame, int64(s.lim.MaxFrame)+1)
	}
	if s.pos >= len(s.in) {
		return 0, s.incomplete()
	}
	return s.in[s.pos], true
}

// take takes the byte that peek returned.
func (s *state) take() { s.pos++ }

// char is like peek, for use inside a length or a null, where a lone LF is
// never valid.
func (s *state) char() (byte, bool) {
	c, ok := s.peek()
	if ok && c == '\n' {
		return 0, s.syntax(ErrTerminator, s.pos)
	}
	return c, ok
}

// expect takes the next byte, which must be c. Any other byte is an error with
// the given cause.
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

// endLine takes the CR LF that must come next. A lone LF is ErrTerminator, and
// so is a byte other than LF after the CR. Any other byte is an error with the
// given cause.
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

// sum adds two numbers that are not negative. If the sum overflows, sum returns
// the largest int64 and true.
func sum(a, b int64) (total int64, over bool) {
	if b > math.MaxInt64-a {
		return math.MaxInt64, true
	}
	return a + b, false
}

// exceeds reports whether the sum of a and b exceeds most, and returns the
// value to report as got.
func exceeds(a, b int64, most int) (got int64, yes bool) {
	got, over := sum(a, b)
	return got, over || got > int64(most)
}
