package parser_test

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// maxInput is the longest input a target looks at, in bytes.
const maxInput = vectors.MaxGenerated + 512

// wireOf gives the wire that a target's input stands for: the input, or the frames it spells out as a script.
func wireOf(generated bool, input []byte) []byte {
	if generated {
		return vectors.Generate(make([]byte, 0, 512), input)
	}
	return input
}

// scripts gives the seeds for generated wires.
func scripts() [][]byte {
	r := rand.New(rand.NewPCG(5, 6))
	all := [][]byte{nil}
	for i := range 96 {
		all = append(all, randomBytes(r, 4+2*i))
	}
	return all
}

// seedFrames calls add with every vector, and with each different frame of the captures.
func seedFrames(f *testing.F, add func(wire string, l oracle.Limits)) {
	for _, c := range vectors.Cases() {
		add(c.Wire, c.Limits)
	}
	captures, err := vectors.Captures("../testdata/captures")
	if err != nil {
		f.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range captures {
		for i, frame := range c.Frames() {
			if wire := string(frame); !seen[wire] && i < 64 {
				seen[wire] = true
				add(wire, oracle.Limits{})
			}
		}
	}
}

// FuzzFrame holds Parse, and a Scanner with limits, against the oracle: same verdict, length, tree, offset, cause, limit.
func FuzzFrame(f *testing.F) {
	seedFrames(f, func(wire string, l oracle.Limits) {
		f.Add(false, []byte(wire), small(l.MaxFrame), small(l.MaxBulk), small(l.MaxElements), byte(small(l.MaxDepth)))
	})
	for i, s := range scripts() {
		f.Add(true, s, uint16(0), uint16(0), uint16(0), byte(0))
		f.Add(true, s, uint16(i*7), uint16(i/3), uint16(i/2), byte(i/5))
		f.Add(true, s, uint16(0), uint16(0), uint16(16+i%7), byte(2+i%5)) // what a fast path for short pushes may still take
	}
	f.Fuzz(func(t *testing.T, generated bool, input []byte, maxFrame, maxBulk, maxElements uint16, maxDepth byte) {
		if len(input) > maxInput {
			return
		}
		wire := wireOf(generated, input)
		l := oracle.Limits{MaxFrame: int(maxFrame), MaxBulk: int(maxBulk), MaxElements: int(maxElements), MaxDepth: int(maxDepth)}
		if l == (oracle.Limits{}) {
			frameWithDefaults(t, wire)
			passReplies(t, wire)
		} else {
			frameWithLimits(t, wire, l)
		}
	})
}

// small gives a limit as a fuzz argument; one that is none of a few bits becomes the default.
func small(limit int) uint16 {
	if limit < 0 || limit > 200 {
		return 0
	}
	return uint16(limit)
}

func frameWithDefaults(t *testing.T, wire []byte) {
	want := oracle.Parse(wire, oracle.Limits{})
	frame, n, err := parser.Parse(wire)
	if got := outcome(n, err, 0); !sameOutcome(got, want) {
		t.Fatalf("%q\ngot  %+v\nwant %+v", wire, got, want)
	}
	if err != nil {
		return
	}
	if d := differ(frame, want.Tree, wire); d != "" {
		t.Fatalf("%q: %s\nwant %s", wire, d, want.Tree)
	}
}

func frameWithLimits(t *testing.T, wire []byte, l oracle.Limits) {
	want := oracle.Parse(wire, l)
	s := parser.NewScanner(parser.Limits(l))
	n, done, err := s.Scan(wire)
	got := outcome(n, err, 0)
	if err == nil && !done {
		got = oracle.Result{Verdict: oracle.Incomplete}
	}
	if n < 0 || n > len(wire) || !sameOutcome(got, want) {
		t.Fatalf("%q, limits %+v\ngot  %+v, n %d\nwant %+v", wire, l, got, n, want)
	}
	if done && (s.Type() == 0 || n != want.N) {
		t.Fatalf("%q: type %v, n %d", wire, s.Type(), n)
	}
}

// The test is FuzzFrame for as many scripts as every test run can do, the same ones each time.
func TestGeneratedFramesAgreeWithTheOracle(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for i := range 20000 {
		script := randomBytes(r, 1+r.IntN(250))
		wire := vectors.Generate(nil, script)
		frameWithDefaults(t, wire)
		frameWithLimits(t, wire, oracle.Limits{MaxFrame: 1 + r.IntN(200)})
		frameWithLimits(t, wire, oracle.Limits{MaxBulk: 1 + r.IntN(40), MaxElements: 1 + r.IntN(40), MaxDepth: 1 + r.IntN(12)})
		if cut := r.IntN(len(wire) + 1); i%4 == 0 {
			frameWithDefaults(t, wire[:cut])
		}
	}
}

// The test is FuzzSplit in the same way.
func TestGeneratedStreamsReadTheSameInAnyPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 10000 {
		wire := vectors.Generate(nil, randomBytes(r, 1+r.IntN(250)))
		splitStream(t, wire, randomBytes(r, r.IntN(6)), r.Uint32())
	}
}

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// FuzzSplit reads a stream of frames in any pieces and expects what the oracle finds in the whole. how chooses between a
// Scanner, a Reader with its own buffer and one in a Source, the size of the buffer, the limits, whether the stream ends
// with its last bytes or after them, and which calls come before Next or instead of it.
func FuzzSplit(f *testing.F) {
	cuts := [][]byte{nil, {1}, {0, 1}, {7, 2, 0, 90}, {255, 3}, {0, 16}}
	i := 0
	seed := func(generated bool, input []byte) {
		f.Add(generated, input, cuts[i%len(cuts)], uint32(i)*2654435761)
		i++
	}
	for _, c := range vectors.Cases() {
		seed(false, []byte(c.Wire))
	}
	captures, err := vectors.Captures("../testdata/captures")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range captures {
		seed(false, c.Wire)
	}
	for _, s := range scripts() {
		seed(true, s)
		seed(true, s)
	}
	f.Fuzz(func(t *testing.T, generated bool, input, cuts []byte, how uint32) {
		if len(input) > maxInput {
			return
		}
		splitStream(t, wireOf(generated, input), cuts, how)
	})
}

