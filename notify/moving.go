package notify

import (
	"strconv"
	"time"

	"github.com/seed79615202/respush/parser"
)

// Moving is a MOVING push: the endpoint of this connection moves, and the client
// should have reconnected before the time is over. It is borrowed from the frame
// it was parsed from.
type Moving struct {
	Seq      int64         // repeats across nodes, has gaps, and is shared with other maintenance pushes
	After    time.Duration // until the connection is closed; may be zero or negative
	Endpoint Endpoint      // where to reconnect to; zero for the same address, see SameAddress
}

// ParseMoving returns the MOVING that push is: a sequence number, seconds, and
// host:port. A null in its place, the texts null and <nil>, and none at all mean
// the same address. Seconds beyond what a Duration holds become the longest it
// does. Anything else is a [*ShapeError]. It does not allocate but for that.
func ParseMoving(push parser.Frame) (Moving, error) {
	seq, after, endpoint, err := readMoving(push)
	return Moving{seq, after, endpoint}, err
}

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

// parseMoving is ParseMoving for all there is.
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

// endpoint returns element i, the zero Endpoint for what stands for none.
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

// SameAddress reports whether the client should reconnect to the address that it
// is connected to.
func (m Moving) SameAddress() bool { return m.Endpoint.IsZero() }

// String returns the move in words on one line.
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

// appendAfter appends the time until something happens.
func appendAfter(dst []byte, after time.Duration) []byte {
	if after <= 0 {
		return append(dst, gap+"now"...)
	}
	dst = strconv.AppendInt(append(dst, gap+"in "...), int64(after/time.Second), 10)
	return append(dst, 's')
}
