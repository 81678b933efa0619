package tail

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/describe"
	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/parser"
)

// nameColumn fits the names that come most; longer ones push their line along.
const nameColumn = 10

// clock is how a line begins: the day does not change often enough to tell.
const clock = "15:04:05.000"

// A printer writes pushes as lines. They reach the output with flush, at the
// latest when the buffer is full. One goroutine at a time may use it.
type printer struct {
	out  *bufio.Writer
	json bool
	now  func() time.Time
	line []byte // reused from push to push
}

func newPrinter(out io.Writer, json bool) *printer {
	return &printer{out: bufio.NewWriterSize(out, 64<<10), json: json, now: time.Now}
}

// print writes one line. Its error is the output's, or that of a push that
// could not be put into JSON.
func (p *printer) print(push parser.Frame) error {
	var err error
	if p.json {
		p.line, err = jsonline.Append(p.line[:0], p.now(), push)
		if err != nil {
			return err
		}
	} else {
		name, words, _ := strings.Cut(describe.Describe(push), "  ")
		p.line = fmt.Appendf(p.line[:0], "%s  %-*s  %s\n", p.now().Format(clock), nameColumn, name, words)
	}
	_, err = p.out.Write(p.line)
	return err
}

func (p *printer) flush() error { return p.out.Flush() }

// A flushingReader calls flush before it reads on: whatever was printed is out
// before the wait for more begins.
type flushingReader struct {
	rd    io.Reader
	flush func() error
}

func (r flushingReader) Read(p []byte) (int, error) {
	if err := r.flush(); err != nil {
		return 0, err
	}
	return r.rd.Read(p)
}
