package notify

import (
	"math"
	"time"

	"github.com/seed79615202/respush/parser"
)

// maxFixed is the number of elements, its name not counted, of the longest push
// whose elements are told by their place.
const maxFixed = 3

// decoder reads the elements of one push by their place, the name's being 0.
// The first error stays, and later calls return zero values.
//
// Invariant: without an error, arguments[:count-1] are the elements of the push
// once they have been read.
type decoder struct {
	family    Family
	push      Name
	arguments [maxFixed]parser.Value
	count     int // of elements, the name included
	err       error
}

// errFamily is the error for a push that is not of a family.
func errFamily(push parser.Frame, family Family) error {
	name, _ := lookup(push.Name())
	return &ShapeError{family, name, 0, ErrFamily}
}

// read takes the elements of f, of which there are at least least and at most
// most, the name included.
func (d *decoder) read(f parser.Frame, least, most int) {
	n := 0
	for v := range f.Args() {
		if n < maxFixed {
			d.arguments[n] = v
		}
		n++
	}
	switch d.count = n + 1; {
	case d.count < least:
		d.fail(d.count, ErrMissing)
	case d.count > most:
		d.fail(most, ErrExtra)
	}
}

// fail keeps the first error.
func (d *decoder) fail(element int, cause error) {
	if d.err == nil {
		d.err = &ShapeError{d.family, d.push, element, cause}
	}
}

// integer returns element i.
func (d *decoder) integer(i int) int64 {
	if d.err != nil {
		return 0
	}
	return d.number(i, d.arguments[i-1])
}

// number returns v, which is element i or in it.
func (d *decoder) number(i int, v parser.Value) int64 {
	n, err := v.Int64()
	if v.Type() != parser.TypeInteger || err != nil {
		d.fail(i, ErrType)
	}
	return n
}

// text returns element i, borrowed.
func (d *decoder) text(i int) []byte {
	if d.err != nil {
		return nil
	}
	v := d.arguments[i-1]
	if !isText(v) {
		d.fail(i, ErrType)
		return nil
	}
	return v.Bytes()
}

// isText reports whether v is a string of any of the three kinds.
func isText(v parser.Value) bool {
	switch v.Type() {
	case parser.TypeBulkString, parser.TypeSimpleString, parser.TypeVerbatimString:
		return true
	}
	return false
}

// seconds returns n seconds, or the longest Duration when that is more.
func seconds(n int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Second)
	return time.Duration(max(-most, min(most, n))) * time.Second
}
