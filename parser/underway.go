package parser

import (
	"bytes"
	"io"

	"github.com/seed79615202/respush/internal/bufpool"
)

// leastRead is the room in bytes that makes a read worthwhile.
const leastRead = 2 << 10

// claim says which methods continue the frame under way.
type claim uint8

const (
	unclaimed claim = iota // none: the frame has only been looked at
	taker                  // a method that takes the frame
	skipper                // Skip, whichever method is called next
)

// begun reports whether bytes of the frame under way have been scanned.
func (r *Reader) begun() bool { return r.sc.pos > r.sc.start }

// whole reports whether all bytes of the frame under way have been scanned.
func (r *Reader) whole() bool { return r.sc.ended && r.begun() }

// fresh reports whether the next frame has not been looked at and nothing
// prevents that.
func (r *Reader) fresh() bool {
	return r.sc.pos == r.sc.start && r.claim != skipper && !r.lent && r.err == nil
}

// clean reports whether r is fresh and holds no memory of the last frame, so
// that ready has nothing to do.
func (r *Reader) clean() bool { return r.fresh() && r.spill == nil }

// bytes returns the bytes of the frame under way that have been scanned.
func (r *Reader) bytes() []byte {
	if r.spill != nil {
		return r.spill.B
	}
	return r.win.bytes()[:r.scanned]
}

// scan scans the bytes of the window that have not been scanned, as far as u
// says, and reports whether the frame is whole.
func (r *Reader) scan(u until) (done bool, err error) {
	if r.whole() {
		return true, nil
	}
	if r.quirk && !(r.begun() && r.sc.reached(untilName)) {
		done, err = r.scanWindow(untilName | u&unlimited)
		named := r.sc.reached(untilName)
		r.mend()
		if done || err != nil || !named || u == untilType || u == untilName {
			return done, err
		}
	}
	return r.scanWindow(u)
}

// scanWindow is scan for a frame that is not whole and needs no mending.
func (r *Reader) scanWindow(u until) (done bool, err error) {
	w := r.win.bytes()
	n, done, err := r.sc.scan(w[r.scanned:], u)
	if r.spill == nil {
		r.scanned += n
		return done, err
	}
	r.spillBytes(w[:n])
	r.win.discard(n)
	return done, err
}

// shortFrame consumes the next frame and returns it, if it is plain, short and
// whole in the bytes received, as nearly all are. Nothing may be under way.
func (r *Reader) shortFrame() (f Frame, ok bool) {
	if !r.sc.plainOK || r.quirk {
		return Frame{}, false
	}
	w := r.win.bytes()
	if len(w) == 0 {
		return Frame{}, false
	}
	n, t := 0, Type(w[0])
	if t == TypePush {
		f, n = shortPush(w)
	} else if n, _ = plainReply(w, 0, maxShort); n > 0 {
		f = Frame{w[:n:n], frameMeta(t)}
	}
	if n == 0 || n > r.sc.lim.MaxFrame {
		return Frame{}, false
	}
	r.passed(n)
	return f, true
}

// take consumes the frame under way, which is whole, and returns it.
func (r *Reader) take() Frame {
	b := r.bytes()
	f := r.sc.frame(b[:len(b):len(b)])
	r.win.discard(r.scanned)
	r.endFrame()
	return f
}

// endFrame makes the next frame the one under way. The bytes of the last one
// stay where they are until releaseFrame.
func (r *Reader) endFrame() {
	r.sc.start = r.sc.pos
	r.scanned, r.claim = 0, unclaimed
	r.forgetSeen()
}

// drop consumes the scanned bytes of the frame under way.
func (r *Reader) drop() {
	r.releaseFrame()
	r.win.discard(r.scanned)
	r.scanned = 0
	r.forgetSeen()
}

// unscan makes the Reader forget what it has scanned of the frame under way,
// which is all in the window.
func (r *Reader) unscan() {
	r.sc.rewind()
	r.scanned, r.claim = 0, unclaimed
	r.forgetSeen()
}

// pause prepares for the end of a call in the middle of a frame. The client may
// read the Source before the next call, so pause copies the scanned bytes:
// nothing else proves that they are still there. A bufio.Reader that has been
// read and filled again can have as many bytes as before, at the same address.
func (r *Reader) pause() {
	if !r.win.shared() || r.scanned == 0 {
		return
	}
	if r.seen == nil {
		r.seen = bufpool.Get(r.scanned)
	}
	added := r.win.bytes()[len(r.seen.B):r.scanned]
	r.seen = bufpool.Grow(r.seen, len(added))
	r.seen.B = append(r.seen.B, added...)
}

// resume goes on where pause stopped. When the client has read the Source in
// between, it begins again at the bytes there now.
func (r *Reader) resume() {
	if r.seen != nil && !bytes.HasPrefix(r.win.bytes(), r.seen.B) {
		r.unscan()
	}
}

// forgetSeen gives back the copy that pause has made.
func (r *Reader) forgetSeen() {
	if r.seen != nil {
		bufpool.Put(r.seen)
		r.seen = nil
	}
}

// spillScanned moves the scanned bytes of the frame under way out of the
// window. The buffer begins with room for the size that such frames have lately
// had.
func (r *Reader) spillScanned() {
	if r.spill == nil {
		r.spill = bufpool.Get(r.expect)
	}
	r.spillBytes(r.win.bytes()[:r.scanned])
	r.win.discard(r.scanned)
	r.scanned = 0
	r.forgetSeen()
}

// spillBytes appends b to the bytes moved out of the window.
func (r *Reader) spillBytes(b []byte) {
	r.spill = bufpool.Grow(r.spill, len(b))
	r.spill.B = append(r.spill.B, b...)
}

// releaseFrame gives back the memory of a frame that was moved out of the
// window.
func (r *Reader) releaseFrame() {
	if r.spill != nil {
		r.expect = min(max(len(r.spill.B), r.expect-r.expect/8), bufpool.Max)
		bufpool.Put(r.spill)
		r.spill = nil
	}
}

// fill waits for bytes that have not been scanned. It returns the underlying
// reader's error when that ends first.
func (r *Reader) fill() error {
	if left := r.sc.bulkLeft(); left >= uint64(r.win.limit) && !r.win.shared() && r.claim != skipper {
		r.spillScanned() // the bulk does not fit anyway
		return r.fillBulk(left)
	}
	err := r.win.more()
	if err == errWindowFull && r.scanned > 0 {
		r.spillScanned()
		err = r.win.more()
	}
	return err
}

// fillBulk reads the bulk under way straight into the buffer of its frame, and
// no further. left is the number of bytes still to come.
func (r *Reader) fillBulk(left uint64) error {
	// Grow doubles a full buffer, so its size follows what has arrived and not
	// what was announced.
	r.spill = bufpool.Grow(r.spill, int(min(left, leastRead)))
	b := r.spill.B
	free := b[len(b):cap(b)]
	n, err := r.win.moreInto(free[:min(uint64(len(free)), left)])
	r.spill.B = b[:len(b)+n]
	_, _, _ = r.sc.scan(free[:n], untilEnd) // nothing inside a bulk can be wrong or end the frame
	if r.quirk {
		r.mend()
	}
	return err
}

// fail makes an error of the Scanner sticky and returns it.
func (r *Reader) fail(err error) error {
	r.err = err
	return err
}

// eofInside returns the error to report when the underlying reader has failed
// with err. It replaces io.EOF inside a frame with io.ErrUnexpectedEOF.
func (r *Reader) eofInside(err error) error {
	if err == io.EOF && r.begun() {
		return io.ErrUnexpectedEOF
	}
	return err
}
