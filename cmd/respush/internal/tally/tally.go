// Package tally counts pushes by name.
package tally

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/parser"
)

// The limits of the names that are counted one by one. A server could send any
// number of names of any length.
const (
	maxNames = 100
	maxName  = 256
)

// A Row counts pushes and their bytes. The pushes are those called Name, or
// those without a name if Name is nil. With Others they are those whose names
// are too long or came after too many other names.
type Row struct {
	Name   []byte
	Others bool
	Pushes int
	Bytes  uint64
}

// Shown returns the subject of the row as one word.
func (r *Row) Shown() string {
	switch {
	case r.Others:
		return "(other-names)"
	case r.Name == nil:
		return "(no-name)"
	default:
		return quote.Name(r.Name)
	}
}

func (r *Row) add(pushes int, bytes uint64) {
	r.Pushes += pushes
	r.Bytes += bytes
}

// A Tally is a count of pushes. The zero value is empty. The sum over its rows
// is Pushes and Bytes. One goroutine at a time may use it.
type Tally struct {
	Pushes int
	Bytes  uint64

	named   map[string]*Row
	unnamed *Row // nil if there was none
	others  *Row // nil if there was none
}

// Add counts a push of size bytes. name is nil if it has none, and is not
// retained.
func (t *Tally) Add(name []byte, size uint64) {
	t.Pushes++
	t.Bytes += size
	t.row(name).add(1, size)
}

// AddFrame counts a push.
func (t *Tally) AddFrame(push parser.Frame) { t.Add(push.Name(), uint64(len(push.Raw()))) }

// AddTally adds the counts of other.
func (t *Tally) AddTally(other *Tally) {
	t.Pushes += other.Pushes
	t.Bytes += other.Bytes
	for _, from := range other.Rows() {
		if from.Others {
			t.other().add(from.Pushes, from.Bytes)
		} else {
			t.row(from.Name).add(from.Pushes, from.Bytes)
		}
	}
}

func (t *Tally) row(name []byte) *Row {
	if name == nil {
		if t.unnamed == nil {
			t.unnamed = &Row{}
		}
		return t.unnamed
	}
	if r := t.named[string(name)]; r != nil {
		return r
	}
	if len(t.named) >= maxNames || len(name) > maxName {
		return t.other()
	}
	if t.named == nil {
		t.named = map[string]*Row{}
	}
	r := &Row{Name: append([]byte{}, name...)}
	t.named[string(name)] = r
	return r
}

func (t *Tally) other() *Row {
	if t.others == nil {
		t.others = &Row{Others: true}
	}
	return t.others
}

// Rows returns the rows, the most frequent first.
func (t *Tally) Rows() []*Row {
	rows := make([]*Row, 0, len(t.named)+2)
	for _, r := range t.named {
		rows = append(rows, r)
	}
	for _, r := range []*Row{t.unnamed, t.others} {
		if r != nil {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b *Row) int {
		return cmp.Or(cmp.Compare(b.Pushes, a.Pushes), cmp.Compare(a.Shown(), b.Shown()), bytes.Compare(a.Name, b.Name))
	})
	return rows
}
