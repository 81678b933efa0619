package captures

import (
	"io"
	"os"
)

// Pieces is a stream that arrives in pieces of one size. It promises no more
// than a connection does: a Read returns at most one piece, an error comes
// without bytes, and the end is io.EOF.
type Pieces struct {
	rest    []byte
	size    int
	stutter bool
	late    bool // the next Read times out
}

// NewPieces returns b as a stream of pieces of size bytes.
func NewPieces(b []byte, size int) *Pieces { return &Pieces{rest: b, size: size} }

// NewStutter is like NewPieces, but a Read times out with
// os.ErrDeadlineExceeded before each piece and before the end.
func NewStutter(b []byte, size int) *Pieces {
	return &Pieces{rest: b, size: size, stutter: true, late: true}
}

// Read returns a piece, or as much of it as b has room for.
func (p *Pieces) Read(b []byte) (int, error) {
	if p.late {
		p.late = false
		return 0, os.ErrDeadlineExceeded
	}
	p.late = p.stutter
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.rest[:min(p.size, len(p.rest))])
	p.rest = p.rest[n:]
	return n, nil
}
