package parser_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

const passedPush = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"

// pass feeds the frames of stream to Pass in pieces of size bytes, takes the
// pushes inside them out, and returns what is left and the pushes.
func pass(t *testing.T, stream string, size int) (left string, pushes []string) {
	t.Helper()
	var outer, inner parser.Scanner
	var kept, push []byte
	inside := false
	for len(stream) > 0 {
		p := []byte(stream[:min(size, len(stream))])
		stream = stream[len(p):]
		for len(p) > 0 {
			if inside {
				n, done, err := inner.Scan(p)
				require.NoError(t, err)
				push, p = append(push, p[:n]...), p[n:]
				if done {
					require.Equal(t, string(push), string(inner.Frame(push).Raw()))
					pushes, push, inside = append(pushes, string(push)), nil, false
				}
				continue
			}
			n, done, err := outer.Pass(p)
			require.NoError(t, err)
			kept, p = append(kept, p[:n]...), p[n:]
			inside = !done && len(p) > 0
		}
	}
	require.False(t, inside)
	return string(kept), pushes
}

func TestScannerPassStopsBeforeInnerPushes(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"in an array", "*2\r\n+OK\r\n", ":1\r\n"},
		{"first in an array", "*1\r\n", "$3\r\nabc\r\n"},
		{"two levels down", "*1\r\n*2\r\n:1\r\n", ":2\r\n"},
		{"in a map", "%1\r\n+k\r\n", "+v\r\n"},
		{"behind an attribute", "*1\r\n|1\r\n+a\r\n+b\r\n", ":1\r\n"},
		{"in an attribute", "*1\r\n|1\r\n+a\r\n", "+b\r\n:1\r\n"},
		{"in a streamed array", "*?\r\n:1\r\n", ".\r\n"},
		{"with attributes, last in a streamed array", "*?\r\n:1\r\n|1\r\n+a\r\n+b\r\n", ".\r\n"},
		{"with attributes twice, alone in a streamed set", "~?\r\n|1\r\n+a\r\n+b\r\n|0\r\n", ".\r\n"},
		{"with attributes, last in a streamed map", "%?\r\n+k\r\n+v\r\n|1\r\n+a\r\n+b\r\n", ".\r\n"},
		{"with attributes, before the value of a streamed map", "%?\r\n+k\r\n|1\r\n+a\r\n+b\r\n", "+v\r\n.\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := "+OK\r\n" + c.before + passedPush + passedPush + c.after + "$-1\r\n"
			for size := 1; size <= len(stream); size++ {
				left, pushes := pass(t, stream, size)
				require.Equal(t, "+OK\r\n"+c.before+c.after+"$-1\r\n", left)
				require.Equal(t, []string{passedPush, passedPush}, pushes)
			}
		})
	}
}

// TestScannerPassFindsMisplacedEnds puts the end of a streamed aggregate where a value is missing, behind a push that
// does not stand for it.
func TestScannerPassFindsMisplacedEnds(t *testing.T) {
	for _, wire := range []string{
		"%?\r\n+k\r\n" + passedPush + ".\r\n",
		"%?\r\n+k\r\n|1\r\n+a\r\n+b\r\n" + passedPush + ".\r\n",
		"*?\r\n" + passedPush + "|0\r\n.\r\n",
		"*?\r\n|0\r\n" + passedPush + "|0\r\n.\r\n",
	} {
		_, _, err := parser.Parse([]byte(wire))
		require.ErrorIs(t, err, parser.ErrEnd)
		at := strings.Index(wire, passedPush)
		for size := 1; size <= len(wire); size++ {
			var s parser.Scanner
			for rest, stop := []byte(wire[:at]), []byte(wire[at+len(passedPush):]); ; {
				p := rest[:min(size, len(rest))]
				var n int
				n, _, err = s.Pass(p)
				if err != nil {
					break
				}
				if rest = rest[n:]; len(rest) == 0 {
					n, done, err := s.Pass([]byte(passedPush))
					require.NoError(t, err)
					require.False(t, done)
					require.Zero(t, n)
					rest = stop
				}
			}
			require.ErrorIs(t, err, parser.ErrEnd, "%q in pieces of %d", wire, size)
		}
	}
}

