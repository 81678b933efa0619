package parser_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	var s parser.Scanner
	_, _, err := s.ScanType([]byte(attributes + passedPush))
	require.NoError(t, err)
	require.Equal(t, parser.TypePush, s.Type())
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