// splitStream reads wire in the pieces of cuts, as how says.
func splitStream(t *testing.T, wire, cuts []byte, how uint32) {
	s := split{t: t, wire: wire, cuts: cuts, how: how}
	switch how >> 3 & 7 {
	case 1:
		s.limits = oracle.Limits{MaxFrame: 64, MaxBulk: 16}
	case 2:
		s.limits = oracle.Limits{MaxElements: 8, MaxDepth: 3}
	case 3:
		s.limits = oracle.Limits{MaxFrame: int(how >> 20), MaxBulk: int(how >> 24), MaxElements: int(how >> 22 & 63), MaxDepth: int(how >> 28)}
	case 4: // what a fast path for short pushes may still take
		s.limits = oracle.Limits{MaxElements: 16 + int(how>>24&15), MaxDepth: 2 + int(how>>28&3)}
	}
	if how&3 == 0 {
		s.scanner()
	} else {
		s.reader()
	}
}

// split is one run of FuzzSplit.
type split struct {
	t      *testing.T
	wire   []byte
	cuts   []byte
	how    uint32
	limits oracle.Limits
}

func (s *split) scanner() {
	scanner := parser.NewScanner(parser.Limits(s.limits))
	start, fed, cut := 0, 0, 0
	for first := 0; ; first = start {
		want := oracle.Parse(s.wire[first:], s.limits)
		for {
			n, done, err := scanner.Scan(s.wire[start:fed])
			if n < 0 || n > fed-start || done && err != nil {
				s.t.Fatalf("%q: Scan(%q) is %d, %v, %v", s.wire, s.wire[start:fed], n, done, err)
			}
			start += n
			if err != nil {
				if got := outcome(0, err, first); !sameOutcome(got, want) {
					s.t.Fatalf("%q, frame at %d\ngot  %+v\nwant %+v", s.wire, first, got, want)
				}
				return
			}
			if done {
				if want.Verdict != oracle.OK || start-first != want.N {
					s.t.Fatalf("%q, frame at %d: %d bytes\nwant %+v", s.wire, first, start-first, want)
				}
				break
			}
			if fed == len(s.wire) {
				if want.Verdict != oracle.Incomplete {
					s.t.Fatalf("%q, frame at %d: incomplete\nwant %+v", s.wire, first, want)
				}
				return
			}
			if len(s.cuts) == 0 {
				fed = len(s.wire)
			} else {
				fed = min(len(s.wire), fed+int(s.cuts[cut%len(s.cuts)]))
				cut++
				if s.cuts[(cut-1)%len(s.cuts)] == 0 {
					fed++
				}
			}
		}
	}
}

