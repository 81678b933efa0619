package parser

import (
	"errors"
	"io"
	"math"
	"sync/atomic"

	"github.com/valyala/bytebufferpool"
)

// Source is a buffered reader whose buffer a [Reader] uses instead of its own,
// so that a client can go on reading its replies from it. *bufio.Reader is one.
// Peek returns the next n bytes without consuming them, and blocks until they
// have arrived. If it returns fewer, it also returns an error, which is
// bufio.ErrBufferFull when n is larger than the buffer. Discard does not fail
// for buffered bytes, and leaves them in place until the next Peek. Buffered
// returns the number of bytes that Peek returns without a read. A Source that
// has a method Size() int, the size of its buffer, lets [Driver.NextBuffered]
// take pushes larger than that.
type Source interface {
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
	Buffered() int
}

// DefaultBufferSize is the default maximum size in bytes of the buffer of a
// [Reader] without a Source: 64 KiB, less a few bytes behind it that are never
// read into.
const DefaultBufferSize = 64<<10 - spare

const minBufferSize = 16

// Option configures a [Reader].
type Option func(*Reader)

// WithLimits bounds the frames that the Reader returns.
func WithLimits(l Limits) Option { return func(r *Reader) { r.sc.limit(l) } }

// WithBufferSize sets the largest size in bytes of the Reader's own buffer, at
// least 16. The buffer begins small, grows when reads fill it, and shrinks when
// little arrives. A frame that does not fit goes to pooled memory and is
// returned all the same. A Reader that works in a [Source] has no buffer of its
// own.
func WithBufferSize(n int) Option { return func(r *Reader) { r.win.limit = max(n, minBufferSize) } }

// Reader reads the frames of one connection. What it returns is borrowed: it is
// valid until the next call on the Reader, unless a method says otherwise. A
// Reader belongs to one goroutine at a time, and allocates nothing per frame.
//
// With a [Source], a Reader consumes exactly the frames it returns, so that the
// client may read replies from the Source itself in between. A frame that Next,
// Skip or a method of [Driver] has begun and could not finish for lack of bytes
// stays in the Source as far as it fits. The next call goes on with it, unless
// the client has read it in the meantime. A frame larger than the Source's
// buffer is moved out of it piece by piece, as Pending reports. It belongs to
// the Reader until a further call has returned or dropped it.
//
// The offsets in errors count the bytes that this Reader has taken. These are
// the whole stream unless a client reads from the Source as well.
//
// doc.go has a map of the fields.
type Reader struct {
	win      window                     // what has been received
	sc       Scanner                    // the frame under way
	scanned  int                        // how many bytes of the window belong to it
	spill    *bytebufferpool.ByteBuffer // its bytes that are no longer in the window
	seen     *bytebufferpool.ByteBuffer // a copy of those in a Source, between calls
	expect   int                        // the size that spilled frames have lately had
	claim    claim
	lent     bool // a handler has the frame that was returned last
	quirk    bool // WithTrackingRedirBrokenQuirk
	messages bool // TakeMessages
	id       uint32
	err      error // sticky
}

// NewReader returns a Reader that reads from rd. If rd is a [Source], the
// Reader works in place in it and consumes nothing past the frames it returns.
// Otherwise the Reader has a buffer of its own.
func NewReader(rd io.Reader, opts ...Option) *Reader {
	r := newReader(opts)
	r.win.attach(rd)
	return r
}

// NewSourceReader returns a Reader that works in place in src. It is for a
// Source that is not an io.Reader. WithBufferSize has no effect on it.
func NewSourceReader(src Source, opts ...Option) *Reader {
	r := newReader(opts)
	r.win.attachSource(src)
	return r
}

// readers is the number of Readers made so far.
var readers atomic.Uint32

// newReader returns a Reader that is not attached to anything.
func newReader(opts []Option) *Reader {
	r := &Reader{id: readers.Add(1)}
	r.win.limit = DefaultBufferSize
	r.sc.limit(Limits{})
	for _, o := range opts {
		o(r)
	}
	return r
}

// Reset makes r read from rd, as NewReader does. rd must be at a boundary
// between frames. Reset keeps the options and the buffer, and drops everything
// else, including a sticky error. From inside a handler it fails the Reader
// with [ErrReentrant] instead.
func (r *Reader) Reset(rd io.Reader) {
	if r.clear() {
		r.win.attach(rd)
	}
}

