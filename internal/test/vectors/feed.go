package vectors

import "errors"

// ErrStall is what a [Feed] returns in place of a connection's time-out.
var ErrStall = errors.New("vectors: nothing to read yet")

// Feed is an io.Reader that behaves like a connection. It hands out Data in
// pieces and then returns End. Cuts holds the sizes of the pieces and is used
// over and over; if it is empty, Data is one piece. A size of 0 is a time-out,
// but never two in a row. A Feed belongs to one goroutine.
type Feed struct {
	Data   []byte // not yet handed out
	Cuts   []byte
	End    error
	Stalls int // time-outs so far

	at      int
	stalled bool
}

// Read returns the next piece, or as much of it as p takes.
func (f *Feed) Read(p []byte) (int, error) {
	if len(f.Data) == 0 {
		return 0, f.End
	}
	n := len(f.Data)
	if len(f.Cuts) > 0 {
		n = int(f.Cuts[f.at%len(f.Cuts)])
		f.at++
		if n == 0 && !f.stalled {
			f.stalled = true
			f.Stalls++
			return 0, ErrStall
		}
		n = max(n, 1)
	}
	f.stalled = false
	n = copy(p[:min(n, len(p))], f.Data)
	f.Data = f.Data[n:]
	return n, nil
}