func (s *split) reader() {
	feed := &vectors.Feed{Data: s.wire, Cuts: s.cuts, End: io.EOF}
	var rd io.Reader = feed
	if s.how&4 != 0 {
		rd = &eager{feed}
	}
	size := 16 + int(s.how>>6&0xff)
	var source *bufio.Reader
	options := []parser.Option{parser.WithLimits(parser.Limits(s.limits))}
	if s.how&3 == 1 {
		options = append(options, parser.WithBufferSize(size))
	} else {
		source = bufio.NewReaderSize(rd, size)
		rd = source
	}
	r := parser.NewReader(rd, options...)
	defer r.Release()

	calls := s.how >> 14
	for base := 0; ; calls = calls>>5 | calls<<27 {
		want := oracle.Parse(s.wire[base:], s.limits)
		if calls&3 == 1 && !s.peekType(r, base, want) || calls&12 == 4 && !s.peekPush(r, base, want) {
			return
		}
		if calls&16 != 0 && want.Verdict != oracle.OverLimit {
			if !s.step(r, base, want, nil, retry(r.Skip)) {
				return
			}
		} else {
			var frame parser.Frame
			err := retry(func() (err error) {
				frame, err = r.Next()
				return err
			})
			if !s.step(r, base, want, &frame, err) {
				return
			}
		}
		base += want.N
		if source != nil {
			if b, _ := source.Peek(min(source.Buffered(), 4)); !bytes.HasPrefix(s.wire[base:], b) {
				s.t.Fatalf("%q: source is at %q, want %q", s.wire, b, s.wire[base:])
			}
		}
	}
}

// retry calls f again after a time-out.
func retry(f func() error) error {
	for {
		if err := f(); err != vectors.ErrStall {
			return err
		}
	}
}

// step compares what Next or Skip (then frame is nil) made of the frame at base, and says whether there is another.
func (s *split) step(r *parser.Reader, base int, want oracle.Result, frame *parser.Frame, err error) bool {
	if err != nil {
		if got := outcome(0, err, base); !sameOutcome(got, want) {
			s.t.Fatalf("%q, frame at %d, limits %+v\ngot  %v\nwant %+v", s.wire, base, s.limits, err, want)
		}
		if want.Verdict == oracle.Incomplete {
			if (err == io.EOF) != (base == len(s.wire)) || r.Err() != nil {
				s.t.Fatalf("%q, end at %d: %v, Err %v", s.wire, base, err, r.Err())
			}
		} else if r.Err() != err {
			s.t.Fatalf("%q: %v is not sticky, Err is %v", s.wire, err, r.Err())
		}
		return false
	}
	if want.Verdict != oracle.OK {
		s.t.Fatalf("%q, frame at %d: no error\nwant %+v", s.wire, base, want)
	}
	if frame == nil {
		return true
	}
	if d := differ(*frame, want.Tree, s.wire[base:]); d != "" {
		s.t.Fatalf("%q, frame at %d: %s\nwant %s", s.wire, base, d, want.Tree)
	}
	return true
}

// peekType holds PeekType against the oracle, and says whether the frame at base is worth reading.
func (s *split) peekType(r *parser.Reader, base int, want oracle.Result) bool {
	var kind parser.Type
	err := retry(func() (err error) {
		kind, err = r.PeekType()
		return err
	})
	if err != nil {
		return s.step(r, base, want, nil, err)
	}
	if want.Verdict == oracle.OK {
		at := want.Tree.Start
		if n := len(want.Tree.Attributes); n > 0 {
			at = want.Tree.Attributes[n-1].End
		}
		if byte(kind) != s.wire[base+at] {
			s.t.Fatalf("%q, frame at %d: type %v, want %q", s.wire, base, kind, s.wire[base+at])
		}
	}
	return true
}

// peekPush does so for PeekPush.
func (s *split) peekPush(r *parser.Reader, base int, want oracle.Result) bool {
	var name []byte
	var push bool
	err := retry(func() (err error) {
		name, push, err = r.PeekPush()
		return err
	})
	if err != nil {
		return s.step(r, base, want, nil, err)
	}
	if want.Verdict == oracle.OK {
		wantName, named := want.Tree.Name()
		if push != (want.Tree.Type == '>') || (name != nil) != named || !bytes.Equal(name, wantName) {
			s.t.Fatalf("%q, frame at %d: push %v, name %q; want %s", s.wire, base, push, name, want.Tree)
		}
	}
	return true
}

// eager returns the end of a stream with its last bytes rather than after them, as a reader may.
type eager struct{ *vectors.Feed }

func (e *eager) Read(p []byte) (int, error) {
	n, err := e.Feed.Read(p)
	if n > 0 && len(e.Data) == 0 {
		err = e.End
	}
	return n, err
}
