package parser

import (
	"bufio"
	"errors"
	"io"
	"math"
	"os"
	"time"

	"github.com/valyala/bytebufferpool"
)

// Source is a buffered reader whose buffer a [Reader] works in instead of its
// own, so that a client goes on reading its replies from the same place;
// *bufio.Reader is one. Peek returns the next n bytes without consuming them,
// blocking until they have arrived, and what there is of them with an error; it
// returns bufio.ErrBufferFull when n is beyond the buffer's size. Discard of
// bytes that are buffered does not fail, and leaves them in place until the next
// Peek. A Source that has a method Size() int, the size of its buffer, lets
// [Reader.BufferedPush] take pushes larger than that.
type Source interface {
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
	Buffered() int
}

// DefaultBufferSize is the size in bytes of the buffer of a [Reader] that has
// no Source.
const DefaultBufferSize = 64 << 10

const minBufferSize = 16

// Option configures a [Reader].
type Option func(*Reader)

// WithLimits bounds the frames the Reader hands out.
func WithLimits(l Limits) Option { return func(r *Reader) { r.sc.limit(l) } }

// WithBufferSize sets the size in bytes of the Reader's own buffer, at least 16.
// A frame that does not fit goes to pooled memory and is handed out all the same.
// A Reader that works in a [Source] has no buffer of its own.
func WithBufferSize(n int) Option { return func(r *Reader) { r.size = max(n, minBufferSize) } }

// Reader takes the frames off one connection. What it hands out is borrowed:
// valid until the next call on the Reader, unless a method says otherwise. A
// Reader belongs to one goroutine at a time, and allocates nothing per frame.
//
// With a [Source] it consumes exactly the frames it handed out, so that the
// client may read replies from the Source itself in between. A frame that Next,
// Skip or the taking of a push has begun, and not finished for want of bytes,
// belongs to the Reader until a further call has handed it out or dropped it; one
// larger than the Source's buffer is moved out of it piece by piece meanwhile, as
// Pending tells. What was only peeked at belongs to whoever reads it first.
//
// Invariant: the frame under way is moved.B if moved is not nil, followed by the
// first scanned bytes of the window, and all of that has been scanned. The
// window is what the Source, or buf[r:w], holds.
//
// More of it: taking only while a frame is begun or whole; given only with moved
// set and idle false; idle only at a boundary with nothing begun, whole, moved,
// skipped or failed; a failed Scanner only with err set, or for a frame that a
// peek has left where it is.
//
// The offsets of errors count the bytes that this Reader has taken, which is all
// of the stream unless a client reads from the Source as well.
type Reader struct {
	sc      Scanner
	src     Source        // not nil: works in place
	bufio   *bufio.Reader // src if it is one
	rd      io.Reader     // otherwise reads from here into buf
	buf     []byte
	r       int // buf[r:w] is unread
	w       int
	size    int   // of buf, which is made when it is needed
	readErr error // of the last read, to be reported when the bytes before it are used up

	idle    bool // at a boundary, nothing scanned, moved, skipped or failed
	scanned int
	whole   bool                       // all of the frame has been scanned
	moved   *bytebufferpool.ByteBuffer // holds a frame larger than the buffer
	expect  int                        // bytes that such frames have lately come to
	given   bool                       // moved holds a frame that has been handed out
	taking  bool                       // a frame has been begun that this Reader will take
	lent    bool
	quirk   bool  // WithTrackingRedirBrokenQuirk
	err     error // sticky
}

// NewReader returns a Reader of rd, which is used in place, and never read past
// a frame that was handed out, if it is a [Source]; otherwise the Reader buffers.
func NewReader(rd io.Reader, opts ...Option) *Reader {
	r := &Reader{size: DefaultBufferSize}
	r.sc.limit(Limits{})
	for _, o := range opts {
		o(r)
	}
	r.attach(rd)
	return r
}

// NewSourceReader returns a Reader that works in place in src, for a Source that
// is no io.Reader. WithBufferSize has no effect on it.
func NewSourceReader(src Source, opts ...Option) *Reader {
	r := NewReader(nil, opts...)
	r.src = src
	return r
}

// attach makes rd what r reads from.
func (r *Reader) attach(rd io.Reader) {
	r.src, r.bufio, r.rd = nil, nil, rd
	if src, ok := rd.(Source); ok {
		r.src = src
		r.bufio, _ = rd.(*bufio.Reader)
	}
}

// Reset makes r read from rd, as NewReader does, from a boundary between frames.
// It keeps the options and the buffer, and drops everything else, a sticky error
// too. From inside a handler it fails the Reader with [ErrReentrant] instead.
func (r *Reader) Reset(rd io.Reader) {
	if r.clear() {
		r.attach(rd)
	}
}

// ResetSource is Reset for a Reader made by [NewSourceReader], whose src may be
// no io.Reader.
func (r *Reader) ResetSource(src Source) {
	if r.clear() {
		r.src, r.bufio, r.rd = src, nil, nil
	}
}

// clear drops everything but the options and the buffer, unless the Reader is lent.
func (r *Reader) clear() bool {
	if r.lent {
		r.err, r.idle = ErrReentrant, false
		return false
	}
	r.giveBack()
	r.idle = false
	r.sc.Reset()
	r.r, r.w, r.scanned = 0, 0, 0
	r.whole, r.taking, r.readErr, r.err = false, false, nil, nil
	return true
}

