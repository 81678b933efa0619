package parser

import "github.com/seed79615202/respush/internal/unsafeconv"

// manyStrings is the length from which on the strings of an array share memory.
const manyStrings = 8

// Sizes of the blocks that they share, and of the largest string in one. A string
// that is kept keeps its block, 4 KiB at most.
const (
	firstBlock = 512
	maxBlock   = 4 << 10
	maxInBlock = maxBlock / 8
)

// shared makes copies of strings that share their memory: some allocations for the
// texts of an array of a thousand, instead of one each (BenchmarkAny/frame=F8). A
// few strings cost no less in this way than each on its own, as the runtime packs
// what is small.
//
// Invariant: nobody else can write to block, and what is within its length is not
// written again.
type shared struct{ block []byte }

// copy returns a copy of b. room is how many bytes this string and those that
// follow have at most.
func (s *shared) copy(b []byte, room int) string {
	if len(b) > maxInBlock {
		return string(b)
	}
	if len(b) > cap(s.block)-len(s.block) {
		s.block = make([]byte, 0, min(room, maxBlock, max(firstBlock, 2*cap(s.block))))
	}
	at := len(s.block)
	s.block = append(s.block, b...)
	// The bytes are ours alone and are not written again, by the invariant; the
	// string keeps them alive.
	return unsafeconv.String(s.block[at:])
}
