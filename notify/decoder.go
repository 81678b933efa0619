package notify

import (
	"math"
	"time"

	"github.com/seed79615202/respush/parser"
)

// maxFixed is the number of elements, without the name, of the longest push
// that a decoder reads.
const maxFixed = 3

// decoder reads the elements of one push by their index. The name has index 0.
// A decoder remembers its first error, and later calls return zero values.
//
// Invariant: after read, and unless err is set, arguments[:count-1] are the
// elements of the push without its name.
type decoder struct {
	family    Family
	push      Name
	arguments [maxFixed]parser.Value
	count     int // the number of elements, including the name
	err       error
}

// errFamily returns the error for a push that does not belong to a family.
func errFamily(push parser.Frame, family Family) error {
	name, _ := lookup(push.Name())
	return &ShapeError{family, name, 0, ErrFamily}
}

// read reads the elements of f. It fails unless there are at least least and at
// most most of them, including the name.
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

// fail sets the error unless there is one.
func (d *decoder) fail(element int, cause error) {
	if d.err == nil {
		d.err = &ShapeError{d.family, d.push, element, cause}
	}
}

// integer returns element i, which must be an integer.
func (d *decoder) integer(i int) int64 {
	if d.err != nil {
		return 0
	}
	return d.number(i, d.arguments[i-1])
}

// number returns v, which must be an integer. It is element i or a part of it.
func (d *decoder) number(i int, v parser.Value) int64 {
	n, err := v.Int64()
	if v.Type() != parser.TypeInteger || err != nil {
		d.fail(i, ErrType)
	}
	return n
}

// text returns element i, borrowed. It must be a string.
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

// isText reports whether v is a bulk, simple or verbatim string.
func isText(v parser.Value) bool {
	switch v.Type() {
	case parser.TypeBulkString, parser.TypeSimpleString, parser.TypeVerbatimString:
		return true
	}
	return false
}

// seconds returns n seconds as a Duration. It returns the longest or shortest
// whole number of seconds if n is beyond that.
func seconds(n int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Second)
	return time.Duration(max(-most, min(most, n))) * time.Second
}
