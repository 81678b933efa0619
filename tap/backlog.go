package tap

import (
	"github.com/valyala/bytebufferpool"

	"github.com/seed79615202/respush/internal/bufpool"
)

// A backlog holds bytes that stay in the stream and are no longer in the
// caller's buffer, until they are read. It holds them in pooled memory.
// Invariant: b is nil, or b.B[at:] is not empty.
type backlog struct {
	b  *bytebufferpool.ByteBuffer
	at int
}

// empty reports whether there is nothing to read.
func (l *backlog) empty() bool { return l.b == nil }

// read moves the bytes it holds to b, as far as there is room, and returns
// their number.
func (l *backlog) read(b []byte) int {
	if l.empty() {
		return 0
	}
	n := copy(b, l.b.B[l.at:])
	if l.at += n; l.at == len(l.b.B) {
		l.release()
	}
	return n
}

// swap appends b[:n] to the bytes it holds, if any, and moves the first of them
// all to b. It returns the number of bytes then in b.
func (l *backlog) swap(b []byte, n int) int {
	if l.empty() {
		return n
	}
	l.b = add(l.b, b[:n])
	return l.read(b)
}

// release gives the memory back.
func (l *backlog) release() {
	if l.b != nil {
		bufpool.Put(l.b)
		l.b, l.at = nil, 0
	}
}

// add returns a buffer with the content of b followed by tail. It is b itself,
// or a larger buffer. In that case add gives b back, unlike bufpool.Grow, as
// the next frame needs a small one again.
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
