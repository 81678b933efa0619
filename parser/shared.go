package parser

import "github.com/seed79615202/respush/internal/unsafeconv"

// manyStrings is the smallest length of an array whose strings share memory.
const manyStrings = 8

// The sizes of the blocks that strings share, and of the largest string in a
// block. Keeping a string keeps its block, which is 4 KiB at most.
const (
	firstBlock = 512
	maxBlock   = 4 << 10
	maxInBlock = maxBlock / 8
)

// shared makes copies of strings that share memory. An array of a thousand
// strings takes a few allocations instead of one for each
// (BenchmarkAny/frame=F8). It saves nothing for a few strings, as the runtime
// packs small allocations itself.
//
// Invariant: nothing else can write to block, and the bytes within its length
// are not written again.
type shared struct{ block []byte }

// copy returns a copy of b. room is the largest size that this string and those
// after it can have together.
func (s *shared) copy(b []byte, room int) string {
	if len(b) > maxInBlock {
		return string(b)
	}
	if len(b) > cap(s.block)-len(s.block) {
		s.block = make([]byte, 0, min(room, maxBlock, max(firstBlock, 2*cap(s.block))))
	}
	at := len(s.block)
	s.block = append(s.block, b...)
	// By the invariant, only block holds the bytes and they are not written
	// again. The string keeps them alive.
	return unsafeconv.String(s.block[at:])
}
