package parser_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

const (
	redirAsSent  = ">3\r\n$21\r\ntracking-redir-broken\r\n:42\r\n"
	redirAsMeant = ">2\r\n$21\r\ntracking-redir-broken\r\n:42\r\n"
)

// quirkReaders are Readers of one stream with the quirk, cut and buffered in different ways.
func quirkReaders(stream string) map[string]*parser.Reader {
	quirk := parser.WithTrackingRedirBrokenQuirk()
	return map[string]*parser.Reader{
		"whole":          parser.NewReader(strings.NewReader(stream), quirk),
		"bytewise":       parser.NewReader(iotest.OneByteReader(strings.NewReader(stream)), quirk),
		"small buffer":   parser.NewReader(strings.NewReader(stream), quirk, parser.WithBufferSize(16)),
		"source":         parser.NewReader(bufio.NewReader(strings.NewReader(stream)), quirk),
		"small source":   parser.NewReader(bufio.NewReaderSize(strings.NewReader(stream), 16), quirk),
		"halves":         parser.NewReader(iotest.HalfReader(strings.NewReader(stream)), quirk),
		"source in bits": parser.NewReader(bufio.NewReader(iotest.OneByteReader(strings.NewReader(stream))), quirk),
	}
}

func TestQuirkTakesTwoElementsForThree(t *testing.T) {
	for name, r := range quirkReaders(redirAsSent + redirAsSent + "+PONG\r\n" + redirAsMeant + ":7\r\n") {
		t.Run(name, func(t *testing.T) {
			for _, want := range []string{redirAsMeant, redirAsMeant, "+PONG\r\n", redirAsMeant, ":7\r\n"} {
				f, err := r.Next()
				require.NoError(t, err)
				require.Equal(t, want, string(f.Raw()))
				require.Equal(t, want[0] == '>', f.IsPush())
				if f.IsPush() {
					require.Equal(t, 2, f.Len())
					require.Equal(t, "tracking-redir-broken", string(f.Name()))
				}
			}
			_, err := r.Next()
			require.ErrorIs(t, err, io.EOF)
		})
	}
}

func TestQuirkTakesTwoElementsAfterAPeek(t *testing.T) {
	for name, r := range quirkReaders(redirAsSent + "+PONG\r\n") {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				push, ok, err := r.PeekPush()
				require.NoError(t, err)
				require.True(t, ok)
				require.Equal(t, "tracking-redir-broken", string(push))
			}
			f, ok, err := r.Driver().NextPush(true)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, redirAsMeant, string(f.Raw()))
			_, ok, err = r.Driver().NextPush(true)
			require.NoError(t, err)
			require.False(t, ok)
		})
	}
}

func TestQuirkSkipsTwoElements(t *testing.T) {
	for name, r := range quirkReaders(redirAsSent + redirAsSent + "+PONG\r\n") {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, r.Skip())
			_, _, err := r.PeekPush()
			require.NoError(t, err)
			require.NoError(t, r.Skip())
			f, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, "+PONG\r\n", string(f.Raw()))
		})
	}
}

func TestQuirkWaitsForNoThirdElement(t *testing.T) {
	p := newPipe(t, redirAsSent)
	r := parser.NewReader(p, parser.WithTrackingRedirBrokenQuirk())
	p.next(t, r, redirAsMeant)
}

// TestQuirkSkipKnowsNoLimits drops frames whose heads are over a limit.
func TestQuirkSkipKnowsNoLimits(t *testing.T) {
	for _, wire := range []string{">9\r\n$1\r\na\r\n" + strings.Repeat(":1\r\n", 8), ">1\r\n$20\r\n01234567890123456789\r\n", redirAsSent} {
		r := parser.NewReader(strings.NewReader(wire+"+PONG\r\n"), parser.WithTrackingRedirBrokenQuirk(), parser.WithLimits(parser.Limits{MaxFrame: 16, MaxBulk: 8, MaxElements: 2}))
		require.NoError(t, r.Skip(), "%q", wire)
		f, err := r.Next()
		require.NoError(t, err, "%q", wire)
		require.Equal(t, "+PONG\r\n", string(f.Raw()))
	}
}

func TestQuirkIsOffByDefault(t *testing.T) {
	f, n, err := parser.Parse([]byte(redirAsSent + "+PONG\r\n"))
	require.NoError(t, err)
	require.Equal(t, len(redirAsSent)+len("+PONG\r\n"), n)
	require.Equal(t, 3, f.Len())
}

func TestQuirkLeavesOtherFramesAlone(t *testing.T) {
	stream := ">3\r\n$21\r\ntracking-redir-brokeN\r\n:42\r\n:43\r\n" +
		">3\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n:1\r\n" +
		"*3\r\n$21\r\ntracking-redir-broken\r\n:42\r\n:1\r\n" +
		">1\r\n$21\r\ntracking-redir-broken\r\n>0\r\n"
	plain := parser.NewReader(strings.NewReader(stream))
	want := []string{}
	for f, err := plain.Next(); err == nil; f, err = plain.Next() {
		want = append(want, string(f.Raw()))
	}
	require.Len(t, want, 5)
	for name, r := range quirkReaders(stream) {
		t.Run(name, func(t *testing.T) {
			for _, w := range want {
				f, err := r.Next()
				require.NoError(t, err)
				require.Equal(t, w, string(f.Raw()))
			}
		})
	}
}
