package decode

import (
	"errors"
	"math"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
	"github.com/seed79615202/respush/parser"
)

// A stream returns the frames of one input and their offsets.
//
// Invariant: next is the offset of the first byte after the last frame.
type stream struct {
	rd   *parser.Reader
	src  *source
	next int64
	name []byte // of the push under way, of any size; reused
}

// An item is a frame. For a frame that is larger or deeper than allowed, frame
// is the zero Frame, and name is the name of a push if it is known.
type item struct {
	offset int64
	size   int64
	frame  parser.Frame // borrowed until the next one is taken
	typ    parser.Type
	name   []byte // borrowed in the same way
	deep   bool   // its depth is over the limit, not its size
}

func (i item) oversize() bool { return i.frame.Type() == 0 }

// newStream returns the frames of src. Frames of more than maxFrame bytes are
// items without content. The stream calls flush before each read.
func newStream(src *source, maxFrame Size, flush func() error) *stream {
	// Only the size of a frame is limited, whatever it consists of.
	limits := parser.Limits{MaxFrame: int(maxFrame), MaxBulk: math.MaxInt, MaxElements: math.MaxInt}
	return &stream{
		rd:  parser.NewReader(output.FlushingReader{Reader: src, Flush: flush}, parser.WithLimits(limits)),
		src: src,
	}
}

// take returns the next frame. At the end of the input it returns io.EOF, or
// io.ErrUnexpectedEOF inside a frame.
func (s *stream) take() (item, error) {
	name, push, err := s.rd.PeekPush()
	if err == nil && push && name != nil {
		s.name = append(s.name[:0], name...)
		name = s.name
	}
	it := item{offset: s.next}
	if err == nil {
		it.frame, err = s.rd.Next()
	}
	var limit *parser.LimitError
	if errors.As(err, &limit) {
		it.typ, _ = s.rd.Pending()
		it.name, it.deep = name, limit.Limit == "MaxDepth"
		err = s.skip()
	} else {
		it.typ = it.frame.Type()
	}
	if err != nil {
		return item{}, err
	}
	s.next = s.src.count - int64(s.rd.Buffered())
	it.size = s.next - it.offset
	return it, nil
}

// skip drops the frame that is too large.
func (s *stream) skip() error {
	if err := s.rd.SkipOversize(); err != nil {
		return err
	}
	return s.rd.Skip()
}

// unfinished returns the type of the frame that has begun and the number of its
// bytes that have been read. The type is 0 if the type byte has not been read.
func (s *stream) unfinished() (typ parser.Type, size int64) {
	typ, _ = s.rd.Pending()
	return typ, s.src.count - s.next
}

// release returns the memory of s to its pool.
func (s *stream) release() { s.rd.Release() }
