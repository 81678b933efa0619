package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/seed79615202/respush/parser"
)

// problem describes why the frames of s ended early, and where.
func (s *stream) problem(err error) error {
	var source *sourceError
	var syntax *parser.SyntaxError
	var limit *parser.LimitError
	switch {
	case errors.As(err, &source):
		return unreadable(source.err, s.src.count)
	case errors.As(err, &syntax):
		where := s.within()
		if syntax.Offset == s.next {
			where = ""
		}
		return fmt.Errorf("malformed at offset %d: %w%s", syntax.Offset, syntax.Err, where)
	case errors.As(err, &limit):
		return fmt.Errorf("nested too deep at offset %d: more than %d levels%s", limit.Offset, parser.DefaultMaxDepth, s.within())
	case err == io.ErrUnexpectedEOF:
		_, size := s.unfinished()
		return fmt.Errorf("cut short at offset %d: the last %d bytes do not make a whole frame%s", s.src.count, size, s.within())
	default:
		return err
	}
}

// within describes the frame that has begun, if there is one.
func (s *stream) within() string {
	switch typ, size := s.unfinished(); {
	case size == 0:
		return ""
	case typ == 0:
		return fmt.Sprintf(" (in the frame that begins at %d)", s.next)
	default:
		return fmt.Sprintf(" (in the %v that begins at %d)", typ, s.next)
	}
}

// unreadable describes why an input could not be read. count is the number of
// bytes that had been read and decompressed before.
func unreadable(err error, count int64) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted at offset %d", count)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("compressed data cut short behind offset %d", count)
	case count == 0:
		return bare(err)
	default:
		return fmt.Errorf("cannot read on at offset %d: %w", count, bare(err))
	}
}

// bare returns err without the name of the file, which the caller adds.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
