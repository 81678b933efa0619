package parser_test

import (
	"bufio"
	"io"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// long is where wires are cut at some places rather than at all of them.
const long = 1 << 11

// step is the distance between two cuts of a wire.
func step(wire string) int {
	if len(wire) > long {
		return 97
	}
	return 1
}

// decided gives the length of the shortest prefix of wire that has the verdict of the whole.
func decided(c vectors.Case) int {
	return sort.Search(len(c.Wire), func(n int) bool {
		return oracle.Parse([]byte(c.Wire[:n]), c.Limits).Verdict != oracle.Incomplete
	})
}

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

// oneByte is the cuts of a vectors.Feed that gives one byte at a time.
var oneByte = []byte{1}

// defaults says whether c is read under the default limits.
func defaults(c vectors.Case) bool {
	l := c.Limits
	return l.MaxFrame <= 0 && l.MaxBulk <= 0 && l.MaxElements <= 0 && l.MaxDepth <= 0
}

func TestVectorsParseAsTheOracleSays(t *testing.T) {
	for _, c := range vectors.Cases() {
		if defaults(c) {
			t.Run(c.Name, func(t *testing.T) { parseCase(t, c) })
		}
	}
}

func TestVectorsParseInsideOtherFrames(t *testing.T) {
	for _, c := range vectors.Placed() {
		parseCase(t, c)
	}
}

func parseCase(t *testing.T, c vectors.Case) {
	t.Helper()
	wire := []byte(c.Wire)
	f, n, err := parser.Parse(wire)
	if !sameOutcome(outcome(n, err, 0), c.Result()) {
		t.Errorf("%s: %.200q\nwant %+v\ngot  %+v", c.Name, c.Wire, c.Result(), outcome(n, err, 0))
		return
	}
	if c.Want.Verdict != oracle.OK {
		if n != 0 || f.Type() != 0 {
			t.Errorf("%s: %d bytes and a %v frame with an error", c.Name, n, f.Type())
		}
		return
	}
	if got := render(f); got != c.Want.String() {
		t.Errorf("%s: %.200q\nwant %s\ngot  %s", c.Name, c.Wire, c.Want, got)
	}
	if d := differ(f, oracle.Parse(wire, c.Limits).Tree, wire); d != "" {
		t.Errorf("%s: %.200q: %s", c.Name, c.Wire, d)
	}
}

// TestOddTextIsAnErrorOfItsValue asks for the values of frames that are delimited well and say what is no number or
// boolean.
func TestOddTextIsAnErrorOfItsValue(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Odd == "" {
			continue
		}
		f, n, err := parser.Parse([]byte(c.Wire))
		require.NoError(t, err, c.Name)
		require.Equal(t, c.N(), n, c.Name)
		v := f.Value()
		got, err := v.Any()
		require.Equal(t, c.Want.Odd, reason(err), c.Name)
		require.Nil(t, got, c.Name)
		switch v.Type() {
		case parser.TypeInteger, parser.TypeBigNumber:
			_, err = v.Int64()
		case parser.TypeDouble:
			_, err = v.Float64()
		case parser.TypeBoolean:
			_, err = v.Bool()
		}
		require.Equal(t, c.Want.Odd, reason(err), c.Name)
		if len(v.Bytes()) > 0 {
			require.Contains(t, v.String(), string(v.Bytes()), c.Name)
		}
	}
}

// TestFrameValueIsWithoutAttributes tells the attributes before a frame, which are Frame.Attributes, from those before an
// inner value.
func TestFrameValueIsWithoutAttributes(t *testing.T) {
	f, _, err := parser.Parse([]byte("|1\r\n+a\r\n:1\r\n*1\r\n|1\r\n+b\r\n:2\r\n:3\r\n"))
	require.NoError(t, err)
	require.Equal(t, parser.TypeAttribute, f.Attributes().Type())
	require.Zero(t, f.Value().Attributes().Type())
	for v := range f.Value().All() {
		require.Equal(t, parser.TypeAttribute, v.Attributes().Type())
	}
}

// The test cuts every wire everywhere: Parse says of each prefix what the oracle does.
func TestVectorsParsePrefixesAsTheOracleSays(t *testing.T) {
	for _, c := range vectors.Cases() {
		if !defaults(c) {
			continue
		}
		for n := 0; n <= len(c.Wire); n += step(c.Wire) {
			wire := []byte(c.Wire[:n])
			_, got, err := parser.Parse(wire)
			want := oracle.Parse(wire, c.Limits)
			require.True(t, sameOutcome(outcome(got, err, 0), want), "%s cut at %d: got %d, %v; want %+v", c.Name, n, got, err, want)
		}
	}
}

