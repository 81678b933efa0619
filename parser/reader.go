package parser

import (
	"errors"
	"io"
	"math"

	"github.com/valyala/bytebufferpool"
)

// Source is a buffered reader whose buffer a [Reader] works in instead of its
// own, so that a client goes on reading its replies from the same place;
// *bufio.Reader is one. Peek returns the next n bytes without consuming them,
// blocking until they have arrived, and what there is of them with an error; it
// returns bufio.ErrBufferFull when n is beyond the buffer's size. Discard of
// bytes that are buffered does not fail, and leaves them in place until the next
// Peek. A Source that has a method Size() int, the size of its buffer, lets
// [Driver.BufferedPushes] take pushes larger than that.
type Source interface {
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
	Buffered() int
}

// DefaultBufferSize is the largest size in bytes of the buffer of a [Reader] that
// has no Source: 64 KiB, with the few bytes behind it that are never read into.
const DefaultBufferSize = 64<<10 - spare

const minBufferSize = 16

// Option configures a [Reader].
type Option func(*Reader)

// WithLimits bounds the frames the Reader hands out.
func WithLimits(l Limits) Option { return func(r *Reader) { r.sc.limit(l) } }

// WithBufferSize sets the largest size in bytes of the Reader's own buffer, at
// least 16. The buffer is small at first, and again when little arrives; reads
// that fill it make it grow. A frame that does not fit goes to pooled memory and is
// handed out all the same. A Reader that works in a [Source] has no buffer of its
// own.
func WithBufferSize(n int) Option { return func(r *Reader) { r.win.limit = max(n, minBufferSize) } }

// Reader takes the frames off one connection. What it hands out is borrowed:
// valid until the next call on the Reader, unless a method says otherwise. A
// Reader belongs to one goroutine at a time, and allocates nothing per frame.
//
// With a [Source] it consumes exactly the frames it handed out, so that the
// client may read replies from the Source itself in between. A frame that Next,
// Skip or a method of [Driver] has begun, and not finished for want of bytes,
// stays in the Source as far as it fits, and the next call goes on with it,
// unless the client has read it meanwhile. A frame larger than the Source's buffer
// is moved out of it piece by piece, as Pending tells; it belongs to the Reader
// until a further call has handed it out or dropped it.
//
// The offsets of errors count the bytes that this Reader has taken, which is all
// of the stream unless a client reads from the Source as well.
//
// doc.go has a map of the fields.
type Reader struct {
	win      window                     // what has been received
	sc       Scanner                    // the frame under way
	scanned  int                        // how many bytes of the window belong to it
	spill    *bytebufferpool.ByteBuffer // its bytes that are no longer in the window
	seen     *bytebufferpool.ByteBuffer // a copy of those in a Source, between calls
	expect   int                        // how many bytes spilled frames have lately come to
	claim    claim
	loan     loan
	quirk    bool  // WithTrackingRedirBrokenQuirk
	messages bool  // TakeMessages
	err      error // sticky
}

// NewReader returns a Reader of rd, which is used in place, and never read past
// a frame that was handed out, if it is a [Source]; otherwise the Reader buffers.
func NewReader(rd io.Reader, opts ...Option) *Reader {
	r := newReader(opts)
	r.win.attach(rd)
	return r
}

// NewSourceReader returns a Reader that works in place in src, for a Source that
// is no io.Reader. WithBufferSize has no effect on it.
func NewSourceReader(src Source, opts ...Option) *Reader {
	r := newReader(opts)
	r.win.attachSource(src)
	return r
}

// newReader returns a Reader of nothing.
func newReader(opts []Option) *Reader {
	r := new(Reader)
	r.win.limit = DefaultBufferSize
	r.sc.limit(Limits{})
	for _, o := range opts {
		o(r)
	}
	return r
}

// Reset makes r read from rd, as NewReader does, from a boundary between frames.
// It keeps the options and the buffer, and drops everything else, a sticky error
// too. From inside a handler it fails the Reader with [ErrReentrant] instead.
func (r *Reader) Reset(rd io.Reader) {
	if r.clear() {
		r.win.attach(rd)
	}
}

// ResetSource is Reset for a Reader made by [NewSourceReader], whose src may be
// no io.Reader.
func (r *Reader) ResetSource(src Source) {
	if r.clear() {
		r.win.attachSource(src)
	}
}

// clear drops everything but the options and the buffer, unless the Reader is
// lent.
func (r *Reader) clear() bool {
	if r.loan != notLent {
		r.err, r.loan = ErrReentrant, lent
		return false
	}
	r.releaseFrame()
	r.sc.Reset()
	r.endFrame()
	r.err = nil
	return true
}

// Release gives the Reader's memory back. Bytes that are buffered are lost with
// it, so that it is for the end of a connection; Reset makes the Reader usable
// again. From inside a handler it fails the Reader with [ErrReentrant] instead.
func (r *Reader) Release() {
	if r.clear() {
		r.win.attach(nil)
		r.win.release()
		r.sc.more = nil
	}
}

// Err returns the error that ended the stream, or nil: a [*SyntaxError], or a
// [*LimitError] that was not followed by SkipOversize. Every other call then
// returns it too, until Reset. Errors of the underlying reader are not kept.
func (r *Reader) Err() error { return r.err }

// Buffered returns the number of bytes that have been received and not yet
// handed out.
func (r *Reader) Buffered() int {
	n := r.win.len()
	if r.spill != nil && r.begun() {
		n += len(r.spill.B)
	}
	return n
}