// TestScannerScanGoesOnAfterPass goes on with Scan beyond the limits in a frame that Pass has begun.
func TestScannerScanGoesOnAfterPass(t *testing.T) {
	wire := "*40\r\n" + strings.Repeat("$5\r\nhello\r\n", 40)
	for cut := 1; cut < len(wire); cut++ {
		s := parser.NewScanner(parser.Limits{MaxFrame: 64, MaxBulk: 4, MaxElements: 8})
		n, done, err := s.Pass([]byte(wire[:cut]))
		require.NoError(t, err)
		require.False(t, done)
		require.Equal(t, cut, n)
		n, done, err = s.Scan([]byte(wire[cut:]))
		require.NoError(t, err)
		require.True(t, done)
		require.Equal(t, len(wire)-cut, n)
		require.Zero(t, s.Frame([]byte(wire)), "no limit was looked at")
		_, _, err = s.Scan([]byte("$5\r\n"))
		require.ErrorAs(t, err, new(*parser.LimitError))
	}
}

// TestScannerSkipConsumesFramesOfAnySize drops every vector, cut everywhere, and then what is beyond every limit.
func TestScannerSkipConsumesFramesOfAnySize(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict != oracle.OK || c.Limits.MaxDepth > 0 {
			continue
		}
		s := parser.NewScanner(parser.Limits{MaxFrame: 1, MaxBulk: 1, MaxElements: 1})
		for cut := 0; cut <= c.N(); cut += step(c.Wire) {
			first, done, err := s.Skip([]byte(c.Wire[:cut]))
			require.NoError(t, err, c.Name)
			require.Equal(t, cut, first, c.Name)
			if !done {
				var second int
				second, done, err = s.Skip([]byte(c.Wire[cut:]))
				require.NoError(t, err, c.Name)
				first += second
			}
			require.True(t, done, c.Name)
			require.Equal(t, c.N(), first, "%s cut at %d", c.Name, cut)
			require.Zero(t, s.Frame([]byte(c.Wire[:c.N()])), c.Name)
		}
	}
	s := parser.NewScanner(parser.Limits{MaxFrame: 64, MaxBulk: 8, MaxElements: 2, MaxDepth: 2})
	pieces := [][]byte{[]byte(strings.Repeat("*1\r\n", 1000)), []byte(":1\r\n"), []byte("$1000000\r\n"), make([]byte, 1_000_000), []byte("\r\n")}
	allocated := allocs.PerRun(10, func() {
		for _, p := range pieces {
			if n, _, err := s.Skip(p); n != len(p) || err != nil {
				panic("not consumed")
			}
		}
	})
	require.Zero(t, allocated)
	_, _, err := s.Scan([]byte("$100\r\n"))
	require.ErrorAs(t, err, new(*parser.LimitError), "only Skip knows no limits")
}

func TestScannerSkipReportsWhatCannotBeCounted(t *testing.T) {
	var s parser.Scanner
	_, _, err := s.Skip([]byte("*2\r\n" + strings.Repeat("*?\r\n", 200)))
	var limit *parser.LimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, "MaxDepth", limit.Limit)
	s.Reset()
	_, _, err = s.Skip([]byte("*2\r\n$x"))
	require.Equal(t, &parser.SyntaxError{Offset: 5, Err: parser.ErrLength}, err)
}

func TestScannerSkipCountsUpToTheLargestInt64(t *testing.T) {
	const head = "*9223372036854775806\r\n"
	for inside, most := range map[string]bool{
		"*2\r\n": true, "*3\r\n": false, "%1\r\n": true, "%2\r\n": false, // one of the values to come is an array of others
		">1\r\n": true, ">2\r\n": false, "|1\r\n": false, ":1\r\n|1\r\n": true, // none is a push, nor an attribute
	} {
		s := parser.NewScanner(parser.Limits{MaxDepth: 1})
		n, done, err := s.Skip([]byte(head + inside))
		require.False(t, done)
		if most {
			require.NoError(t, err, inside)
			require.Equal(t, len(head+inside), n)
			continue
		}
		require.Equal(t, &parser.LimitError{Limit: "MaxElements", Max: parser.DefaultMaxElements, Got: math.MaxInt64, Offset: int64(len(head))}, err, inside)
	}
}

