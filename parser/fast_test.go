package parser_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// TestFastPathDrawsNoConclusionsFromStaleBytes cuts a push everywhere. In the Reader's buffer there is behind the first
// part what an earlier read has left there, and that would go on with the push as well.
func TestFastPathDrawsNoConclusionsFromStaleBytes(t *testing.T) {
	const wire = ">9\r\n$1\r\np\r\n:123\r\n:-5\r\n:1234567890\r\n$-1\r\n$3\r\nabc\r\n_\r\n*1\r\n:7\r\n:8\r\n"
	for _, stale := range []string{
		":1\r\n", ":-1\r\n", ":9876543210\r\n", "$-1\r\n", "$2\r\nzz\r\n", "_\r\n", "*1\r\n:6\r\n", "+a\r\n", "\r\n", "\n", ">9\r\n$1\r\np\r\n", wire,
	} {
		for cut := 1; cut < len(wire); cut++ {
			text := strings.Repeat("x", max(0, cut-len("$000\r\n"))) + strings.Repeat(stale, 1+200/len(stale))
			before := "$" + strconv.Itoa(len(text)) + "\r\n" + text + "\r\n"
			for _, take := range []func(r *parser.Reader) (parser.Frame, error){(*parser.Reader).Next, taken} {
				r := parser.NewReader(&readByRead{before, wire[:cut], wire[cut:] + "+OK\r\n"}, parser.WithBufferSize(512))
				f, err := r.Next()
				require.NoError(t, err)
				require.Equal(t, before, string(f.Raw()))
				f, err = take(r)
				require.NoError(t, err, "%q cut at %d", stale, cut)
				require.Equal(t, wire, string(f.Raw()), "%q cut at %d", stale, cut)
				f, err = r.Next()
				require.NoError(t, err)
				require.Equal(t, "+OK\r\n", string(f.Raw()))
			}
		}
	}
}

// taken is Next by way of Driver.NextPush.
func taken(r *parser.Reader) (parser.Frame, error) {
	f, ok, err := r.Driver().NextPush(false)
	if err == nil && !ok {
		err = errors.New("no push")
	}
	return f, err
}

// readByRead is a reader that gives one of them for each read.
type readByRead []string

func (c *readByRead) Read(p []byte) (int, error) {
	if len(*c) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*c)[0])
	*c = (*c)[1:]
	return n, nil
}

// TestRunsOfBulksScanAsByteByByte puts something else into each place of a long array of bulks, and wants what a scan
// byte by byte finds, for which no element ever stands whole.
func TestRunsOfBulksScanAsByteByByte(t *testing.T) {
	const bulk = "$4\r\nkey0\r\n"
	for _, odd := range []string{
		bulk, "$5\r\nkey00\r\n", "$4\r\n\r\n\r\n\r\n", "$04\r\nkey0\r\n", "$4\r\nkey0\n\n", "$4\r\nkey0\rx", "$4\r\nkey00\r\n", "$4\r\nkey\r\n",
		"$40000\r\n" + strings.Repeat("x", 40000) + "\r\n", "$-1\r\n", "$?\r\n;4\r\nkey0\r\n;0\r\n", ":4\r\n", "_\r\n", "+key0\r\n", "=8\r\ntxt:key0\r\n",
		"*9\r\n" + strings.Repeat(bulk, 9), ">1\r\n+x\r\n", "|1\r\n+a\r\n+b\r\n" + bulk, "!4\r\nkey0\r\n", "x",
	} {
		for at := range 24 {
			wire := []byte(">2\r\n$10\r\ninvalidate\r\n*24\r\n" + strings.Repeat(bulk, at) + odd + strings.Repeat(bulk, 23-at) + "+OK\r\n")
			var slow parser.Scanner
			want, done, wantErr := 0, false, error(nil)
			for i := 0; i < len(wire) && !done && wantErr == nil; i++ {
				var n int
				n, done, wantErr = slow.Scan(wire[i : i+1])
				want += n
			}
			for _, window := range [][]byte{wire, append([]byte(nil), wire...)[:len(wire):len(wire)]} {
				var fast parser.Scanner
				n, fastDone, err := fast.Scan(window)
				require.Equal(t, want, n, "%q at %d", odd, at)
				require.Equal(t, done, fastDone)
				require.Equal(t, wantErr, err)
				require.Equal(t, slow.Type(), fast.Type())
			}
			for cut := len(wire) - 40; done && cut < len(wire); cut++ {
				var pieces parser.Scanner
				first, pieceDone, err := pieces.Scan(wire[:cut:cut])
				require.NoError(t, err)
				if !pieceDone {
					var second int
					second, pieceDone, err = pieces.Scan(wire[first:])
					require.NoError(t, err)
					first += second
				}
				require.True(t, pieceDone)
				require.Equal(t, want, first)
			}
		}
	}
}

func TestElementsOfAttributesCountForPlainReplies(t *testing.T) {
	const most = 16
	attributes := "|8\r\n" + strings.Repeat(":1\r\n", most)
	for _, reply := range []string{"*1\r\n:1\r\n", "~1\r\n$1\r\na\r\n", "%1\r\n:1\r\n:2\r\n", "*1\r\n*1\r\n:1\r\n"} {
		wire := attributes + reply + pong + pong // the fast path wants bytes behind
		for _, piece := range []int{1, len(attributes), len(wire)} {
			got, _, ok := scanPieces(parser.NewScanner(parser.Limits{MaxElements: most}), []byte(wire), []int{piece, len(wire)})
			require.True(t, ok)
			require.Equal(t, oracle.Parse([]byte(wire), oracle.Limits{MaxElements: most}).Verdict, got.Verdict, "%q cut at %d", reply, piece)
			require.Equal(t, oracle.OverLimit, got.Verdict)
		}
	}
}

