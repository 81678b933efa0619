package parser

import (
	"bufio"
	"io"

	"github.com/seed79615202/respush/internal/bufpool"
)

// leastRead is the room that makes a read worth while, in bytes.
const leastRead = 2 << 10

// window returns the bytes that are buffered, from the start of the frame under
// way or from where its moved part ends.
func (r *Reader) window() []byte {
	if r.src == nil {
		return r.buf[r.r:r.w]
	}
	// They are there, so it cannot fail. A bufio.Reader is called directly, and
	// not through the interface (BenchmarkProcess/frame=N0/source=bufio).
	if r.bufio != nil {
		b, _ := r.bufio.Peek(r.bufio.Buffered())
		return b
	}
	b, _ := r.src.Peek(r.src.Buffered())
	return b[:len(b):len(b)] // the fast path is not to load what is behind it
}

// advance takes n bytes off the window.
func (r *Reader) advance(n int) {
	if r.src == nil {
		r.r += n
		return
	}
	_, _ = r.src.Discard(n) // cannot fail: they are there
}

// scan looks at the part of the window that has not been scanned, as far as u
// says, and reports whether the frame is complete.
func (r *Reader) scan(u until) (done bool, err error) {
	if r.whole {
		return true, nil
	}
	if r.quirk && !(r.sc.begun() && r.sc.reached(untilName)) {
		done, err = r.scanWindow(untilName)
		if done || err != nil || !r.sc.reached(untilName) || u != untilEnd {
			r.mend()
			return done, err
		}
		r.mend()
	}
	return r.scanWindow(u)
}

// scanWindow is scan for a frame that is not whole, and is as the server meant
// it.
func (r *Reader) scanWindow(u until) (done bool, err error) {
	w := r.window()
	n, done, err := r.sc.scan(w[r.scanned:], u)
	if r.moved == nil {
		r.scanned += n
		return done, err
	}
	r.hold(w[:n])
	r.advance(n)
	return done, err
}

// hold adds b to the moved part of the frame under way.
func (r *Reader) hold(b []byte) {
	r.moved = bufpool.Grow(r.moved, len(b))
	r.moved.B = append(r.moved.B, b...)
}

// pendingBytes returns the bytes of the frame under way that have been scanned.
func (r *Reader) pendingBytes() []byte {
	if r.moved != nil {
		return r.moved.B
	}
	return r.window()[:r.scanned]
}

// take consumes the frame that has been scanned whole, and returns it.
func (r *Reader) take() Frame {
	b := r.pendingBytes()
	if r.moved != nil {
		r.given = true
	} else {
		r.advance(r.scanned)
	}
	r.scanned, r.taking, r.whole = 0, false, false
	r.idle = !r.given
	return r.sc.frame(b[:len(b):len(b)])
}

// drop consumes what has been scanned of the frame under way and forgets it.
func (r *Reader) drop() {
	r.giveBack()
	r.advance(r.scanned)
	r.scanned, r.whole = 0, false
}

// giveBack returns the buffer of a large frame to the pool.
func (r *Reader) giveBack() {
	if r.moved != nil {
		r.expect = min(max(len(r.moved.B), r.expect-r.expect/8), bufpool.Max)
		bufpool.Put(r.moved)
		r.moved, r.given = nil, false
	}
}

// fail makes an error of the Scanner sticky.
func (r *Reader) fail(err error) error {
	r.err = err
	return err
}

// cut is the error to return when the underlying reader failed with err.
func (r *Reader) cut(err error) error {
	if err == io.EOF && r.sc.begun() {
		return io.ErrUnexpectedEOF
	}
	return err
}

// forget undoes a peek. In a Source whatever is not being taken may be gone
// before the next call, as the client reads there too; elsewhere what has been
// scanned need not be scanned again. After a peek that failed it is left to the
// next call, so that Pending can tell how far it came.
func (r *Reader) forget() {
	r.taking = r.taking && (r.whole || r.sc.begun())
	if r.src != nil && !r.taking && r.moved == nil && (r.whole || r.sc.begun()) {
		r.sc.rewind()
		r.scanned, r.whole = 0, false
	}
}

// restart makes the Scanner begin the frame under way again, this time to drop
// it, over bytes that are all there still.
func (r *Reader) restart() {
	r.err = nil
	r.sc.rewind()
	r.sc.skip = true
	r.scanned = 0
	if r.moved != nil {
		_, r.whole, r.err = r.sc.scan(r.moved.B, untilEnd)
	}
}

// fill waits until there are more bytes than have been scanned. It returns the
// error of the underlying reader when that ends without any.
func (r *Reader) fill() error {
	if r.src != nil {
		return r.fillSource()
	}
	if err := r.readErr; err != nil {
		r.readErr = nil
		return err
	}
	if r.rd == nil {
		return io.EOF
	}
	if r.buf == nil {
		// Behind the buffer there is room for the fast path to load from.
		r.buf = make([]byte, r.size, r.size+8)
	}
	if left := r.sc.bulkLeft(); left >= uint64(len(r.buf)) && !r.sc.skip {
		// It does not fit anyway: read the rest to where it has to go.
		r.move(r.buf[r.r:r.w])
		r.r, r.w = 0, 0
		return r.fillMoved(left)
	}
	if r.r > 0 {
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	}
	if r.w == len(r.buf) {
		r.move(r.buf)
		r.r, r.w = 0, 0
	}
	n, err := read(r.rd, r.buf[r.w:])
	r.w += n
	return r.keep(n, err)
}

// keep returns the error of a read that gave n bytes, or puts it aside until
// they are used up.
func (r *Reader) keep(n int, err error) error {
	if n > 0 {
		r.readErr, err = err, nil
	}
	return err
}

// move takes b, all of it scanned, out of the buffer to the moved part of the
// frame under way, which begins with room for as much as the last ones came to.
func (r *Reader) move(b []byte) {
	if r.moved == nil {
		r.moved = bufpool.Get(r.expect)
	}
	r.hold(b)
	r.scanned = 0
}

// fillMoved reads the bulk under way straight into the buffer of its frame, no
// further than the bulk goes, of which left bytes are to come.
func (r *Reader) fillMoved(left uint64) error {
	// Doubled when it is full: the size follows what has come, not what was
	// announced.
	r.moved = bufpool.Grow(r.moved, int(min(left, leastRead)))
	b := r.moved.B
	free := b[len(b):cap(b)]
	free = free[:min(uint64(len(free)), left)]
	n, err := read(r.rd, free)
	r.moved.B = b[:len(b)+n]
	_, _, _ = r.sc.scan(free[:n], untilEnd) // in a bulk nothing can be wrong or end
	if r.quirk {
		r.mend()
	}
	return r.keep(n, err)
}

// fillSource waits until the Source has more than has been scanned.
func (r *Reader) fillSource() error {
	n := r.src.Buffered()
	b, err := r.src.Peek(n + 1)
	if len(b) > n {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	if err != bufio.ErrBufferFull || n == 0 {
		return err
	}
	r.move(b)
	r.advance(n)
	return r.fillSource()
}

// read reads at least one byte into b, or returns an error.
func read(rd io.Reader, b []byte) (int, error) {
	for range 100 {
		n, err := rd.Read(b)
		if n < 0 || n > len(b) {
			return 0, io.ErrNoProgress
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}
