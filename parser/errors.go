package parser

import (
	"errors"
	"strconv"
)

// ErrIncomplete says that the bytes so far begin a valid frame and that more
// are needed. It is routine and carries no data, so it costs nothing.
var ErrIncomplete = errors.New("parser: incomplete frame")

// ErrReentrant is returned by a [Reader] that is used from inside a handler to
// which one of its own frames is lent (see [Reader.Lend]).
var ErrReentrant = errors.New("parser: Reader used from inside a handler of its own push")

// The causes of a [*SyntaxError]. Test for them with errors.Is.
var (
	ErrType       = errors.New("unknown or misplaced type byte")
	ErrLength     = errors.New("malformed length")
	ErrTerminator = errors.New("line or bulk not ended by CR LF")
	ErrNull       = errors.New("malformed null")
	ErrVerbatim   = errors.New("malformed verbatim string")
	ErrChunk      = errors.New("malformed streamed string")
	ErrEnd        = errors.New("misplaced end of a streamed aggregate")
)

// The errors that the accessors of [Value] return when the value does not have
// the form asked for.
var (
	ErrKind    = errors.New("parser: value of another type")
	ErrNumber  = errors.New("parser: text is not a number")
	ErrBoolean = errors.New("parser: text is not a boolean")
	ErrRange   = errors.New("parser: number out of range")
	ErrMapKey  = errors.New("parser: map key is an aggregate")
)

// SyntaxError reports bytes that are not RESP3. Frames before Offset are not
// affected. Frames after it cannot be told apart, so the stream cannot go on.
type SyntaxError struct {
	Offset int64 // of the first wrong byte, from the start of the stream (Reader, Scanner) or slice (Parse)
	Err    error // the cause: ErrType, ErrLength, ...
}

// Error returns a message with the cause and the offset. It echoes no payload.
func (e *SyntaxError) Error() string {
	return "parser: " + e.Err.Error() + " at offset " + strconv.FormatInt(e.Offset, 10)
}

// Unwrap returns the cause.
func (e *SyntaxError) Unwrap() error { return e.Err }

// LimitError reports a frame that is valid so far but larger than the [Limits]
// allow.
type LimitError struct {
	Limit  string // the field of Limits: "MaxFrame", "MaxBulk", "MaxElements" or "MaxDepth"
	Max    int64  // its value
	Got    int64  // what the frame needs, as far as known; math.MaxInt64 stands for anything larger
	Offset int64  // where the value that breaks the limit begins, counted as in SyntaxError
}

// Error returns a message with the limit, the size met and the offset.
func (e *LimitError) Error() string {
	return "parser: " + e.Limit + " of " + strconv.FormatInt(e.Max, 10) + " exceeded by " +
		strconv.FormatInt(e.Got, 10) + " at offset " + strconv.FormatInt(e.Offset, 10)
}

// ServerError is the text of a RESP3 error ('-' or '!') as [Value.Any] returns
// it.
type ServerError string

// Error returns the text the server sent.
func (e ServerError) Error() string { return string(e) }