func TestVectorsScanByteByByteAsAtOnce(t *testing.T) {
	for _, c := range vectors.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			wire := []byte(c.Wire)
			want := c.Result()

			got, _, ok := scanPieces(parser.NewScanner(parser.Limits(c.Limits)), wire, []int{len(wire)})
			require.True(t, ok && sameOutcome(got, want), "whole: got %+v, want %+v", got, want)

			var ends []int
			for i := 1; i <= len(wire); i++ {
				ends = append(ends, i)
			}
			s := parser.NewScanner(parser.Limits(c.Limits))
			got, fed, ok := scanPieces(s, wire, ends)
			require.True(t, ok && sameOutcome(got, want), "byte by byte: got %+v, want %+v", got, want)
			require.Equal(t, decided(c), fed, "bytes it took")
			if want.Verdict == oracle.Syntax || want.Verdict == oracle.OverLimit {
				_, done, err := s.Scan([]byte("+OK\r\n"))
				require.False(t, done)
				require.True(t, sameOutcome(outcome(0, err, 0), want), "an error is returned again: %v", err)
				s.Reset()
				_, done, err = s.Scan([]byte("_\r\n"))
				if l := c.Limits.MaxFrame; l <= 0 || l >= 3 {
					require.True(t, done && err == nil, "after Reset: %v", err)
				}
			}
		})
	}
}

func TestVectorsScanCutInTwoAsAtOnce(t *testing.T) {
	for _, c := range append(vectors.Cases(), vectors.Placed()...) {
		wire := []byte(c.Wire)
		want := c.Result()
		s := parser.NewScanner(parser.Limits(c.Limits))
		for n := 0; n <= len(wire); n += step(c.Wire) {
			s.Reset()
			got, _, ok := scanPieces(s, wire, []int{n, len(wire)})
			require.True(t, ok && sameOutcome(got, want), "%s %.200q cut at %d: got %+v, want %+v", c.Name, c.Wire, n, got, want)
		}
	}
}

// The test looks at the type of the frame under way after every byte.
func TestVectorsScannerTypeIsKnownFromItsByteOn(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict != oracle.OK {
			continue
		}
		s := parser.NewScanner(parser.Limits(c.Limits))
		at := valueAt(c)
		for i := range c.N() {
			require.Equal(t, i > at, s.Type() != 0, "%s: type %v before byte %d", c.Name, s.Type(), i)
			_, done, err := s.Scan([]byte(c.Wire[i : i+1]))
			require.NoError(t, err, c.Name)
			require.Equal(t, i+1 == c.N(), done, c.Name)
		}
		require.Equal(t, parser.Type(c.Wire[at]), s.Type(), c.Name)
	}
}

// valueAt gives where the value of the frame of c begins.
func valueAt(c vectors.Case) int {
	tree := oracle.Parse([]byte(c.Wire), c.Limits).Tree
	if n := len(tree.Attributes); n > 0 {
		return tree.Attributes[n-1].End
	}
	return tree.Start
}

// front stands before the frame of a vector: valid frames that fit the limits of every one, or nothing.
var fronts = [][]string{
	nil,
	{"+OK\r\n", "*2\r\n:1\r\n>1\r\n+p\r\n:2\r\n", "|1\r\n+k\r\n+v\r\n>2\r\n$7\r\nmessage\r\n$?\r\n;2\r\nhi\r\n;0\r\n", "*?\r\n.\r\n", "$20\r\n12345678901234567890\r\n"},
}

// connections are the ways to put a Reader on a vectors.Feed. source is nil if the Reader has its own buffer.
var connections = []struct {
	name string
	open func(f *vectors.Feed, l parser.Limits) (r *parser.Reader, source *bufio.Reader)
}{
	{"reader", func(f *vectors.Feed, l parser.Limits) (*parser.Reader, *bufio.Reader) {
		return parser.NewReader(f, parser.WithLimits(l)), nil
	}},
	{"reader-16", func(f *vectors.Feed, l parser.Limits) (*parser.Reader, *bufio.Reader) {
		return parser.NewReader(f, parser.WithLimits(l), parser.WithBufferSize(16)), nil
	}},
	{"source-16", func(f *vectors.Feed, l parser.Limits) (*parser.Reader, *bufio.Reader) {
		source := bufio.NewReaderSize(f, 16)
		return parser.NewReader(source, parser.WithLimits(l)), source
	}},
	{"source-4096", func(f *vectors.Feed, l parser.Limits) (*parser.Reader, *bufio.Reader) {
		source := bufio.NewReaderSize(f, 4096)
		return parser.NewReader(source, parser.WithLimits(l)), source
	}},
}

