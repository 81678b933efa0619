package tail

import (
	"io"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/cmd/respush/internal/output"
	"github.com/seed79615202/respush/cmd/respush/internal/textline"
	"github.com/seed79615202/respush/parser"
)

// A printer writes pushes as lines. They reach the output with flush, at the
// latest when the buffer is full. One goroutine at a time may use it.
type printer struct {
	out  *output.Writer
	json bool
	line []byte // reused from push to push
}

func newPrinter(out io.Writer, json bool) *printer {
	return &printer{out: output.NewWriter(out), json: json}
}

// print writes one line.
func (p *printer) print(push parser.Frame) error {
	if p.json {
		p.line = jsonline.Push(p.line[:0], time.Now(), "", push)
	} else {
		p.line = textline.Append(p.line[:0], time.Now(), "", push)
	}
	_, err := p.out.Write(p.line)
	return err
}

func (p *printer) flush() error { return p.out.Flush() }
