package decode

import (
	"fmt"
	"io"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
)

// A summary prints the totals of each input, and those of all inputs if there
// are several.
type summary struct {
	Options
	out   io.Writer
	name  string
	one   totals
	all   totals
	count int
}

// allInputs stands in the place of the name for the sum of several inputs.
const allInputs = "total"

func (s *summary) begin(name string) error {
	s.name, s.one = name, totals{}
	return nil
}

func (s *summary) item(it item) error {
	if it.oversize() {
		s.one.large(it)
	} else {
		s.one.frame(it.frame)
	}
	return nil
}

func (s *summary) end(tail int64) error {
	s.one.tail = tail
	s.all.add(&s.one)
	s.count++
	return s.print(&s.one, s.name)
}

func (s *summary) close() error {
	if s.count < 2 || s.JSON { // a program adds up by itself
		return nil
	}
	return s.print(&s.all, fmt.Sprintf("%s of %d files", allInputs, s.count))
}

func (s *summary) print(t *totals, name string) error {
	if !s.JSON {
		return t.write(s.out, quote.Line(name))
	}
	return t.writeJSON(s.out, name)
}
