package parser_test

import (
	"errors"
	"io"

	"github.com/seed79615202/respush/fuzz/oracle"
	"github.com/seed79615202/respush/parser"
)

// errStall is what a feeder returns when it has nothing more, or pretends so, where a connection would block until its
// time-out.
var errStall = errors.New("nothing to read")

// feeder is a connection: it hands out data in pieces of the sizes in cuts, over and over (all at once if there are
// none), and then returns end. A size of 0 is a time-out, never two in a row.
type feeder struct {
	data    []byte
	cuts    []byte
	at      int
	stalled bool
	end     error
}

func (f *feeder) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, f.end
	}
	n := len(f.data)
	if len(f.cuts) > 0 {
		n = int(f.cuts[f.at%len(f.cuts)])
		f.at++
		if n == 0 && !f.stalled {
			f.stalled = true
			return 0, errStall
		}
		n = max(n, 1)
	}
	f.stalled = false
	n = copy(p[:min(n, len(p))], f.data)
	f.data = f.data[n:]
	return n, nil
}

// oneByte is the cuts of a feeder that gives one byte at a time.
var oneByte = []byte{1}

var _ io.Reader = (*feeder)(nil)

// scanPieces feeds a stream to s in pieces whose ends are in ends, until a frame is done or wrong, as a caller must: what
// has not been consumed is given again with more behind it. It returns the outcome, how many bytes had been fed by then,
// and whether s kept to its word on n.
func scanPieces(s *parser.Scanner, stream []byte, ends []int) (r oracle.Result, fed int, ok bool) {
	start := 0
	for _, end := range ends {
		n, done, err := s.Scan(stream[start:end])
		if n < 0 || n > end-start || done && err != nil {
			return oracle.Result{}, end, false
		}
		start += n
		if done || err != nil {
			return outcome(start, err, 0), end, true
		}
	}
	return oracle.Result{Verdict: oracle.Incomplete}, len(stream), true
}
