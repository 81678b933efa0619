package notify

import (
	"math"
	"time"

	"github.com/seed79615202/respush/parser"
)

// maxFixed is the number of elements, its name included, of the longest push
// whose elements are told by their place.
const maxFixed = 4

// decoder reads the elements of one push by their place, the name's being 0.
// The first error stays, and later calls return zero values.
//
// Invariant: without an error, elements[:count] are those of the push once they
// have been read.
type decoder struct {
	family   Family
	push     Name
	elements [maxFixed]parser.Value
	count    int
	err      error
}

// open takes the name of f.
func (d *decoder) open(f parser.Frame, family Family) {
	d.family = family
	name, found := lookup(f.Name())
	d.push = name
	if found != family {
		d.fail(0, ErrFamily)
	}
}

// read takes the elements of f, of which there are at least least and at most
// most, the name included.
func (d *decoder) read(f parser.Frame, least, most int) {
	if d.err != nil {
		return
	}
	value := f.Value()
	switch n := value.Len(); {
	case n < least:
		d.fail(n, ErrMissing)
		return
	case n > most:
		d.fail(most, ErrExtra)
		return
	}
	for v := range value.All() {
		d.elements[d.count] = v
		d.count++
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
	return d.number(i, d.elements[i])
}

// number returns v, which is element i or in it.
func (d *decoder) number(i int, v parser.Value) int64 {
	n, err := v.Int64()
	if v.Type() != parser.TypeInteger || err != nil {
		d.fail(i, ErrType)
	}
	return n
}

// seconds returns element i as a Duration, the longest there is when it is
// longer than that.
func (d *decoder) seconds(i int) time.Duration {
	const most = math.MaxInt64 / int64(time.Second)
	return time.Duration(max(-most, min(most, d.integer(i)))) * time.Second
}

// text returns element i, borrowed.
func (d *decoder) text(i int) []byte {
	if d.err != nil {
		return nil
	}
	if !isText(d.elements[i]) {
		d.fail(i, ErrType)
		return nil
	}
	return d.elements[i].Bytes()
}

// isText reports whether v is a string of any of the three kinds.
func isText(v parser.Value) bool {
	switch v.Type() {
	case parser.TypeBulkString, parser.TypeSimpleString, parser.TypeVerbatimString:
		return true
	}
	return false
}