// ResetSource is Reset for a Source that need not be an io.Reader, as in
// [NewSourceReader].
func (r *Reader) ResetSource(src Source) {
	if r.clear() {
		r.win.attachSource(src)
	}
}

// clear drops everything but the options and the buffer, and reports whether it
// did. It does not when the Reader is lent.
func (r *Reader) clear() bool {
	if r.lent {
		r.err = ErrReentrant
		return false
	}
	r.releaseFrame()
	r.sc.Reset()
	r.endFrame()
	r.err = nil
	return true
}

// Release gives the Reader's memory back. Buffered bytes are lost, so call it
// at the end of a connection. Reset makes the Reader usable again. From inside
// a handler it fails the Reader with [ErrReentrant] instead.
func (r *Reader) Release() {
	if r.clear() {
		r.win.attach(nil)
		r.win.release()
		r.sc.more = nil
	}
}

// Err returns the error that ended the stream, or nil: a [*SyntaxError], or a
// [*LimitError] that was not followed by SkipOversize. Every other call then
// returns that error too, until Reset. Errors of the underlying reader are not
// kept.
func (r *Reader) Err() error { return r.err }

// Buffered returns the number of bytes that have been received and not yet
// returned.
func (r *Reader) Buffered() int {
	n := r.win.len()
	if r.spill != nil && r.begun() {
		n += len(r.spill.B)
	}
	return n
}

// Pending returns the type of the frame that has been begun and not returned,
// as far as the Reader had to look. The type is 0 when there is no such frame
// or its type byte has not arrived. moved is the number of its bytes that are
// no longer in the Source. While moved is not 0, the next byte of the Source is
// in the middle of a frame.
func (r *Reader) Pending() (t Type, moved int) {
	if !r.begun() {
		return 0, 0
	}
	if r.win.shared() {
		moved = int(min(r.sc.pos-r.sc.start-int64(r.scanned), math.MaxInt))
	}
	return r.sc.typ, moved
}

// ready prepares r for a call that reads. It releases the frame that the last
// call returned, or returns the error that forbids another call.
func (r *Reader) ready() error {
	if r.clean() {
		return nil // as nearly always
	}
	switch {
	case r.lent:
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
// complete. It returns errors of the underlying reader unchanged, except that
// io.EOF inside a frame becomes io.ErrUnexpectedEOF. After a timeout the next
// call goes on where this one stopped. A malformed frame is a [*SyntaxError],
// one over a limit a [*LimitError]; see Err.
func (r *Reader) Next() (Frame, error) {
	if r.clean() {
		if f, ok := r.shortFrame(); ok {
			return f, nil
		}
	} else if err := r.ready(); err != nil {
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
// on its size. MaxFrame, MaxBulk and MaxElements do not apply, and MaxDepth
// applies only to streamed aggregates, as long as the announced values can be
// counted in an int64. Errors are as for Next. After a timeout inside the frame
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

// skipBuffered is skip for the bytes received.
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

// SkipOversize clears a [*LimitError]. The next calls drop the frame that broke
// the limit, as Skip does. SkipOversize does nothing when there is no error,
// and returns an error that cannot be cleared.
func (r *Reader) SkipOversize() error {
	var limit *LimitError
	switch {
	case r.lent:
		return ErrReentrant
	case r.err == nil:
		return nil
	case !errors.As(r.err, &limit) || r.claim == skipper:
		return r.err
	}
	// The Scanner begins the frame again; all of its bytes are still there.
	r.err = nil
	r.unscan()
	r.claim = skipper
	if r.spill != nil {
		_, _, r.err = r.sc.scan(r.spill.B, untilDropped)
	}
	return r.err
}

// PeekType returns the type of the next frame and consumes nothing. It looks
// past attributes, and reads until the type byte has arrived. The type byte of
// a RESP2 null is that of the bulk string or array it is sent as.
func (r *Reader) PeekType() (Type, error) {
	if err := r.peek(untilType); err != nil {
		return 0, err
	}
	t := r.sc.typ
	r.unpeek()
	return t, nil
}

// PeekPush reports whether the next frame is a push, and returns its name as
// [Frame.Name] does. It consumes nothing. It waits only for the type byte and
// the name of a push; the rest of the frame has not been checked. The name is
// valid until the next call.
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

// peek scans the next frame as far as u says, and reads as much as that needs.
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
// the frame may be gone before the next call, so it is scanned again. Elsewhere
// it need not be.
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
