package parser_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// mixed are frames of sizes around those of the buffers, short ones between them.
func mixed() []string {
	frames := []string{invalidate, "+OK\r\n", attribute + invalidate, attribute + "%1\r\n+a\r\n:1\r\n"}
	for _, size := range bufferSizes {
		for n := size - 12; n <= size+9; n += 3 {
			frames = append(frames, bulk(strings.Repeat("b", n)), message(strings.Repeat("m", n)), ":1\r\n")
		}
	}
	frames = append(frames,
		bulk(strings.Repeat("x", 200_000)), "_\r\n",
		"*2000\r\n"+strings.Repeat(":7\r\n", 2000), invalidate,
		">2000\r\n+many\r\n"+strings.Repeat("$?\r\n;1\r\na\r\n;0\r\n", 1999), pong,
		attribute+message(strings.Repeat("y", 70_000)))
	return frames
}

// bulk is a string on the wire.
func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

// message is a published message on the wire.
func message(payload string) string { return ">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n" + bulk(payload) }

func TestNextGivesFramesOfAllSizesInOrder(t *testing.T) {
	frames := mixed()
	stream := strings.Join(frames, "")
	eachHold(t, func(t *testing.T, hold hold) {
		for _, size := range []int{1, 7, 4096, len(stream)} {
			r, own := hold(&vectors.Feed{Data: []byte(stream), Cuts: cutsOf(size), End: io.EOF})
			for i, want := range frames {
				f, err := r.Next()
				require.NoError(t, err)
				require.True(t, want == string(f.Raw()), "frame %d, %.50q, is %.50q", i, want, f.Raw())
				require.Zero(t, must(r.Pending()))
			}
			_, err := r.Next()
			require.Equal(t, io.EOF, err)
			require.Zero(t, r.Buffered())
			if own != nil {
				require.Zero(t, own.Buffered())
			}
			r.Release()
		}
	})
}

// cutsOf gives the cuts of a vectors.Feed whose pieces have n bytes.
func cutsOf(n int) []byte {
	if n > 255 {
		return nil
	}
	return []byte{byte(n)}
}

func must[T, U any](v T, _ U) T { return v }

func TestNextAfterTimeOutsAtEveryByteLosesNothing(t *testing.T) {
	frames := []string{invalidate, pong, attribute + message("text"), attribute + bulk("text"), "*2\r\n>1\r\n+p\r\n:1\r\n_\r\n"}
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t, bytewise(strings.Join(frames, ""), timeout, timeout)...)
		r, _ := hold(p)
		for _, want := range frames {
			var got parser.Frame
			err := p.within(t, func() (err error) {
				got, err = again(r.Next)
				return err
			})
			require.NoError(t, err)
			require.Equal(t, want, string(got.Raw()))
		}
		require.NoError(t, r.Err(), "a time-out is not sticky")
	})
}

func TestFrameIsValidUntilTheNextCall(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range []string{invalidate, message(strings.Repeat("m", 50_000))} {
			p := newPipe(t, wire+pong)
			r, own := hold(p)
			f, err := r.Next()
			require.NoError(t, err)
			kept := f.Clone()
			// Looking at the Reader is no call that ends it.
			_ = r.Buffered()
			_ = r.Err()
			_, _ = r.Pending()
			_ = r.Driver().MayHavePush()
			require.True(t, wire == string(f.Raw()))
			if own == nil {
				require.Equal(t, len(f.Raw()), cap(f.Raw()), "an append to the frame must not reach what follows")
			}
			p.next(t, r, pong)
			p.send(strings.Repeat("_\r\n", 20_000))
			require.NoError(t, r.Skip())
			require.True(t, wire == string(kept.Raw()), "a clone owns its memory")
			require.Equal(t, f.Type(), kept.Type())
		}
	})
}

func TestOffsetsCountFromTheStartOfTheStream(t *testing.T) {
	before := []string{invalidate, "+OK\r\n", attribute + ":1\r\n", message(strings.Repeat("m", 40_000)), bulk("x"), invalidate}
	at := int64(len(strings.Join(before, "")))
	ways := map[string]func(r *parser.Reader) error{
		"Next": uses["Next"],
		"Skip": uses["Skip"],
		"NextBuffered": func(r *parser.Reader) error { // and the replies by Skip
			if err := bufferedPushes(r, false, func(parser.Frame, bool) bool { return true }); err == parser.ErrIncomplete {
				return r.Driver().Fill()
			} else if err != nil {
				return err
			}
			return r.Skip()
		},
		"PeekedNext": func(r *parser.Reader) error {
			if _, _, err := r.PeekPush(); err != nil {
				return err
			}
			return uses["Next"](r)
		},
	}
	for name, way := range ways {
		eachHold(t, func(t *testing.T, hold hold) {
			r, _ := hold(strings.NewReader(strings.Join(before, "") + "*2\r\n:1\r\n?"))
			var err error
			for err == nil {
				err = way(r)
			}
			require.Equal(t, &parser.SyntaxError{Offset: at + 8, Err: parser.ErrType}, err, name)
			require.Same(t, err, r.Err())

			if name == "Skip" {
				return // has no limits
			}
			r, _ = hold(strings.NewReader(strings.Join(before, "") + ">1\r\n$600000000\r\n"))
			for err = nil; err == nil; {
				err = way(r)
			}
			require.Equal(t, &parser.LimitError{Limit: "MaxBulk", Max: parser.DefaultMaxBulk, Got: 600000000, Offset: at + 4}, err, name)
		})
	}
}

