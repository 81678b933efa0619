package goredis

import (
	"errors"
	"io"
	"strconv"
)

// errDiscard says that go-redis' reader does not do what this package takes it to
// do: it must not be used with this version of go-redis.
var errDiscard = errors.New("goredis: go-redis' reader did not discard what it was told to")

// discardLines has, for each number of bytes of a usual push, the line that makes
// go-redis' Discard skip as many. Nobody writes to it. It saves formatting the
// line, and memory on the heap for it where there is no source (BenchmarkPushAlone).
var discardLines = func() (lines [1 << 10][]byte) {
	var all []byte
	for n := 2; n < len(lines); n++ {
		from := len(all)
		all = strconv.AppendInt(append(all, '$'), int64(n-2), 10)
		lines[n] = all[from:len(all):len(all)]
	}
	return lines
}()

// reader is what this package needs of go-redis' internal reader, which is a
// bufio.Reader inside.
type reader interface {
	Peek(n int) ([]byte, error)
	Buffered() int
	Discard(line []byte) error
	ReadLine() ([]byte, error)
	Reset(rd io.Reader)
}

// source is a [parser.Source] in go-redis' reader. That has no method that
// discards a number of bytes. But its Discard is given the first line of a value
// and drops the rest of that value, which for the line "$N" is N+2 bytes, whatever
// they are (see discardLines). A single byte cannot be discarded so. If it is an
// LF, ReadLine takes it. Any other stays undiscarded in the reader until the bytes
// behind it are discarded as well, or the session is parked and the reader held:
// it is the first byte of a piece of a frame larger than the buffer, after which
// the connection has timed out.
//
// Invariant: rd begins with undiscarded bytes, at most one between calls of
// Discard unless failed is set. failed is sticky until the source is reset.
type source struct {
	rd          reader
	undiscarded int
	failed      error
	line        [1 + 20]byte // kept here since what is passed to rd escapes
}

// Peek returns the next n bytes.
func (s *source) Peek(n int) ([]byte, error) {
	if s.failed != nil {
		return nil, s.failed
	}
	b, err := s.rd.Peek(s.undiscarded + n)
	if len(b) <= s.undiscarded {
		return nil, err
	}
	return b[s.undiscarded:], err
}

// Buffered returns the number of bytes that can be had without reading.
func (s *source) Buffered() int {
	if s.failed != nil {
		return 0
	}
	return s.rd.Buffered() - s.undiscarded
}

// Discard skips n buffered bytes, so that a handler that reads in go-redis'
// buffer finds what is behind its push. They stay where they are until more is
// read. When go-redis' reader fails to discard them, there are no more bytes.
func (s *source) Discard(n int) (int, error) {
	if s.failed == nil {
		s.undiscarded += n
		s.failed = s.settle()
	}
	return n, nil
}

// window returns all that is buffered.
func (s *source) window() []byte {
	b, _ := s.Peek(s.Buffered())
	return b
}

// settle discards what is undiscarded, if that can be done.
func (s *source) settle() error {
	if s.undiscarded == 0 {
		return nil
	}
	left := s.rd.Buffered() - s.undiscarded
	if s.undiscarded > 1 {
		if s.rd.Discard(s.discardLine(s.undiscarded)) != nil {
			return errDiscard
		}
	} else if b, _ := s.rd.Peek(1); b[0] == '\n' {
		_, _ = s.rd.ReadLine() // which says that this is no line, having read it
	} else {
		return nil
	}
	if s.rd.Buffered() != left {
		return errDiscard
	}
	s.undiscarded = 0
	return nil
}

// discardLine returns the line that makes rd discard n bytes, at least two.
func (s *source) discardLine(n int) []byte {
	if n < len(discardLines) {
		return discardLines[n]
	}
	return strconv.AppendInt(append(s.line[:0], '$'), int64(n-2), 10)
}

// more waits until there are more bytes than there are now. It returns
// bufio.ErrBufferFull when there is no room for more.
func (s *source) more() error {
	if s.failed != nil {
		return s.failed
	}
	_, err := s.rd.Peek(s.rd.Buffered() + 1)
	return err
}

// fail makes the reader return err for ever, and nothing of what it holds.
func (s *source) fail(err error) {
	s.undiscarded, s.failed = 0, nil
	s.rd.Reset(failed{err})
}

// failed is a connection that gives nothing but an error.
type failed struct{ err error }

// Read returns the error.
func (f failed) Read([]byte) (int, error) { return 0, f.err }
