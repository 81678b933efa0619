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

// A Decoder has the options and the files of Run.
type Decoder struct {
	Options
	Stdin  *os.File
	Stdout io.Writer // the frames
	Stderr io.Writer // errors in the inputs; on a terminal also the progress
}

// Run prints the frames of the files called names, one after the other. The
// name "-" stands for Stdin. When something is wrong with a file, Run reports
// it on Stderr with the name of the file, continues with the next file, and
// returns false in the end. When ctx ends, Run reports that and returns at
// once. The error that it returns is one of Stdout and has not been reported.
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

// A run is the state of Decoder.Run.
type run struct {
	Decoder
	ctx     context.Context
	out     *output.Writer
	printer printer
	bar     *progress.Bar
}

// flush writes what has been printed. On a terminal that may be the line of the
// progress bar.
func (r *run) flush() error {
	if r.out.Buffered() > 0 {
		r.bar.Hide()
	}
	return r.out.Flush()
}

// input prints one input. The problem is one of the input, and the error one of
// the output.
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