func TestResetBeginsAnotherStream(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		starts := map[string]func(p *pipe, r *parser.Reader){
			"unused":    func(*pipe, *parser.Reader) {},
			"peeked":    func(_ *pipe, r *parser.Reader) { _, _, _ = r.PeekPush() },
			"mid-frame": func(_ *pipe, r *parser.Reader) { _, _ = r.Next(); _, _ = r.Next() },
			"mid-skip":  func(_ *pipe, r *parser.Reader) { _ = r.Skip(); _ = r.Skip() },
			"given":     func(_ *pipe, r *parser.Reader) { _, _ = r.Next() },
			"failed":    func(p *pipe, r *parser.Reader) { p.send("?"); _ = r.Skip(); _ = r.Skip(); _ = r.Skip() },
			"mid-large": func(p *pipe, r *parser.Reader) {
				p.send(bulk(strings.Repeat("x", 90_000))[:80_000], timeout)
				_, _ = r.Next()
				_, _ = r.Next()
			},
			"read failed": func(p *pipe, r *parser.Reader) { p.end(); _, _ = r.Next(); _, _ = r.Next() },
		}
		for name, start := range starts {
			first := []any{invalidate + "*2\r\n:1\r\n", timeout}
			if name == "failed" || name == "mid-large" {
				first = []any{invalidate, ":1\r\n"}
			}
			p := newPipe(t, first...)
			r, _ := hold(p)
			require.NoError(t, p.within(t, func() error { start(p, r); return nil }), name)
			for range 2 {
				r.Reset(newPipe(t, invalidate+pong))
				require.NoError(t, r.Err(), name)
				require.Zero(t, r.Buffered(), name)
				require.Zero(t, must(r.Pending()), name)
				f, err := r.Next()
				require.NoError(t, err, name)
				require.Equal(t, invalidate, string(f.Raw()), name)
				require.NoError(t, r.Skip(), name)
			}
			r.Release()
			_, err := r.Next()
			require.Equal(t, io.EOF, err, name)
			r.Reset(strings.NewReader("?"))
			require.Equal(t, &parser.SyntaxError{Err: parser.ErrType}, r.Skip(), "offsets begin again")
			r.Reset(bufio.NewReader(newPipe(t, pong)))
			require.NoError(t, r.Skip(), name)
		}
	})
}

func TestResetKeepsTheOptions(t *testing.T) {
	r := parser.NewReader(strings.NewReader(""), parser.WithLimits(parser.Limits{MaxBulk: 3}), parser.WithBufferSize(1))
	for range 2 {
		r.Reset(newPipe(t, "$4\r\n"))
		_, err := r.Next()
		require.Equal(t, &parser.LimitError{Limit: "MaxBulk", Max: 3, Got: 4}, err)
		r.Release()
	}
}

func TestReaderOfNothingIsAtItsEnd(t *testing.T) {
	r := parser.NewReader(nil)
	for name, use := range uses {
		switch err := use(r); name {
		case "Err":
			require.NoError(t, err)
		case "one NextBuffered", "NextBuffered":
			require.Equal(t, parser.ErrIncomplete, err, name)
		default:
			require.Equal(t, io.EOF, err, name)
		}
	}
	require.True(t, r.Driver().MayHavePush())
}

func TestBufferedIsWhatHasNotBeenHandedOut(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t, "+OK\r\n"+">3\r\n", timeout, "+name\r\n", timeout, "+a\r\n:1\r\n")
		r, _ := hold(p)
		require.Zero(t, r.Buffered())
		p.next(t, r, "+OK\r\n")
		for _, n := range []int{4, 11} {
			_, err := r.Next()
			require.Equal(t, timeout, err)
			require.Equal(t, n, r.Buffered())
			require.Equal(t, parser.TypePush, must(r.Pending()))
		}
		_, err := r.Next()
		require.NoError(t, err)
		require.Zero(t, r.Buffered())
		require.Zero(t, must(r.Pending()))
	})
}

