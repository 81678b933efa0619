package notify

import (
	"strconv"
	"time"

	"github.com/seed79615202/respush/parser"
)

// Moving is a MOVING push: the endpoint of this connection moves, and the
// client should reconnect before the server closes the connection. A Moving is
// borrowed from the frame it was parsed from.
type Moving struct {
	Seq      int64         // sequence number of maintenance pushes; repeats across nodes and has gaps
	After    time.Duration // time until the connection is closed; may be zero or negative
	Endpoint Endpoint      // the address to reconnect to; zero for the same one, see SameAddress
}

// ParseMoving parses a MOVING push. The elements after the name are a sequence
// number, seconds, and an endpoint as host:port. The endpoint means the same
// address if it is missing, a null, or the text null or <nil>. Seconds beyond
// the range of a Duration are limited to it. ParseMoving returns a
// [*ShapeError] for any other frame, and allocates only for that.
func ParseMoving(push parser.Frame) (Moving, error) {
	seq, after, endpoint, err := readMoving(push)
	return Moving{seq, after, endpoint}, err
}

// readMoving parses a MOVING push and returns the fields of its Moving.
func readMoving(push parser.Frame) (int64, time.Duration, Endpoint, error) {
	if name, e := push.Split(); string(name) == NameMoving && e.Len() == 3 {
		seq, e, ok1 := e.NextInt64()
		after, e, ok2 := e.NextInt64()
		text, _, ok3 := e.NextText()
		if ok1 && ok2 && ok3 {
			if endpoint, ok := ParseEndpoint(text); ok {
				return seq, seconds(after), endpoint, nil
			}
		}
	}
	m, err := parseMoving(push)
	return m.Seq, m.After, m.Endpoint, err
}

// parseMoving is the general path of ParseMoving, for every frame.
func parseMoving(push parser.Frame) (Moving, error) {
	if string(push.Name()) != NameMoving {
		return Moving{}, errFamily(push, FamilyMoving)
	}
	d := decoder{family: FamilyMoving, push: NameMoving}
	d.read(push, 3, 4)
	m := Moving{Seq: d.integer(1), After: seconds(d.integer(2))}
	if d.count == 4 {
		m.Endpoint = d.endpoint(3)
	}
	if d.err != nil {
		return Moving{}, d.err
	}
	return m, nil
}

// endpoint returns element i, which must be an endpoint. It returns the zero
// Endpoint for a value that means the same address.
func (d *decoder) endpoint(i int) Endpoint {
	if d.err == nil && d.arguments[i-1].IsNull() {
		return Endpoint{}
	}
	text := d.text(i)
	switch string(text) {
	case "null", "<nil>":
		return Endpoint{}
	}
	e, ok := ParseEndpoint(text)
	if !ok {
		d.fail(i, ErrEndpoint)
	}
	return e
}

// SameAddress reports whether the client should reconnect to the address to
// which it is connected.
func (m Moving) SameAddress() bool { return m.Endpoint.IsZero() }

// String returns a description of the move on one line.
func (m Moving) String() string { return string(m.appendLine(nil)) }

func (m Moving) appendLine(dst []byte) []byte {
	dst = appendSeq(append(dst, NameMoving...), m.Seq)
	dst = appendAfter(dst, m.After)
	if m.SameAddress() {
		return append(dst, gap+"to the same address"...)
	}
	dst = append(dst, gap+"to "...)
	return appendWord(dst, m.Endpoint.appendText(nil))
}

// appendSeq appends a sequence number.
func appendSeq(dst []byte, seq int64) []byte {
	return strconv.AppendInt(append(dst, gap+"seq "...), seq, 10)
}

// appendAfter appends the time until an announced event.
func appendAfter(dst []byte, after time.Duration) []byte {
	if after <= 0 {
		return append(dst, gap+"now"...)
	}
	dst = strconv.AppendInt(append(dst, gap+"in "...), int64(after/time.Second), 10)
	return append(dst, 's')
}
