package notify

import (
	"errors"
	"strconv"
)

// The causes of a [*ShapeError], to be tested for with errors.Is.
var (
	ErrFamily   = errors.New("not a push of this family")
	ErrMissing  = errors.New("element is missing")
	ErrExtra    = errors.New("element too many")
	ErrType     = errors.New("value of another type")
	ErrEndpoint = errors.New("malformed endpoint")
	ErrSlots    = errors.New("malformed slots")
)

// ShapeError reports a push whose elements are not what its name promises, and
// not one of the departures from it that are tolerated. The frame itself is
// valid, and the stream goes on behind it.
//
// Invariant: Push is empty only when Err is ErrFamily; then Element is 0.
type ShapeError struct {
	Family  Family // what was to be parsed
	Push    Name   // what was there; empty for a push without a known name, and for what is no push
	Element int    // index of the first element that is wrong or missing; the name is 0
	Err     error  // the cause: ErrFamily, ErrMissing, ...
}

// Error tells the family, the push, the element and the cause, and echoes no
// payload.
func (e *ShapeError) Error() string {
	text := "notify: " + e.Family.String() + ": "
	if e.Push != "" {
		text += string(e.Push) + " "
	}
	return text + "element " + strconv.Itoa(e.Element) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ShapeError) Unwrap() error { return e.Err }
