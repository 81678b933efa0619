package decode

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/seed79615202/respush/cmd/respush/internal/progress"
)

// stdin is the name of standard input.
const stdin = "-"

// magic is the beginning of gzip data. No frame begins with it.
const magic = "\x1f\x8b"

// A sourceError is a failure to read an input. It has nothing to do with
// frames.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// A source reads and decompresses one input.
//
// Invariant: count bytes have been read. Every error except io.EOF is a
// *sourceError.
type source struct {
	rd    io.Reader
	file  *os.File
	close func() // releases what the reading uses
	count int64
}

// open opens the input called name. When ctx ends, open and every Read,
// including one that waits, return at once with the error of ctx.
func open(ctx context.Context, name string, in *os.File, bar *progress.Bar) (*source, error) {
	s := &source{file: in, close: func() {}}
	if name != stdin {
		var err error
		if s.file, err = openFile(ctx, name); err != nil {
			return nil, err
		}
		s.close = func() { _ = s.file.Close() } // it was only read
	}
	rd, err := s.raw(ctx, bar)
	if err == nil {
		s.rd, err = unzip(rd)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// openFile opens a file for reading. The call may wait forever, for example for
// a named pipe that nobody writes to. So it runs on a goroutine of its own,
// which ends with that wait or with the process.
func openFile(ctx context.Context, name string) (*os.File, error) {
	var file *os.File
	opened := make(chan error, 1)
	go func() {
		var err error
		file, err = os.Open(name)
		opened <- err
	}()
	select {
	case err := <-opened:
		return file, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// raw returns a reader of the bytes in the file.
func (s *source) raw(ctx context.Context, bar *progress.Bar) (io.Reader, error) {
	info, err := s.file.Stat()
	if err != nil {
		return nil, err
	}
	rd := &rawReader{ctx: ctx, rd: s.file, bar: bar}
	switch {
	case info.Mode().IsRegular():
		return rd, nil
	case info.IsDir():
		return nil, syscall.EISDIR // before totals of it are printed
	}
	// A read may wait forever, so it runs on a goroutine of its own, which ends
	// with the input or the process.
	in, out := io.Pipe()
	file, closeFile := s.file, s.close
	go func() {
		_, err := io.Copy(out, file)
		out.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	s.close = func() {
		stop()
		in.Close()
		closeFile()
	}
	rd.rd = in
	return rd, nil
}

// unzip returns a reader of rd that decompresses gzip data and passes on any
// other.
func unzip(rd io.Reader) (io.Reader, error) {
	buf := bufio.NewReader(rd) // smaller than the reads to come, which bypass it
	if head, err := buf.Peek(len(magic)); err != nil || string(head) != magic {
		return buf, nil // Read returns the error
	}
	return gzip.NewReader(buf)
}

// Read reads the decompressed input.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.rd.Read(p)
	s.count += int64(n)
	if err != nil && err != io.EOF {
		err = &sourceError{err}
	}
	return n, err
}

// A rawReader reads from rd until ctx ends, and reports its progress to bar.
type rawReader struct {
	ctx context.Context
	rd  io.Reader
	bar *progress.Bar
}

func (r *rawReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.rd.Read(p)
	r.bar.Add(n)
	return n, err
}

// size returns the number of bytes to read in all the inputs called names, as
// they are stored. It returns -1 if that is not known.
func size(names []string, in *os.File) int64 {
	var total int64
	for _, name := range names {
		stat := in.Stat
		if name != stdin {
			stat = func() (fs.FileInfo, error) { return os.Stat(name) }
		}
		info, err := stat()
		switch {
		case err != nil:
			continue // it will be told, and nothing read
		case !info.Mode().IsRegular():
			return -1
		}
		total += info.Size()
	}
	return total
}
