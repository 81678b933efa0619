package parser

import (
	"bufio"
	"io"
	"math"

	"github.com/valyala/bytebufferpool"

	"github.com/seed79615202/respush/internal/bufpool"
)

// errWindowFull says that a window has no room for more bytes.
var errWindowFull = bufio.ErrBufferFull

// window holds the bytes of a stream that have been received and not consumed.
// They are in a buffer of its own, in a client's *bufio.Reader, or in any other
// [Source]. It knows nothing of frames, and nothing else in this package knows
// where the bytes are.
//
// Invariant: if src is not nil, the window's bytes are those of src, from and to
// are 0, and only limit of the fields below bufio is used. bufio is src if that
// is a *bufio.Reader. Otherwise buf[from:to] are the window's bytes; buf is a part
// of mem, both nil until the first read.
type window struct {
	src   Source
	bufio *bufio.Reader
	rd    io.Reader
	mem   *bytebufferpool.ByteBuffer
	buf   []byte
	from  int
	to    int
	used  int   // what to was after the last read
	limit int   // the largest length of buf
	err   error // of the last read, deferred until the bytes it came with are consumed
	large int32 // the length of the buffer that rest has given back, until another is as large
	stays uint8 // how many more calls of rest change nothing
	vain  uint8 // what stays was at first, after a rest that a large read ended
}

// leastBuffer is the length of a buffer at first and at rest. spare is the room
// behind a buffer that lets the fast path load whole words.
const (
	leastBuffer = 2<<10 - spare
	spare       = 8
)

// attach makes the window read from rd, in place if rd is a Source.
func (w *window) attach(rd io.Reader) {
	if src, ok := rd.(Source); ok {
		w.attachSource(src)
		return
	}
	*w = window{rd: rd, mem: w.mem, buf: w.buf, limit: w.limit}
}

// attachSource makes the bytes of src the window's bytes.
func (w *window) attachSource(src Source) {
	b, _ := src.(*bufio.Reader)
	*w = window{src: src, bufio: b, mem: w.mem, buf: w.buf, limit: w.limit}
}

// origin returns the reader or Source that the window reads from.
func (w *window) origin() any {
	if w.src != nil {
		return w.src
	}
	return w.rd
}

// shared reports whether a client may consume the window's bytes.
func (w *window) shared() bool { return w.src != nil }

// own returns the window's bytes, or nothing if they are in a Source.
func (w *window) own() []byte { return w.buf[w.from:w.to] }

// bytes returns the window's bytes, borrowed until the window or its Source is
// used again.
func (w *window) bytes() []byte {
	if w.src == nil {
		return w.own()
	}
	// The bytes are there, so Peek cannot fail. A bufio.Reader is called
	// directly, not through the interface
	// (BenchmarkProcess/frame=N0/source=bufio).
	if w.bufio != nil {
		b, _ := w.bufio.Peek(w.bufio.Buffered())
		return b
	}
	b, _ := w.src.Peek(w.src.Buffered())
	return b[:len(b):len(b)] // the fast path must not load bytes behind it
}

// len returns the number of the window's bytes.
func (w *window) len() int {
	if w.src != nil {
		return w.src.Buffered()
	}
	return w.to - w.from
}

// discard consumes n of the window's bytes. They stay where they are until the
// next use of the window or its Source.
func (w *window) discard(n int) {
	if w.src == nil {
		w.from += n
		return
	}
	_, _ = w.src.Discard(n) // cannot fail: they are there
}

// full reports whether a Source has no room for more bytes. It returns false
// for a Source without a Size method.
func (w *window) full() bool {
	s, ok := w.src.(interface{ Size() int })
	return ok && w.src.Buffered() >= s.Size()
}

