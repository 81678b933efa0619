package tap

import (
	"github.com/valyala/bytebufferpool"

	"github.com/seed79615202/respush/internal/bufpool"
)

// A queue is what stays of a stream and has been held, in pooled memory, until it
// is read. Invariant: b is nil, or b.B[at:] is not empty.
type queue struct {
	b  *bytebufferpool.ByteBuffer
	at int
}

// empty reports whether there is nothing to read.
func (q *queue) empty() bool { return q.b == nil }

// read moves what is queued to b, as far as there is room.
func (q *queue) read(b []byte) int {
	if q.empty() {
		return 0
	}
	n := copy(b, q.b.B[q.at:])
	if q.at += n; q.at == len(q.b.B) {
		q.release()
	}
	return n
}

// swap puts b[:n] behind what is queued, if anything is, and moves the beginning
// of it all to b. It returns how many bytes b then has.
func (q *queue) swap(b []byte, n int) int {
	if q.empty() {
		return n
	}
	q.b = add(q.b, b[:n])
	return q.read(b)
}

// release gives the memory back.
func (q *queue) release() {
	if q.b != nil {
		bufpool.Put(q.b)
		q.b, q.at = nil, 0
	}
}

// add returns a buffer with the content of b and then tail: b itself, or a larger
// one. b is given back then, other than bufpool.Grow does, as the next frame needs
// a small one again.
func add(b *bytebufferpool.ByteBuffer, tail []byte) *bytebufferpool.ByteBuffer {
	if cap(b.B)-len(b.B) < len(tail) {
		larger := bufpool.Get(max(len(b.B)+len(tail), 2*cap(b.B)))
		larger.B = append(larger.B, b.B...)
		bufpool.Put(b)
		b = larger
	}
	b.B = append(b.B, tail...)
	return b
}