func TestScannerPassKnowsNoLimits(t *testing.T) {
	s := parser.NewScanner(parser.Limits{MaxFrame: 64, MaxBulk: 8, MaxElements: 2, MaxDepth: 2})
	for _, wire := range []string{
		"$100\r\n" + strings.Repeat("x", 100) + "\r\n",
		"*10\r\n" + strings.Repeat(":1\r\n", 10),
		strings.Repeat("*1\r\n", 1000) + ":1\r\n",
	} {
		n, done, err := s.Pass([]byte(wire))
		require.NoError(t, err)
		require.True(t, done)
		require.Equal(t, len(wire), n)
	}
	_, _, err := s.Scan([]byte("$100\r\n"))
	var limit *parser.LimitError
	require.ErrorAs(t, err, &limit, "only Pass knows no limits")
}

func TestScanTypeStopsBehindTheTypeByte(t *testing.T) {
	const attributes = "|1\r\n+a\r\n+b\r\n"
	for _, c := range []struct {
		wire string
		n    int
		typ  parser.Type
	}{
		{"+OK\r\n", 1, parser.TypeSimpleString},
		{attributes + "*1\r\n:1\r\n", len(attributes) + 1, parser.TypeArray},
		{attributes, len(attributes), 0},
		{attributes[:5], 5, 0},
	} {
		var s parser.Scanner
		n, done, err := s.ScanType([]byte(c.wire))
		require.NoError(t, err)
		require.False(t, done)
		require.Equal(t, c.n, n)
		require.Equal(t, c.typ, s.Type())
		if c.typ != 0 {
			n, done, err = s.Scan([]byte(c.wire[n:]))
			require.NoError(t, err)
			require.True(t, done)
			require.Equal(t, len(c.wire)-c.n, n)
		}
	}
}

// TestScanTypeConsumesNoMore asks for the type of every vector twice, with as many bytes allowed as that takes.
func TestScanTypeConsumesNoMore(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict != oracle.OK || c.Limits != (oracle.Limits{}) {
			continue
		}
		at := valueAt(c)
		s := parser.NewScanner(parser.Limits{MaxFrame: at + 1})
		for _, want := range []int{at + 1, 0} {
			n, done, err := s.ScanType([]byte(c.Wire[at+1-want:]))
			require.NoError(t, err, c.Name)
			require.False(t, done, c.Name)
			require.Equal(t, want, n, c.Name)
			require.Equal(t, parser.Type(c.Wire[at]), s.Type(), c.Name)
		}
		_, _, err := s.Scan([]byte(c.Wire[at+1:]))
		var limit *parser.LimitError
		require.ErrorAs(t, err, &limit, c.Name)
		require.Equal(t, "MaxFrame", limit.Limit)

		var whole parser.Scanner
		n, _, err := whole.ScanType([]byte(c.Wire))
		require.NoError(t, err, c.Name)
		rest, done, err := whole.Scan([]byte(c.Wire[n:]))
		require.NoError(t, err, c.Name)
		require.True(t, done, c.Name)
		require.Equal(t, c.N(), n+rest, c.Name)
		require.Equal(t, c.Want.String(), render(whole.Frame([]byte(c.Wire[:c.N()]))), c.Name)
	}
}

func TestScannerFrameIsTheFrameThatEnded(t *testing.T) {
	var s parser.Scanner
	require.Zero(t, s.Frame(nil))
	b := []byte("|1\r\n+a\r\n:1\r\n" + passedPush)
	_, done, err := s.Scan(b[:20])
	require.NoError(t, err)
	require.False(t, done)
	require.Zero(t, s.Frame(b[:20]), "not ended")
	_, done, err = s.Scan(b[20:])
	require.NoError(t, err)
	require.True(t, done)
	require.Zero(t, s.Frame(b[1:]), "not all of it")
	f := s.Frame(b)
	require.True(t, f.IsPush())
	require.Equal(t, "invalidate", string(f.Name()))
	require.Equal(t, 2, f.Attributes().Len())
}