// The test reads every vector off a connection that gives one byte at a time and has no byte more than the
// verdict needs: a Reader that waits for more than that stalls here.
func TestVectorsReadFromAConnectionThatHasNoByteMore(t *testing.T) {
	for _, connection := range connections {
		for i, front := range fronts {
			for _, c := range vectors.Cases() {
				if i > 0 && !defaults(c) {
					continue
				}
				t.Run(connection.name+[]string{"/", "/later/"}[i]+c.Name, func(t *testing.T) {
					base := len(strings.Join(front, ""))
					stream := []byte(strings.Join(front, "") + c.Wire[:decided(c)])
					r, source := connection.open(&vectors.Feed{Data: stream, Cuts: oneByte, End: vectors.ErrStall}, parser.Limits(c.Limits))
					for _, wire := range front {
						f, err := r.Next()
						require.NoError(t, err)
						require.Equal(t, wire, string(f.Raw()))
					}
					readCase(t, r, c, base)
					if source != nil && c.Want.Verdict == oracle.OK {
						require.Zero(t, source.Buffered(), "bytes left in the source")
					}
					r.Release()
				})
			}
		}
	}
}

// readCase wants the outcome of c from r.Next.
func readCase(t *testing.T, r *parser.Reader, c vectors.Case, base int) {
	t.Helper()
	f, err := r.Next()
	want := c.Result()
	if want.Verdict == oracle.Incomplete {
		require.ErrorIs(t, err, vectors.ErrStall)
		require.NoError(t, r.Err())
		return
	}
	if err != nil {
		require.Zero(t, f.Type(), "a frame with an error")
		require.True(t, sameOutcome(outcome(0, err, base), want), "got %v, want %+v, offset from %d", err, want, base)
		require.Same(t, err, r.Err())
		_, again := r.Next()
		require.Same(t, err, again)
		_, again = r.PeekType()
		require.Same(t, err, again)
		_, _, again = r.PeekPush()
		require.Same(t, err, again)
		require.Same(t, err, r.Skip())
		return
	}
	wire := []byte(c.Wire)
	require.True(t, sameOutcome(outcome(len(f.Raw()), nil, 0), want), "got %q, want %+v", f.Raw(), want)
	require.Equal(t, c.Want.String(), render(f))
	require.Empty(t, differ(f, oracle.Parse(wire, c.Limits).Tree, wire))
	_, err = r.Next()
	require.ErrorIs(t, err, vectors.ErrStall)
}

// The test reads every vector off a connection that has all bytes ready, and others behind them.
func TestVectorsReadFromAConnectionThatHasAllBytes(t *testing.T) {
	for _, connection := range connections {
		for _, c := range vectors.Cases() {
			if c.Want.Verdict == oracle.Incomplete {
				continue
			}
			if c.Want.Verdict != oracle.OK {
				r, _ := connection.open(&vectors.Feed{Data: []byte(c.Wire + "+behind\r\n"), End: io.EOF}, parser.Limits(c.Limits))
				_, err := r.Next()
				require.True(t, sameOutcome(outcome(0, err, 0), c.Result()), "%s/%s: got %v, want %+v", connection.name, c.Name, err, c.Result())
				r.Release()
				continue
			}
			stream := []byte(c.Wire[:c.N()] + "+behind\r\n" + c.Wire[:c.N()] + "rest")
			r, source := connection.open(&vectors.Feed{Data: stream, End: io.EOF}, parser.Limits(allow(c)))
			for _, want := range []string{c.Wire[:c.N()], "+behind\r\n", c.Wire[:c.N()]} {
				f, err := r.Next()
				require.NoError(t, err, "%s/%s", connection.name, c.Name)
				require.Equal(t, want, string(f.Raw()), "%s/%s", connection.name, c.Name)
			}
			if source != nil {
				rest, err := io.ReadAll(source)
				require.NoError(t, err)
				require.Equal(t, "rest", string(rest), "%s/%s", connection.name, c.Name)
			}
			r.Release()
		}
	}
}

// allow gives the limits of c, with room in MaxFrame for "+behind\r\n".
func allow(c vectors.Case) oracle.Limits {
	l := c.Limits
	if l.MaxFrame > 0 {
		l.MaxFrame = max(l.MaxFrame, 9)
	}
	return l
}

