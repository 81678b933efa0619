// Package decode prints the frames of captured streams.
package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
	"github.com/seed79615202/respush/cmd/respush/internal/progress"
	"github.com/seed79615202/respush/cmd/respush/internal/quote"
)

// A Decoder is what Run needs.
type Decoder struct {
	Options
	Stdin  *os.File
	Stdout io.Writer // the frames
	Stderr io.Writer // what is wrong with them; and how far they have been read, if it is a terminal
}

// Run prints the frames of the files called names, "-" being Stdin, one after
// the other. It tells on Stderr what is wrong with one, names it and goes on with
// the next, and returns false in the end; when ctx ends it tells that and returns
// at once. An error is that of Stdout, and is not told.
func (d Decoder) Run(ctx context.Context, names []string) (ok bool, err error) {
	r := &run{
		Decoder: d,
		ctx:     ctx,
		out:     output.NewWriter(d.Stdout),
		bar:     progress.New(d.Stderr, size(names, d.Stdin)),
	}
	defer r.bar.Hide()
	r.printer = &listing{Options: d.Options, out: r.out, several: len(names) > 1}
	if d.Summary {
		r.printer = &summary{Options: d.Options, out: r.out}
	}
	ok = true
	for _, name := range names {
		problem, err := r.input(name)
		if err != nil {
			return false, err
		}
		if err := r.flush(); err != nil {
			return false, err
		}
		if problem != nil {
			ok = false
			r.bar.Hide()
			fmt.Fprintf(d.Stderr, "respush: %s: %s\n", quote.Line(name), quote.Line(problem.Error()))
			if ctx.Err() != nil {
				return false, nil
			}
		}
	}
	if err := r.printer.close(); err != nil {
		return false, err
	}
	return ok, r.flush()
}

// A run is a Decoder at work.
type run struct {
	Decoder
	ctx     context.Context
	out     *output.Writer
	printer printer
	bar     *progress.Bar
}

// flush writes what has been printed, which may be to the line of the bar.
func (r *run) flush() error {
	if r.out.Buffered() > 0 {
		r.bar.Hide()
	}
	return r.out.Flush()
}

// input prints one input. A problem is of the input, an error of the output.
func (r *run) input(name string) (problem, err error) {
	src, err := open(r.ctx, name, r.Stdin, r.bar)
	if err != nil {
		return unreadable(err, 0), nil
	}
	defer src.close()
	if err := r.printer.begin(name); err != nil {
		return nil, err
	}
	s := newStream(src, r.MaxFrame, r.flush)
	defer s.release()
	for {
		it, err := s.take()
		if err == nil {
			if err := r.printer.item(it); err != nil {
				return nil, err
			}
			continue
		}
		var failed *output.Error
		if errors.As(err, &failed) {
			return nil, err
		}
		var tail int64
		if err == io.ErrUnexpectedEOF {
			_, tail = s.unfinished()
		}
		if err != io.EOF {
			problem = s.problem(err)
		}
		return problem, r.printer.end(tail)
	}
}
