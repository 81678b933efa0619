package parser_test

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// readFunc is an io.Reader that is a function.
type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

func TestReadersOfAllMannersGiveTheSameFrames(t *testing.T) {
	frames := mixed()[:40]
	stream := strings.Join(frames, "")
	manners := map[string]func(rd io.Reader) io.Reader{
		"data with the error": iotest.DataErrReader,
		"one byte":            iotest.OneByteReader,
		"half":                iotest.HalfReader,
		"sometimes nothing": func(rd io.Reader) io.Reader {
			n := 0
			return readFunc(func(p []byte) (int, error) {
				if n++; n%3 != 0 {
					return 0, nil
				}
				return rd.Read(p[:min(len(p), 100)])
			})
		},
	}
	for name, manner := range manners {
		eachHold(t, func(t *testing.T, hold hold) {
			r, _ := hold(manner(strings.NewReader(stream)))
			for _, want := range frames {
				f, err := r.Next()
				require.NoError(t, err, name)
				require.True(t, want == string(f.Raw()), name)
			}
			_, err := r.Next()
			require.Equal(t, io.EOF, err, name)
		})
	}
}

func TestErrorThatComesWithBytesIsToldBehindThem(t *testing.T) {
	broken := errors.New("broken")
	for _, wire := range []string{pong, invalidate, invalidate + pong, bulk(strings.Repeat("x", 30_000)), bulk(strings.Repeat("x", 100_000))} {
		eachHold(t, func(t *testing.T, hold hold) {
			rest := wire
			r, _ := hold(readFunc(func(p []byte) (int, error) {
				if rest == "" {
					rest = wire // the connection is well again
				}
				n := copy(p, rest)
				if rest = rest[n:]; rest == "" {
					return n, broken
				}
				return n, nil
			}))
			for range 3 {
				got := ""
				for len(got) < len(wire) {
					f, err := r.Next()
					require.NoError(t, err)
					got += string(f.Raw())
				}
				require.True(t, wire == got)
				_, err := r.Next()
				require.Equal(t, broken, err, "once")
				require.NoError(t, r.Err())
			}
		})
	}
}

func TestErrorsOfTheConnectionAreReturnedAsTheyAreAndNotKept(t *testing.T) {
	broken := errors.New("broken")
	for _, name := range []string{"Next", "Skip", "PeekType", "PeekPush", "NextPush", "Fill"} {
		eachHold(t, func(t *testing.T, hold hold) {
			p := newPipe(t, broken, timeout, io.ErrUnexpectedEOF, broken, pong)
			r, _ := hold(p)
			for _, want := range []error{broken, timeout, io.ErrUnexpectedEOF, broken} {
				require.Equal(t, want, uses[name](r), name)
				require.NoError(t, r.Err())
				require.Zero(t, must(r.Pending()))
			}
			p.next(t, r, pong)
		})
	}
}

func TestConnectionThatGivesNothingForEverIsNoProgress(t *testing.T) {
	for _, before := range []string{"", ">2\r\n", bulk(strings.Repeat("x", 100_000))[:90_000]} {
		for _, name := range []string{"Next", "Skip", "PeekType", "PeekPush", "NextPush", "Fill"} {
			eachHold(t, func(t *testing.T, hold hold) {
				rest := before
				r, _ := hold(readFunc(func(p []byte) (int, error) {
					n := copy(p, rest)
					rest = rest[n:]
					return n, nil
				}))
				var err error
				for range 100_000 { // that Fill has had enough
					if err = uses[name](r); err != nil || name[:4] == "Peek" && before != "" {
						break
					}
				}
				if err == nil {
					_, err = r.Next() // what could be peeked at has not ended
				}
				require.Equal(t, io.ErrNoProgress, err, name)
				require.NoError(t, r.Err())
			})
		}
	}
}

func TestWrongCountsAreNoProgress(t *testing.T) {
	for _, before := range []string{"", ">2\r\n", bulk(strings.Repeat("x", 100_000))[:90_000]} {
		for _, wrong := range []func(n int) int{
			func(int) int { return -1 },
			func(n int) int { return n + 1 },
		} {
			rest := before
			r := parser.NewReader(readFunc(func(p []byte) (int, error) {
				if rest == "" {
					return wrong(len(p)), nil
				}
				n := copy(p, rest)
				rest = rest[n:]
				return n, nil
			}))
			for range 2 {
				_, err := r.Next()
				require.Equal(t, io.ErrNoProgress, err)
			}
		}
	}
}

// source is a client's buffer that is not bufio's: it has no Size, and no Read.
type source struct{ b *bufio.Reader }

func (s source) Peek(n int) ([]byte, error)  { return s.b.Peek(n) }
func (s source) Discard(n int) (int, error)  { return s.b.Discard(n) }
func (s source) Buffered() int               { return s.b.Buffered() }
func (s source) reader() *parser.Reader      { return parser.NewSourceReader(s) }
func sourceOf(rd io.Reader, size int) source { return source{bufio.NewReaderSize(rd, size)} }
func (s source) rest(t *testing.T, n int) string {
	b, err := s.b.Peek(n)
	require.NoError(t, err)
	return string(b)
}

func TestSourceThatIsNoReaderIsReadInPlace(t *testing.T) {
	frames := mixed()[:60]
	for _, size := range bufferSizes {
		s := sourceOf(strings.NewReader(strings.Join(frames, "")+"rest"), size)
		r := s.reader()
		for _, want := range frames {
			f, err := r.Next()
			require.NoError(t, err)
			require.True(t, want == string(f.Raw()))
		}
		require.Equal(t, "rest", s.rest(t, 4))
		r.Release()
		_, err := r.Next()
		require.Equal(t, io.EOF, err)
	}
}

// stuck is a Source that breaks its word: Peek returns less than it was asked for, and no error.
type stuck struct{ source }

func (s stuck) Peek(n int) ([]byte, error) { return s.b.Peek(min(n, s.b.Buffered())) }

func TestSourceThatBreaksItsWordIsNoProgress(t *testing.T) {
	s := stuck{sourceOf(strings.NewReader(invalidate), 16)}
	r := parser.NewSourceReader(s)
	_, err := r.Next()
	require.Equal(t, io.ErrNoProgress, err)
	_, err = s.b.Peek(3)
	require.NoError(t, err)
	_, err = r.Next()
	require.Equal(t, io.ErrNoProgress, err)
}

func TestLargeFramesOfSeveralReadersDoNotMix(t *testing.T) {
	const readers = 5
	var rs [readers]*parser.Reader
	var frames [readers]parser.Frame
	wire := func(i, round int) string { return message(strings.Repeat(string(rune('a'+i)), 40_000+1000*i*round)) }
	for i := range rs {
		rs[i] = parser.NewReader(strings.NewReader(wire(i, 0) + wire(i, 1) + wire(i, 2)))
	}
	for round := range 3 {
		for i, r := range rs {
			f, err := r.Next()
			require.NoError(t, err)
			frames[i] = f
		}
		for i, f := range frames {
			require.True(t, wire(i, round) == string(f.Raw()), "round %d, reader %d", round, i)
		}
	}
}
