package vectors

import "errors"

// ErrStall is what a [Feed] returns in place of a connection's time-out.
var ErrStall = errors.New("vectors: nothing to read yet")

// Feed is a connection, as an io.Reader: it hands out Data in pieces of the
// sizes in Cuts, over and over, or all at once if there are none, and then
// returns End. A size of 0 is a time-out, never two in a row. A Feed is used by
// one goroutine.
type Feed struct {
	Data   []byte // what is left to hand out
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
