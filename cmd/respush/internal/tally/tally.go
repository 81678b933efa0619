// Package tally counts pushes by name.
package tally

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/parser"
)

// What bounds the names that are counted one by one: a server could send any
// number of them, of any length in bytes.
const (
	maxNames = 100
	maxName  = 256
)

// A Row counts pushes and their bytes: those called Name, those without a name
// if it is nil, or, with Others, those whose names are too long, or came when
// there were too many already.
type Row struct {
	Name   []byte
	Others bool
	Pushes int
	Bytes  uint64
}

// Shown returns what the row is about, as one word.
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
	unnamed *Row // nil: none came
	others  *Row // likewise
}

// Add counts a push called name, nil for none, of size bytes. It keeps nothing
// of name.
func (t *Tally) Add(name []byte, size uint64) {
	t.Pushes++
	t.Bytes += size
	t.row(name).add(1, size)
}

// AddFrame counts a push.
func (t *Tally) AddFrame(push parser.Frame) { t.Add(push.Name(), uint64(len(push.Raw()))) }

// AddTally counts what other has counted.
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
