package parser

import (
	"bytes"
	"io"

	"github.com/seed79615202/respush/internal/bufpool"
)

// leastRead is the room in bytes that makes a read worth while.
const leastRead = 2 << 10

// claim says who goes on with the frame under way.
type claim uint8

const (
	unclaimed claim = iota // nobody: it has only been looked at
	taker                  // a method that takes it
	skipper                // Skip, whatever is called next
)

// loan says in whose hands the frame is that was handed out last.
type loan uint8

const (
	notLent  loan = iota
	lent          // a handler's, since Lend
	lentOnce      // a handler's, since BufferedPushes called it: nothing has touched the Reader
)

// begun reports whether bytes of the frame under way have been scanned.
func (r *Reader) begun() bool { return r.sc.pos > r.sc.start }

// whole reports whether all bytes of the frame under way have been scanned.
func (r *Reader) whole() bool { return r.sc.ended && r.begun() }

// fresh reports whether the next frame has not been looked at, and nothing stands
// in the way of doing so.
func (r *Reader) fresh() bool {
	return r.sc.pos == r.sc.start && r.claim != skipper && r.loan == notLent && r.err == nil
}

// bytes returns the bytes of the frame under way that have been scanned.
func (r *Reader) bytes() []byte {
	if r.spill != nil {
		return r.spill.B
	}
	return r.win.bytes()[:r.scanned]
}

// scan looks at the bytes of the window that have not been scanned, as far as u
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

// scanWindow is scan for a frame that is not whole, and is as the server meant
// it.
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

// take consumes the frame under way, which is whole, and returns it.
func (r *Reader) take() Frame {
	b := r.bytes()
	f := r.sc.frame(b[:len(b):len(b)])
	r.win.discard(r.scanned)
	r.endFrame()
	return f
}

// endFrame makes what comes next the frame under way. The last one stays where it
// is until releaseFrame.
func (r *Reader) endFrame() {
	r.sc.start = r.sc.pos
	r.scanned, r.claim = 0, unclaimed
	r.forgetSeen()
}

// drop consumes what has been scanned of the frame under way.
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
// read the Source before the next call, so what has been scanned there is copied:
// nothing else proves that it is there still. A bufio.Reader that has been read
// and filled again can have as many bytes as before, at the same address.
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

// resume goes on where pause stopped, or, when the client has read the Source in
// between, at what is there now.
func (r *Reader) resume() {
	if r.seen != nil && !bytes.HasPrefix(r.win.bytes(), r.seen.B) {
		r.unscan()
	}
}

// forgetSeen gives back what pause has copied.
func (r *Reader) forgetSeen() {
	if r.seen != nil {
		bufpool.Put(r.seen)
		r.seen = nil
	}
}

// spillScanned moves what has been scanned of the frame under way out of the
// window. The buffer begins with room for as much as the last such frames came
// to.
func (r *Reader) spillScanned() {
	if r.spill == nil {
		r.spill = bufpool.Get(r.expect)
	}
	r.spillBytes(r.win.bytes()[:r.scanned])
	r.win.discard(r.scanned)
	r.scanned = 0
	r.forgetSeen()
}

// spillBytes adds b to what has been moved out of the window.
func (r *Reader) spillBytes(b []byte) {
	r.spill = bufpool.Grow(r.spill, len(b))
	r.spill.B = append(r.spill.B, b...)
}

// releaseFrame gives back the memory of a frame that was moved out of the window.
func (r *Reader) releaseFrame() {
	if r.spill != nil {
		r.expect = min(max(len(r.spill.B), r.expect-r.expect/8), bufpool.Max)
		bufpool.Put(r.spill)
		r.spill = nil
	}
}

// fill waits for bytes that have not been scanned. It returns the error of the
// underlying reader when that ends without any.
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

// fillBulk reads the bulk under way straight into the buffer of its frame, and no
// further. left bytes of it are to come.
func (r *Reader) fillBulk(left uint64) error {
	// Grow doubles a buffer that is full: its size follows what has come, not
	// what was announced.
	r.spill = bufpool.Grow(r.spill, int(min(left, leastRead)))
	b := r.spill.B
	free := b[len(b):cap(b)]
	n, err := r.win.moreInto(free[:min(uint64(len(free)), left)])
	r.spill.B = b[:len(b)+n]
	_, _, _ = r.sc.scan(free[:n], untilEnd) // in a bulk nothing can be wrong or end
	if r.quirk {
		r.mend()
	}
	return err
}

// fail makes an error of the Scanner sticky.
func (r *Reader) fail(err error) error {
	r.err = err
	return err
}

// eofInside returns the error for an underlying reader that has failed with err:
// an end inside a frame is not io.EOF.
func (r *Reader) eofInside(err error) error {
	if err == io.EOF && r.begun() {
		return io.ErrUnexpectedEOF
	}
	return err
}