func TestPendingTellsWhatAnErrorCutShort(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, c := range []struct {
			wire string
			want parser.Type
		}{
			{"", 0}, {"|1\r\n+k", 0}, {"|1\r\n+k\r\n:1\r\n", 0},
			{"+", '+'}, {"*2\r\n:1", '*'}, {">", '>'}, {">2\r\n$10\r\ninva", '>'}, {attribute + ">", '>'}, {attribute + "*1\r\n", '*'},
		} {
			p := newPipe(t, bytewise(c.wire)...)
			p.send(timeout)
			p.end()
			r, own := hold(p)
			want := io.ErrUnexpectedEOF
			if c.wire == "" {
				want = io.EOF
			}
			for _, end := range []error{timeout, want, want} {
				_, err := r.Next()
				require.Equal(t, end, err, "%q", c.wire)
				typ, moved := r.Pending()
				require.Equal(t, c.want, typ, "%q", c.wire)
				require.Equal(t, len(c.wire), r.Buffered(), "%q", c.wire)
				if own == nil {
					require.Zero(t, moved)
				} else {
					require.Equal(t, len(c.wire), moved+own.Buffered(), "%q", c.wire)
				}
			}
		}
	})
}

// deadliner is a connection that remembers its deadline.
type deadliner struct {
	*pipe
	deadline time.Time
	err      error
}

func (d *deadliner) SetReadDeadline(t time.Time) error {
	d.deadline = t
	return d.err
}

// deadlineSource is a client's buffer that passes deadlines on.
type deadlineSource struct {
	*bufio.Reader
	*deadliner
}

func (d deadlineSource) Read(p []byte) (int, error) { return d.Reader.Read(p) }

func TestSetReadDeadlineReachesTheConnection(t *testing.T) {
	at := time.Unix(1, 0)
	d := &deadliner{pipe: newPipe(t)}
	for _, r := range []*parser.Reader{parser.NewReader(d), parser.NewReader(deadlineSource{bufio.NewReader(d), d})} {
		d.deadline, d.err = time.Time{}, nil
		require.NoError(t, r.Driver().SetReadDeadline(at))
		require.Equal(t, at, d.deadline)
		d.err = errors.New("closed")
		require.Equal(t, d.err, r.Driver().SetReadDeadline(at))
	}
	for _, r := range []*parser.Reader{
		parser.NewReader(newPipe(t)), parser.NewReader(bufio.NewReader(d)), parser.NewReader(nil), parser.NewSourceReader(bufio.NewReader(d)),
	} {
		require.Equal(t, os.ErrNoDeadline, r.Driver().SetReadDeadline(at))
	}
}

func TestSetReadDeadlineEndsAWaitUnderWay(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	r := parser.NewReader(here)
	wrote := background(func() error {
		_, err := there.Write([]byte(invalidate[:10]))
		return err
	})
	done := background(func() error {
		_, err := r.Next()
		return err
	})
	require.NoError(t, <-wrote)
	require.NoError(t, r.Driver().SetReadDeadline(time.Unix(1, 0)))
	require.ErrorIs(t, <-done, os.ErrDeadlineExceeded)
	require.NoError(t, r.Driver().SetReadDeadline(time.Time{}))
	wrote = background(func() error {
		_, err := there.Write([]byte(invalidate[10:]))
		return err
	})
	f, err := r.Next()
	require.NoError(t, err)
	require.Equal(t, invalidate, string(f.Raw()))
	require.NoError(t, <-wrote)
}

func TestUseOfALentReaderIsRefused(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range []string{invalidate, message(strings.Repeat("m", 50_000))} {
			p := newPipe(t, wire+pong)
			r, _ := hold(p)
			f, err := r.Next()
			require.NoError(t, err)
			r.Driver().Lend()
			for name, use := range uses {
				if name != "Err" {
					require.Equal(t, parser.ErrReentrant, use(r), name)
				}
			}
			require.Equal(t, parser.ErrReentrant, r.SkipOversize())
			require.NoError(t, r.Err())
			require.True(t, r.Driver().MayHavePush(), "who asks is to call on and be refused")
			require.True(t, wire == string(f.Raw()), "the frame is still there")
			r.Driver().Reclaim()
			p.next(t, r, pong)
		}
		for _, use := range []func(r *parser.Reader){func(r *parser.Reader) { r.Reset(strings.NewReader(pong)) }, (*parser.Reader).Release} {
			p := newPipe(t, invalidate+pong)
			r, _ := hold(p)
			f, err := r.Next()
			require.NoError(t, err)
			r.Driver().Lend()
			use(r)
			require.Equal(t, invalidate, string(f.Raw()))
			r.Driver().Reclaim()
			require.Equal(t, parser.ErrReentrant, r.Err())
			require.Equal(t, parser.ErrReentrant, r.Skip())
			r.Reset(bytes.NewReader([]byte(pong)))
			require.NoError(t, r.Skip())
		}
	})
}
