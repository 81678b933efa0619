package parser_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// unlimited is how the oracle reads what limits do not apply to.
var unlimited = oracle.Limits{MaxFrame: math.MaxInt, MaxBulk: math.MaxInt, MaxElements: math.MaxInt, MaxDepth: math.MaxInt}

// passReplies calls PassReplies on stream, and wants it to stop between frames, behind whole replies only, and the same
// Scanner to go on from there. It returns how many bytes were consumed.
func passReplies(t *testing.T, stream []byte) int {
	t.Helper()
	var s parser.Scanner
	n := s.PassReplies(stream)
	require.GreaterOrEqual(t, n, 0)
	require.LessOrEqual(t, n, len(stream))
	at := 0
	for at < n {
		r := oracle.Parse(stream[at:], unlimited)
		require.Equal(t, oracle.OK, r.Verdict, "%.300q: consumed %d bytes, with what is at %d", stream, n, at)
		require.NotEqual(t, byte('>'), r.Tree.Type, "%.300q at %d", stream, at)
		require.NotEqual(t, byte('|'), stream[at], "%.300q at %d", stream, at)
		at += r.N
	}
	require.Equal(t, n, at, "%.300q: stopped in the middle of a frame", stream)
	want := oracle.Parse(stream[n:], oracle.Limits{})
	k, done, err := s.Scan(stream[n:])
	got := outcome(k, err, n)
	if err == nil && !done {
		got = oracle.Result{Verdict: oracle.Incomplete}
	}
	require.True(t, sameOutcome(got, want), "%.300q: behind %d bytes\ngot  %+v\nwant %+v", stream, n, got, want)
	return n
}

// general reports whether this build has no fast path.
func general() bool {
	var s parser.Scanner
	return s.PassReplies([]byte("$1\r\na\r\n:1\r\n:1\r\n")) == 0
}

func TestPassRepliesConsumesManyAtOnce(t *testing.T) {
	if general() {
		t.Skip("this build has no fast path")
	}
	const bulk = "$4\r\nkey0\r\n"
	for _, reply := range []string{
		"+OK\r\n", "+\r\n", "+PONG\r\n", "+QUEUED\r\n", "+12345\r\n", "+123456\r\n", "+a\r\r\n", "+\n\n\r\n", "-ERR no\r\n", ":1\r\n", ":-12\r\n", ":1234567890\r\n", "_\r\n",
		bulk, "$0\r\n\r\n", "$2\r\n\r\n\r\n", "$1000\r\n" + strings.Repeat("x", 1000) + "\r\n", "$99999\r\n" + strings.Repeat("x", 99999) + "\r\n",
		"*1\r\n" + bulk, "*3\r\n:1\r\n_\r\n" + bulk, "*20\r\n" + strings.Repeat(bulk, 20), "*2\r\n*1\r\n" + bulk + ":1\r\n", "%1\r\n" + bulk + ":1\r\n", "~2\r\n" + bulk + ":1\r\n",
		"*0\r\n", "%1\r\n:1\r\n*2\r\n" + bulk + bulk,
	} {
		for _, behind := range []string{"", ">1\r\n$1\r\np\r\n", "|1\r\n+a\r\n+b\r\n:1\r\n", "x", "+O", "$4\r\nkey", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", "*1\r\n"} {
			for _, other := range []string{"", "+OK\r\n", bulk, "$5\r\nkey00\r\n", "+OL\r\n"} {
				stream := strings.Repeat(reply+other, 10)
				n := passReplies(t, []byte(stream+behind))
				// What is shorter than a load may be left at the end.
				require.GreaterOrEqual(t, n, len(stream)-max(8, len(reply)), "%q, %q, %q", reply, other, behind)
				if len(behind) >= 8 {
					require.Equal(t, len(stream), n, "%q, %q, %q", reply, other, behind)
				}
			}
		}
	}
}

// TestPassRepliesSeesWhatEndsARunOfLines puts other frames into long runs of one line, at every place.
func TestPassRepliesSeesWhatEndsARunOfLines(t *testing.T) {
	if general() {
		t.Skip("this build has no fast path")
	}
	for _, line := range []string{"+\r\n", "+OK\r\n", "+PONG!\r\n"} {
		for before := range 100 {
			for _, end := range []string{invalidate, "+O\n\r\n", "-OK\r\n", "+OK\n\r", "x"} {
				run := strings.Repeat(line, before)
				stream := run + end + strings.Repeat(line, 100)
				var s parser.Scanner
				n := s.PassReplies([]byte(stream))
				switch {
				case end[0] == '+' || end[0] == '-':
					passReplies(t, []byte(stream))
					require.GreaterOrEqual(t, n, len(run))
				default:
					require.Equal(t, len(run), n, "%q after %d of %q", end, before, line)
				}
			}
			for cut := range len(line) {
				run := strings.Repeat(line, before) + line[:cut]
				require.LessOrEqual(t, passReplies(t, []byte(run)), len(run)-cut)
			}
		}
	}
}

func TestPassRepliesConsumesNothingInTheMiddleOfAFrame(t *testing.T) {
	const wire = "*2\r\n$1\r\na\r\n$1\r\nb\r\n"
	for cut := 1; cut < len(wire); cut++ {
		var s parser.Scanner
		n, done, err := s.Pass([]byte(wire[:cut]))
		require.NoError(t, err)
		require.False(t, done)
		require.Zero(t, s.PassReplies([]byte(wire[n:]+strings.Repeat("+OK\r\n", 5))))
		_, done, err = s.Pass([]byte(wire[n:]))
		require.NoError(t, err)
		require.True(t, done)
	}
	var s parser.Scanner
	_, _, err := s.Pass([]byte("x"))
	require.Error(t, err)
	require.Zero(t, s.PassReplies([]byte(strings.Repeat("+OK\r\n", 5))))
}

// TestPassRepliesStopsBetweenFrames passes over streams of vectors, whole and cut, and over generated ones.
func TestPassRepliesStopsBetweenFrames(t *testing.T) {
	cases := vectors.Cases()
	r := rand.New(rand.NewPCG(13, 14))
	for range 3000 {
		var stream []byte
		for range 1 + r.IntN(6) {
			c := cases[r.IntN(len(cases))]
			if len(c.Wire) > long {
				continue
			}
			for range 1 + r.IntN(3) {
				stream = append(stream, c.Wire...)
			}
		}
		passReplies(t, stream)
		passReplies(t, stream[:r.IntN(len(stream)+1)])
	}
	for range 3000 {
		stream := vectors.Generate(nil, randomBytes(r, 1+r.IntN(200)))
		passReplies(t, stream)
		passReplies(t, append(stream, stream...))
	}
}

func TestFrameAfterPassRepliesIsCountedFromItsFirstByte(t *testing.T) {
	const replies, push = "$1\r\na\r\n:1\r\n+longer than a load\r\n", ">2\r\n+name\r\n:1\r\n"
	s := parser.NewScanner(parser.Limits{MaxFrame: len(push)})
	for range 3 {
		for range 2 {
			n := s.PassReplies([]byte(replies + push))
			require.True(t, n == len(replies) || general())
		}
		n, done, err := s.Scan([]byte(push))
		require.NoError(t, err)
		require.True(t, done)
		f := s.Frame([]byte(push[:n]))
		require.Equal(t, push, string(f.Raw()))
		require.Equal(t, "name", string(f.Name()))
		require.Equal(t, `["name" 1]`, f.Value().String())
	}
}