// The test ends the stream inside what is incomplete, and between frames.
func TestVectorsReaderTellsWhereTheStreamEnded(t *testing.T) {
	for _, connection := range connections {
		for _, c := range vectors.Cases() {
			if c.Want.Verdict != oracle.Incomplete && c.Want.Verdict != oracle.OK {
				continue
			}
			wire := c.Wire
			if c.Want.Verdict == oracle.OK {
				wire = wire[:c.N()-1]
			}
			r, _ := connection.open(&vectors.Feed{Data: []byte(wire), Cuts: []byte{3}, End: io.EOF}, parser.Limits(c.Limits))
			want := io.ErrUnexpectedEOF
			if wire == "" {
				want = io.EOF
			}
			for range 2 {
				_, err := r.Next()
				require.Equal(t, want, err, "%s/%s", connection.name, c.Name)
			}
			require.NoError(t, r.Err(), "a sticky end")
			r.Release()
		}
	}
}

// The test peeks at every vector before reading it, on a connection that has no byte more than is needed.
func TestVectorsPeekedAtAreReadAllTheSame(t *testing.T) {
	for _, connection := range connections {
		for _, c := range vectors.Cases() {
			if c.Want.Verdict != oracle.OK {
				continue
			}
			where := connection.name + "/" + c.Name
			tree := oracle.Parse([]byte(c.Wire), c.Limits).Tree
			at := valueAt(c)
			feed := &vectors.Feed{Data: []byte(c.Wire[:c.N()]), Cuts: oneByte, End: vectors.ErrStall}
			r, _ := connection.open(feed, parser.Limits(c.Limits))
			for range 2 {
				kind, err := r.PeekType()
				require.NoError(t, err, where)
				require.Equal(t, parser.Type(c.Wire[at]), kind, where)
				require.Len(t, feed.Data, c.N()-at-1, "%s: PeekType read on", where)
			}
			for range 2 {
				name, push, err := r.PeekPush()
				require.NoError(t, err, where)
				require.Equal(t, tree.Type == '>', push, where)
				want, named := tree.Name()
				require.Equal(t, named, name != nil, where)
				require.Equal(t, string(want), string(name), where)
				if named {
					require.GreaterOrEqual(t, len(feed.Data), c.N()-tree.Children[0].End, "%s: PeekPush read on", where)
				} else if !push {
					require.Len(t, feed.Data, c.N()-at-1, "%s: PeekPush read on", where)
				}
			}
			readCase(t, r, c, 0)
			r.Release()
		}
	}
}

// The test skips every vector: what follows is intact, and what is wrong is reported as Next does.
func TestVectorsSkippedLeaveWhatFollowsIntact(t *testing.T) {
	for _, connection := range connections {
		for _, c := range vectors.Cases() {
			if !defaults(c) || c.Want.Verdict == oracle.OverLimit || c.Want.Verdict == oracle.Incomplete {
				continue
			}
			where := connection.name + "/" + c.Name
			stream := "+before\r\n" + c.Wire[:decided(c)]
			if c.Want.Verdict == oracle.OK {
				stream += "+behind\r\n"
			}
			r, _ := connection.open(&vectors.Feed{Data: []byte(stream), Cuts: []byte{5, 1}, End: vectors.ErrStall}, parser.Limits(c.Limits))
			require.NoError(t, r.Skip(), where)
			err := r.Skip()
			if c.Want.Verdict == oracle.Syntax {
				require.True(t, sameOutcome(outcome(0, err, 9), c.Result()), "%s: got %v, want %+v", where, err, c.Result())
				require.Same(t, err, r.Err(), where)
				continue
			}
			require.NoError(t, err, where)
			f, err := r.Next()
			require.NoError(t, err, where)
			require.Equal(t, "+behind\r\n", string(f.Raw()), where)
			r.Release()
		}
	}
}

// The test nests what no stack could hold.
func TestMillionLevelsAreOverTheLimit(t *testing.T) {
	want := oracle.Result{Verdict: oracle.OverLimit, Limit: "MaxDepth", Max: 128, Got: 129, Offset: 512}
	for _, wire := range []string{
		">1\r\n" + strings.Repeat("*1\r\n", 1_000_000),
		"*1\r\n" + strings.Repeat("~?\r\n", 1_000_000),
		"|1\r\n" + strings.Repeat("|1\r\n", 1_000_000),
	} {
		_, n, err := parser.Parse([]byte(wire))
		require.Equal(t, want, outcome(n, err, 0))
		_, err = parser.NewReader(strings.NewReader(wire)).Next()
		require.Equal(t, want, outcome(0, err, 0))
	}
}