// Release gives the Reader's memory back. Bytes that are buffered are lost with
// it, so that it is for the end of a connection; Reset makes the Reader usable
// again. From inside a handler it fails the Reader with [ErrReentrant] instead.
func (r *Reader) Release() {
	r.Reset(nil)
	if !r.lent {
		r.buf, r.sc.more = nil, nil
	}
}

// Err returns the error that ended the stream, or nil: a [*SyntaxError], or a
// [*LimitError] that was not followed by SkipOversize. Every other call then
// returns it too, until Reset. Errors of the underlying reader are not kept.
func (r *Reader) Err() error { return r.err }

// Buffered returns the number of bytes that have been received and not yet
// handed out.
func (r *Reader) Buffered() int {
	n := r.w - r.r
	if r.src != nil {
		n = r.src.Buffered()
	}
	if r.moved != nil && !r.given {
		n += len(r.moved.B)
	}
	return n
}

// Pending returns the type of the frame that has been begun and not handed out,
// as far as the Reader had to look: 0 when there is none or its type byte has
// not come. moved is how many of its bytes are no longer in the Source: while it
// is not 0, the next byte of the Source is in the middle of a frame.
func (r *Reader) Pending() (t Type, moved int) {
	if !r.sc.begun() && !r.whole {
		return 0, 0
	}
	switch {
	case r.src == nil:
	case r.sc.skip:
		moved = int(min(r.sc.pos-r.sc.start-int64(r.scanned), math.MaxInt)) // dropped
	case r.moved != nil:
		moved = len(r.moved.B)
	}
	return r.sc.typ, moved
}

// ready prepares r for a call: it takes back what was lent by the last one, or
// tells why there can be no further one.
func (r *Reader) ready() error {
	if r.lent {
		return ErrReentrant
	}
	r.idle = false
	if r.err != nil {
		return r.err
	}
	if r.sc.skip {
		return r.skip()
	}
	if r.given {
		r.giveBack()
	}
	if r.src != nil && r.scanned > r.src.Buffered() {
		// The client has read what was the Reader's; at least begin anew.
		r.sc.rewind()
		r.scanned, r.whole, r.taking = 0, false, false
	}
	r.forget()
	return nil
}

// SetReadDeadline sets the read deadline of what the Reader reads from, and
// returns os.ErrNoDeadline when that has none. It may be called while another
// goroutine uses the Reader, but not during Reset or Release.
func (r *Reader) SetReadDeadline(t time.Time) error {
	from := any(r.rd)
	if r.src != nil {
		from = r.src
	}
	if c, ok := from.(interface{ SetReadDeadline(time.Time) error }); ok {
		return c.SetReadDeadline(t)
	}
	return os.ErrNoDeadline
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
	r.taking = true
	for {
		done, err := r.scan(untilEnd)
		if err != nil {
			return Frame{}, r.fail(err)
		}
		if done {
			return r.take(), nil
		}
		if err = r.fill(); err != nil {
			return Frame{}, r.cut(err)
		}
	}
}

// Skip drops the next frame whatever its size, in memory that does not depend
// on it: MaxFrame, MaxBulk and MaxElements do not apply, and MaxDepth only to
// streamed aggregates, as long as the values announced can be counted in an
// int64. Errors are as for Next. After a time-out inside the frame
// the next Skip drops the rest of it, and any other method does so first.
func (r *Reader) Skip() error {
	skipping := r.sc.skip
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
			r.sc.skip = r.sc.begun()
			return r.cut(err)
		}
	}
}

// skipBuffered is skip for what has been received.
func (r *Reader) skipBuffered() error {
	if r.sc.err != nil {
		r.restart() // a peek met a limit that does not hold here
	}
	r.taking, r.sc.skip = true, true
	done, err := r.scan(untilEnd)
	if err != nil {
		return r.fail(err)
	}
	if !done && r.mayMend() {
		return ErrIncomplete
	}
	r.drop()
	if !done {
		return ErrIncomplete
	}
	r.taking, r.sc.skip = false, false
	return nil
}

// SkipOversize clears a [*LimitError]: the frame it was raised for is dropped by
// the next calls, as Skip does. It does nothing when there is no error, and
// returns any that cannot be cleared.
func (r *Reader) SkipOversize() error {
	var limit *LimitError
	switch {
	case r.lent:
		return ErrReentrant
	case r.err == nil:
		return nil
	case !errors.As(r.err, &limit) || r.sc.skip:
		return r.err
	}
	r.restart()
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
	r.forget()
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
	r.forget()
	return name, ok, nil
}

// peek scans the next frame as far as u says, reading what that needs.
func (r *Reader) peek(u until) error {
	if err := r.ready(); err != nil {
		return err
	}
	for {
		done, err := r.scan(u)
		r.whole = done
		switch {
		case r.sc.reached(u):
			r.sc.err = nil // a limit is met again by who takes the frame
			return nil
		case err != nil:
			return r.fail(err)
		}
		if err = r.fill(); err != nil {
			return r.cut(err)
		}
	}
}

// pendingName returns the name of the push that has been scanned so far.
func (r *Reader) pendingName() []byte {
	b := r.pendingBytes()
	switch r.sc.naming {
	case nameKnown:
		return b[r.sc.nameAt:r.sc.nameEnd:r.sc.nameEnd]
	case nameStreamed:
		return joinChunks(b, int(r.sc.nameAt)+4)
	}
	return nil
}