// more waits until the window has more bytes than it has now. It returns the
// reader's error when that ends first, and errWindowFull when there is no room.
func (w *window) more() error {
	if w.src != nil {
		n := w.src.Buffered()
		b, err := w.src.Peek(n + 1)
		switch {
		case len(b) > n:
			return nil
		case err == nil:
			return io.ErrNoProgress
		}
		return err
	}
	if err := w.deferred(); err != nil {
		return err
	}
	switch {
	case w.from == w.to: // nearly always, and there is nothing to move
		w.from, w.to = 0, 0
	case w.from > 0:
		w.to = copy(w.buf, w.buf[w.from:w.to])
		w.from = 0
	}
	if w.to == len(w.buf) && w.to == w.limit {
		return errWindowFull
	}
	if w.used == len(w.buf) || w.shrinks() {
		w.fit()
	}
	n, err := w.read(w.buf[w.to:])
	w.to += n
	w.used = w.to
	return err
}

// first waits until the window has a byte, and returns some of its bytes. It
// returns none when the reader ends first. For a Source that is one call
// (BenchmarkWait/source=bufio).
func (w *window) first() (b []byte) {
	switch {
	case w.bufio != nil:
		b, _ = w.bufio.Peek(1)
	case w.src != nil:
		b, _ = w.src.Peek(1)
	case w.from < w.to || w.more() == nil:
		b = w.own()
	}
	return b
}

// fit gives the buffer the size that the last read calls for. A read that
// filled the buffer makes it four times as large. A read that used a sixteenth
// or less shrinks it to four times what was used, if it is empty, before what
// may be a long wait.
func (w *window) fit() {
	size := len(w.buf)
	switch {
	case w.used == size:
		if w.large > 0 {
			w.vain = min(2*w.vain+1, maxVain)
			w.stays = w.vain
		}
		size = max(4*size, leastBuffer, int(w.large))
		w.large = 0
	case w.shrinks():
		size = max(4*w.used, leastBuffer)
	}
	if size = min(size, w.limit); size == len(w.buf) {
		return
	}
	mem := bufpool.Get(size + spare)
	buf := mem.B[:min(cap(mem.B)-spare, w.limit)]
	w.to = copy(buf, w.buf[:w.to])
	bufpool.Put(w.mem)
	w.mem, w.buf = mem, buf
}

// shrinks reports whether fit makes the buffer smaller.
func (w *window) shrinks() bool {
	return w.to == 0 && w.used <= len(w.buf)/16 && len(w.buf) > leastBuffer
}

// maxVain bounds vain. In a stream of large reads at most one in so many, and
// one, begins small.
const maxVain = 31

// rest replaces an empty, large buffer that the last read has not filled with
// the smallest one, before what may be a long wait. When a large read ends the
// rest, it was in vain: it has cost another read, so that the next calls change
// nothing, more of them each time (BenchmarkServe/cut=never).
func (w *window) rest() {
	switch {
	case w.src != nil || w.from < w.to || w.used == len(w.buf):
		return
	case len(w.buf) <= 2*leastBuffer:
		w.large, w.stays, w.vain = 0, 0, 0
		return
	case w.stays > 0:
		w.stays--
		return
	}
	w.large, w.from, w.to, w.used = int32(min(len(w.buf), math.MaxInt32)), 0, 0, 0
	mem := bufpool.Get(leastBuffer + spare)
	bufpool.Put(w.mem)
	w.mem, w.buf = mem, mem.B[:min(cap(mem.B)-spare, w.limit)]
}

// moreInto reads at least one byte into b, past the window, which is empty and
// not shared.
func (w *window) moreInto(b []byte) (int, error) {
	if err := w.deferred(); err != nil {
		return 0, err
	}
	return w.read(b)
}

// deferred returns the error that the last read came with, once.
func (w *window) deferred() error {
	err := w.err
	w.err = nil
	if err == nil && w.rd == nil {
		err = io.EOF
	}
	return err
}

// read reads at least one byte into b, or returns an error. An error that comes
// with bytes is deferred.
func (w *window) read(b []byte) (int, error) {
	for range 100 {
		n, err := w.rd.Read(b)
		if n < 0 || n > len(b) {
			return 0, io.ErrNoProgress
		}
		if n > 0 {
			w.err = err
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// release gives the window's own buffer back.
func (w *window) release() {
	bufpool.Put(w.mem)
	w.mem, w.buf, w.from, w.to = nil, nil, 0, 0
}
