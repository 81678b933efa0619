package parser

import "github.com/seed79615202/respush/internal/unsafeconv"

// manyStrings is the length from which on the strings of an array share memory.
const manyStrings = 8

// Sizes of what they share: of the blocks, the largest string in one, and how
// many headers are in a row. A string that is kept keeps its block and its row,
// some 6 KiB at most.
const (
	firstBlock = 512
	maxBlock   = 4 << 10
	maxInBlock = maxBlock / 8
	maxRow     = maxBlock / 32
)

// shared makes copies of strings that share their memory: some allocations for an
// array of a thousand, where one each for text and interface makes two thousand
// (BenchmarkAny/frame=F8). A few strings cost no less in this way than each on its
// own, as the runtime packs what is small.
//
// Invariant: nobody else can write to block or row, and what is within their
// lengths is not written again.
type shared struct {
	block []byte
	row   []string
}

// copy returns a copy of b as an any. left is how many strings may follow, this
// one counted, and room how many bytes they have at most.
func (s *shared) copy(b []byte, left, room int) any {
	if len(b) > maxInBlock {
		return string(b)
	}
	if len(b) > cap(s.block)-len(s.block) {
		s.block = make([]byte, 0, min(room, maxBlock, max(firstBlock, 2*cap(s.block))))
	}
	if len(s.row) == cap(s.row) {
		s.row = make([]string, 0, min(left, maxRow))
	}
	at := len(s.block)
	s.block = append(s.block, b...)
	// Both conversions are of memory that is ours alone and is not written again,
	// by the invariant; the results keep it alive.
	s.row = append(s.row, unsafeconv.String(s.block[at:]))
	return unsafeconv.Any(&s.row[len(s.row)-1])
}