// TestFastPathTakesAllThatIsPlain notices what no result tells: that the general path does the work. Nothing is behind
// the frames but room for a load.
func TestFastPathTakesAllThatIsPlain(t *testing.T) {
	if general() {
		t.Skip("this build has no fast path")
	}
	least := parser.Limits{MaxBulk: 99999, MaxDepth: 2, MaxElements: 16}
	for _, wire := range []string{
		">1\r\n$4\r\nname\r\n", invalidate, message("text"), message(strings.Repeat("m", 99999)),
		">5\r\n$4\r\nname\r\n:1\r\n:12345\r\n_\r\n$0\r\n\r\n",
		">2\r\n$4\r\nname\r\n*14\r\n" + strings.Repeat("$1\r\na\r\n", 14), ">3\r\n$4\r\nname\r\n*1\r\n:1\r\n*1\r\n:2\r\n",
	} {
		p := append(make([]byte, 0, len(wire)+8), wire...)
		require.Equal(t, len(wire), parser.NewScanner(least).Plain(p), "%.100q", wire)
		require.Equal(t, len(wire), parser.ShortPush(p), "%.100q", wire)
	}
	for _, wire := range []string{pong, ":1\r\n", "_\r\n", "$99999\r\n" + strings.Repeat("b", 99999) + "\r\n", "*16\r\n" + strings.Repeat(":1\r\n", 16), "%8\r\n" + strings.Repeat("$1\r\na\r\n", 16), "*8\r\n*8\r\n" + strings.Repeat(":1\r\n", 15)} {
		p := append(make([]byte, 0, len(wire)+8), wire...)
		require.Equal(t, len(wire), parser.NewScanner(least).Plain(p), "%.100q", wire)
	}
	for _, less := range []parser.Limits{{MaxBulk: 99998}, {MaxDepth: 1}, {MaxElements: 15}} {
		require.Zero(t, parser.NewScanner(less).Plain([]byte(invalidate+pong)))
	}
}

func TestFastPathEntersAnArrayWhereTheStackHasRoom(t *testing.T) {
	if general() {
		t.Skip("this build has no fast path")
	}
	const array = "*1\r\n:1234\r\n"
	for name, scanner := range map[string]func() *parser.Scanner{
		"Parse":    parser.NewShallowScanner,
		"MaxDepth": func() *parser.Scanner { return parser.NewScanner(parser.Limits{MaxDepth: 7}) },
	} {
		for depth := 1; depth <= 7; depth++ {
			s := scanner()
			_, _, err := s.Scan([]byte(strings.Repeat("*2\r\n", depth)))
			require.NoError(t, err)
			n := s.Plain([]byte(array + pong + pong))
			require.Equal(t, depth < 7, n == len(array), "%s: %d bytes at depth %d", name, n, depth)
		}
	}
}

// TestPlainPushIsWhatParseFinds cuts everything everywhere, with and without room behind it.
func TestPlainPushIsWhatParseFinds(t *testing.T) {
	plain := 0
	for _, c := range vectors.Cases() {
		wire := []byte(c.Wire)
		if len(wire) > 4096 {
			continue
		}
		for end := 0; end <= len(wire); end++ {
			for _, b := range [][]byte{wire[:end], slices.Clone(wire[:end]), append(slices.Clone(wire[:end]), pong...)} {
				f, name := parser.PlainPush(b)
				if name == nil {
					require.Empty(t, f.Raw())
					continue
				}
				plain++
				want, n, err := parser.Parse(b)
				require.NoError(t, err)
				require.Equal(t, want, f)
				require.Len(t, f.Raw(), n)
				require.True(t, f.IsPush())
				require.False(t, f.HasNestedPushes())
				require.Equal(t, want.Name(), name)
			}
		}
	}
	require.Equal(t, general(), plain == 0)
}

// TestRunsOfBulksEndWhereTheirHeadersDo has bulks in a run whose headers begin alike.
func TestRunsOfBulksEndWhereTheirHeadersDo(t *testing.T) {
	bulk := func(n int) string { return fmt.Sprintf("$%d\r\n%s\r\n", n, strings.Repeat("x", n)) }
	for n := 1; n <= 10_000; n *= 10 {
		wire := "*30\r\n" + strings.Repeat(bulk(n), 12) + bulk(10*n) + strings.Repeat(bulk(n), 17)
		f, size, err := parser.Parse([]byte(wire))
		require.NoError(t, err)
		require.Equal(t, len(wire), size)
		require.Equal(t, 30, f.Len())
		head := len(fmt.Sprint(n)) + 1
		for _, spoilt := range []string{bulk(n)[:head] + "\rX" + bulk(n)[head+2:], bulk(n)[:head+2+n] + "\rX", bulk(n)[:head+2+n] + "X\n"} {
			_, _, err = parser.Parse([]byte("*30\r\n" + strings.Repeat(bulk(n), 12) + spoilt + strings.Repeat(bulk(n), 17)))
			var syntax *parser.SyntaxError
			require.ErrorAs(t, err, &syntax, "%.20q", spoilt)
		}
	}
}
