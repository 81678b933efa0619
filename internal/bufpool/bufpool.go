// Package bufpool keeps byte buffers for reuse by the power of two of their
// size. One bytebufferpool.Pool keeps what suits 95 % of its use and drops the
// rest, so that large frames among many small ones would be allocated anew each
// time; here each size has a pool of its own.
package bufpool

import (
	"math/bits"

	"github.com/valyala/bytebufferpool"
)

// The sizes that are kept: 64 bytes to 32 MiB, which are those bytebufferpool
// tells apart. A larger buffer goes to the garbage collector.
const (
	minBits = 6
	maxBits = 25
)

// Max is the size in bytes of the largest buffer that is kept.
const Max = 1 << maxBits

// pools holds a Pool for each size. They are pointers because a Pool begins with
// 64-bit counters, which a 32-bit machine wants aligned.
var pools = func() (p [maxBits + 1]*bytebufferpool.Pool) {
	for i := range p {
		p[i] = new(bytebufferpool.Pool)
	}
	return p
}()

// Get returns an empty buffer with room for n bytes at least.
func Get(n int) *bytebufferpool.ByteBuffer {
	c := max(minBits, bits.Len(uint(max(n, 1)-1)))
	if c > maxBits {
		return &bytebufferpool.ByteBuffer{B: make([]byte, 0, n)}
	}
	b := pools[c].Get()
	if cap(b.B) < 1<<c {
		b.B = make([]byte, 0, 1<<c)
	}
	return b
}

// Put takes b back; nobody may use it, or what it held, any more. A nil b is
// nothing to do.
func Put(b *bytebufferpool.ByteBuffer) {
	if b == nil {
		return
	}
	c := bits.Len(uint(cap(b.B))) - 1
	if c < minBits || c > maxBits || cap(b.B) != 1<<c {
		return
	}
	b.B = b.B[:cap(b.B)] // the pool goes by the length
	pools[c].Put(b)
}

// Grow returns a buffer with the content of b and room for n bytes more: b
// itself, or a larger one, at least twice as large. b is not kept then, so that
// what is held while something large arrives is twice its size at the most.
func Grow(b *bytebufferpool.ByteBuffer, n int) *bytebufferpool.ByteBuffer {
	if cap(b.B)-len(b.B) >= n {
		return b
	}
	g := Get(max(len(b.B)+n, 2*cap(b.B)))
	g.B = append(g.B, b.B...)
	return g
}
