package goredis

import (
	"errors"
	"io"
	"strconv"
)

// errDiscard says that go-redis' reader does not do what this package takes it to
// do: it must not be used with this version of go-redis.
var errDiscard = errors.New("goredis: go-redis' reader did not discard what it was told to")

// reader is what this package needs of go-redis' internal reader, which is a
// bufio.Reader inside.
type reader interface {
	Peek(n int) ([]byte, error)
	Buffered() int
	Discard(line []byte) error
	ReadLine() ([]byte, error)
	Reset(rd io.Reader)
}

// source is a [parser.Source] in go-redis' reader. That has no way to discard a
// number of bytes; but its Discard is given the first line of a value and drops
// the rest of it, which for the line "$N" is N+2 bytes, whatever they are. What is
// discarded here is therefore owed to the reader, and paid before anybody else
// reads there, or more is read: two bytes or more in that way, at once for many
// pushes. A single byte is left over only when the last piece of a frame larger
// than the buffer is its final LF, which ReadLine takes, or when a time-out falls
// behind the first byte of such a piece; then it stays, and is paid with what
// comes next.
//
// Invariant: rd holds at least owed bytes.
type source struct {
	rd   reader
	owed int
	line [1 + 20]byte // kept here since what is passed to rd escapes
}

// Peek returns the next n bytes.
func (s *source) Peek(n int) ([]byte, error) {
	b, err := s.rd.Peek(s.owed + n)
	if len(b) <= s.owed {
		return nil, err
	}
	return b[s.owed:], err
}

// Buffered returns the number of bytes that can be had without reading.
func (s *source) Buffered() int { return s.rd.Buffered() - s.owed }

// Discard skips n buffered bytes. They stay where they are until settle.
func (s *source) Discard(n int) (int, error) {
	s.owed += n
	return n, nil
}

// window returns all that is buffered.
func (s *source) window() []byte {
	b, _ := s.Peek(s.Buffered())
	return b
}

// settle takes the bytes that are owed out of the reader.
func (s *source) settle() error {
	if s.owed == 0 {
		return nil
	}
	left := s.rd.Buffered() - s.owed
	if s.owed > 1 {
		line := strconv.AppendInt(append(s.line[:0], '$'), int64(s.owed-2), 10)
		if s.rd.Discard(line) != nil {
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
	s.owed = 0
	return nil
}

// more waits until there are more bytes than there are now. It returns
// bufio.ErrBufferFull when there is no room for more.
func (s *source) more() error {
	if err := s.settle(); err != nil {
		return err
	}
	_, err := s.rd.Peek(s.rd.Buffered() + 1)
	return err
}

// fail makes the reader return err for ever, and nothing of what it holds.
func (s *source) fail(err error) {
	s.owed = 0
	s.rd.Reset(failed{err})
}

// failed is a connection that gives nothing but an error.
type failed struct{ err error }

// Read returns the error.
func (f failed) Read([]byte) (int, error) { return 0, f.err }
