package notify

import (
	"errors"
	"strconv"
)

// The causes of a [*ShapeError]. Test for them with errors.Is.
var (
	ErrFamily   = errors.New("not a push of this family")
	ErrMissing  = errors.New("element is missing")
	ErrExtra    = errors.New("element too many")
	ErrType     = errors.New("value of another type")
	ErrEndpoint = errors.New("malformed endpoint")
	ErrSlots    = errors.New("malformed slots")
)

// ShapeError reports a push whose elements do not have a shape that its Parse
// function accepts. The frame itself is valid, and the stream continues after
// it.
//
// Invariant: Push is empty only if Err is ErrFamily. If Err is ErrFamily,
// Element is 0.
type ShapeError struct {
	Family  Family // the family that the Parse function is for
	Push    Name   // the name of the push; empty if it is unknown or the frame is not a push
	Element int    // index of the first element that is wrong or missing; the name is 0
	Err     error  // the cause, one of the errors above
}

// Error returns the family, the push, the element and the cause. It does not
// include any payload.
func (e *ShapeError) Error() string {
	text := "notify: " + e.Family.String() + ": "
	if e.Push != "" {
		text += string(e.Push) + " "
	}
	return text + "element " + strconv.Itoa(e.Element) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ShapeError) Unwrap() error { return e.Err }
