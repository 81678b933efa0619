// Package output writes to standard output, whose reader may stop reading at
// any time.
package output

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"syscall"
	"time"
)

// bufferSize is the number of bytes that are collected before a write.
const bufferSize = 64 << 10

// An Error is a failure to write.
type Error struct{ err error }

// Error describes the failure.
func (e *Error) Error() string { return "cannot write: " + e.err.Error() }

// Unwrap returns the error of the write.
func (e *Error) Unwrap() error { return e.err }

// failed returns err as an *Error, without the name of the file, which is that
// of a standard output and tells nothing.
func failed(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &Error{err}
}

// Closed reports whether err means that nobody reads the output any longer, as
// in respush tail | head.
func Closed(err error) bool {
	var output *Error
	return errors.As(err, &output) && (errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe))
}

// A Writer collects what is written to it. Its errors are of type *Error. One
// goroutine at a time may use it.
type Writer struct {
	buf *bufio.Writer
	out *timed
}

// NewWriter returns a Writer to out.
func NewWriter(out io.Writer) *Writer {
	w := &Writer{out: &timed{Writer: out}}
	w.buf = bufio.NewWriterSize(w.out, bufferSize)
	return w
}

// timed is a writer that measures how long its slowest write took.
type timed struct {
	io.Writer
	slowest time.Duration
}

func (t *timed) Write(p []byte) (int, error) {
	begun := time.Now()
	n, err := t.Writer.Write(p)
	t.slowest = max(t.slowest, time.Since(begun))
	return n, err
}

// Write collects p, and writes when the buffer is full.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.buf.Write(p)
	if err != nil {
		return n, failed(err)
	}
	return n, nil
}

// Flush writes the collected bytes.
func (w *Writer) Flush() error {
	if err := w.buf.Flush(); err != nil {
		return failed(err)
	}
	return nil
}

// Slowest returns the duration of the slowest write of collected bytes.
func (w *Writer) Slowest() time.Duration { return w.out.slowest }

// Buffered returns the number of bytes that wait to be written.
func (w *Writer) Buffered() int { return w.buf.Buffered() }

// A FlushingReader calls Flush before each read, so that what has been printed
// is visible before a wait begins. An error of Flush is returned by Read.
type FlushingReader struct {
	io.Reader
	Flush func() error
}

// Read flushes, and then reads.
func (r FlushingReader) Read(p []byte) (int, error) {
	if err := r.Flush(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
