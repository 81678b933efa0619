package tail

import (
	"io"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/cmd/respush/internal/output"
	"github.com/seed79615202/respush/cmd/respush/internal/pushline"
	"github.com/seed79615202/respush/parser"
)

// A printer writes pushes as lines. flush writes them to the output, and so
// does a full buffer. One goroutine at a time may use it.
type printer struct {
	out    *output.Writer
	format pushline.Format
	line   []byte // reused from push to push
}

func newPrinter(out io.Writer, format pushline.Format) *printer {
	return &printer{out: output.NewWriter(out), format: format}
}

// print writes one line, with the node of a cluster that the push comes from
// unless node is empty.
func (p *printer) print(node string, push parser.Frame) error {
	p.line = p.format.Append(p.line[:0], node, push)
	_, err := p.out.Write(p.line)
	return err
}

// gap writes a line about a gap that begins.
func (p *printer) gap(of jsonline.Part, since time.Time, cause string) error {
	p.line = p.format.AppendGap(p.line[:0], of, since, cause)
	_, err := p.out.Write(p.line)
	return err
}

// armed writes a line about the end of a gap.
func (p *printer) armed(of jsonline.Part, since time.Time, lasted time.Duration) error {
	p.line = p.format.AppendArmed(p.line[:0], of, since, lasted)
	_, err := p.out.Write(p.line)
	return err
}

func (p *printer) flush() error { return p.out.Flush() }