// Pending returns the type of the frame that has been begun and not handed out,
// as far as the Reader had to look: 0 when there is none or its type byte has
// not come. moved is how many of its bytes are no longer in the Source: while it
// is not 0, the next byte of the Source is in the middle of a frame.
func (r *Reader) Pending() (t Type, moved int) {
	if !r.begun() {
		return 0, 0
	}
	if r.win.shared() {
		moved = int(min(r.sc.pos-r.sc.start-int64(r.scanned), math.MaxInt))
	}
	return r.sc.typ, moved
}

// ready prepares r for a call that reads: it takes back what was lent by the last
// one, or tells why there can be no further one.
func (r *Reader) ready() error {
	switch {
	case r.loan != notLent:
		return ErrReentrant
	case r.err != nil:
		return r.err
	case r.claim == skipper:
		return r.skip()
	case !r.begun():
		r.releaseFrame()
	}
	r.resume()
	return nil
}

// Next returns the next complete frame of any type. It reads until the frame is
// complete, and returns an error of the underlying reader as it is, but for
// io.EOF inside a frame, which becomes io.ErrUnexpectedEOF. After a time-out the
// next call goes on where this one stopped. A malformed frame is a
// [*SyntaxError], one over a limit a [*LimitError]; see Err.
func (r *Reader) Next() (Frame, error) {
	if err := r.ready(); err != nil {
		return Frame{}, err
	}
	for {
		done, err := r.scan(untilEnd)
		switch {
		case err != nil:
			return Frame{}, r.fail(err)
		case done:
			return r.take(), nil
		case r.begun():
			r.claim = taker
		}
		if err = r.fill(); err != nil {
			r.pause()
			return Frame{}, r.eofInside(err)
		}
	}
}

// Skip drops the next frame whatever its size, in memory that does not depend
// on it: MaxFrame, MaxBulk and MaxElements do not apply, and MaxDepth only to
// streamed aggregates, as long as the values announced can be counted in an
// int64. Errors are as for Next. After a time-out inside the frame
// the next Skip drops the rest of it, and any other method does so first.
func (r *Reader) Skip() error {
	skipping := r.claim == skipper
	if err := r.ready(); err != nil || skipping {
		return err
	}
	return r.skip()
}

// skip is Skip for a Reader that is ready.
func (r *Reader) skip() error {
	for {
		err := r.skipBuffered()
		if err != ErrIncomplete {
			return err
		}
		if err = r.fill(); err != nil {
			return r.eofInside(err)
		}
	}
}

// skipBuffered is skip for what has been received.
func (r *Reader) skipBuffered() error {
	done, err := r.scan(untilDropped)
	if err != nil {
		return r.fail(err)
	}
	if r.begun() {
		r.claim = skipper
	}
	if !done && r.mayMend() {
		return ErrIncomplete
	}
	r.drop()
	if !done {
		return ErrIncomplete
	}
	r.endFrame()
	return nil
}

// SkipOversize clears a [*LimitError]: the frame it was raised for is dropped by
// the next calls, as Skip does. It does nothing when there is no error, and
// returns any that cannot be cleared.
func (r *Reader) SkipOversize() error {
	var limit *LimitError
	switch {
	case r.loan != notLent:
		return ErrReentrant
	case r.err == nil:
		return nil
	case !errors.As(r.err, &limit) || r.claim == skipper:
		return r.err
	}
	// The Scanner begins the frame again, over bytes that are all there still.
	r.err = nil
	r.unscan()
	r.claim = skipper
	if r.spill != nil {
		_, _, r.err = r.sc.scan(r.spill.B, untilDropped)
	}
	return r.err
}

// PeekType returns the type of the next frame and consumes nothing. It looks
// past attributes, and reads until the type byte is there. The type byte of a
// RESP2 null is that of the bulk string or array it is sent as.
func (r *Reader) PeekType() (Type, error) {
	if err := r.peek(untilType); err != nil {
		return 0, err
	}
	t := r.sc.typ
	r.unpeek()
	return t, nil
}

// PeekPush reports whether the next frame is a push, and returns its name as
// [Frame.Name] does. It consumes nothing, and waits for nothing but the type
// byte and, of a push, the name; that the rest of the frame is valid is not yet
// known. The name is valid until the next call.
func (r *Reader) PeekPush() (name []byte, ok bool, err error) {
	if err := r.peek(untilName); err != nil {
		return nil, false, err
	}
	if ok = r.sc.typ == TypePush; ok {
		name = r.pendingName()
	}
	r.unpeek()
	return name, ok, nil
}

// peek scans the next frame as far as u says, reading what that needs.
func (r *Reader) peek(u until) error {
	if err := r.ready(); err != nil {
		return err
	}
	for {
		_, err := r.scan(u)
		switch {
		case err != nil:
			return r.fail(err)
		case r.sc.reached(u):
			return nil
		}
		if err = r.fill(); err != nil {
			r.pause()
			return r.eofInside(err)
		}
	}
}

// unpeek ends a call that has left the frame under way where it is. In a Source
// it may be gone before the next call. Elsewhere what has been scanned need not be
// scanned again.
func (r *Reader) unpeek() {
	if r.win.shared() && r.spill == nil && r.claim == unclaimed {
		r.unscan()
		return
	}
	r.pause()
}

// pendingName returns the name of the push that has been scanned so far.
func (r *Reader) pendingName() []byte {
	b := r.bytes()
	switch r.sc.naming {
	case nameKnown:
		return b[r.sc.nameAt:r.sc.nameEnd:r.sc.nameEnd]
	case nameStreamed:
		return joinChunks(b, int(r.sc.nameAt)+4)
	}
	return nil
}
