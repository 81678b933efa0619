package parser_test

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// skipCases are frames to drop, of all shapes.
var skipCases = []string{
	"+OK\r\n", "-ERR no\r\n", ":1234\r\n", "$4\r\ntext\r\n", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "_\r\n", "#t\r\n", ",-1.5e3\r\n",
	"(12345678901234567890\r\n", "!3\r\nERR\r\n", "=7\r\ntxt:abc\r\n", "*0\r\n", "%1\r\n+k\r\n+v\r\n", "~2\r\n:1\r\n:2\r\n",
	invalidate, ">0\r\n", attribute + invalidate, attribute + attribute + pong,
	"*2\r\n>1\r\n+p\r\n" + attribute + ":1\r\n*1\r\n_\r\n",
	"$?\r\n;2\r\nab\r\n;0\r\n", "*?\r\n:1\r\n.\r\n", "%?\r\n+a\r\n*?\r\n.\r\n.\r\n",
	bulk(strings.Repeat("x", 40)), message(strings.Repeat("m", 60)),
}

// placesOf yields where to cut wire for the nth of some calls: everywhere in a short one, and else in one place of three,
// which are others for the next call.
func placesOf(wire string, n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for at := 1; at < len(wire); at++ {
			if (len(wire) < 12 || (at+n)%3 == 0) && !yield(at) {
				return
			}
		}
	}
}

// skip drops a frame through the time-outs in it, and returns how many there were.
func skip(t *testing.T, p *pipe, r *parser.Reader) (timeouts int) {
	t.Helper()
	err := p.within(t, func() error {
		for {
			err := r.Skip()
			if err != timeout {
				return err
			}
			timeouts++
		}
	})
	require.NoError(t, err)
	return timeouts
}

func TestSkipDropsOneFrame(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range skipCases {
			for at := range len(wire) {
				p := newPipe(t, cut(wire, at)...)
				r, own := hold(p)
				require.Zero(t, skip(t, p, r), "%q", wire)
				require.Zero(t, r.Buffered(), "%q", wire)
				require.Zero(t, must(r.Pending()), "%q", wire)
				p.send(invalidate + pong)
				p.next(t, r, invalidate)
				if own != nil {
					p.read(t, own, pong)
				}
			}
		}
	})
}

func TestSkipGoesOnAfterTimeOuts(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range skipCases {
			p := newPipe(t, bytewise(wire, timeout)...)
			p.send(pong + invalidate)
			r, own := hold(p)
			require.Equal(t, len(wire)-1, skip(t, p, r), "%q", wire)
			require.Equal(t, timeout, r.Skip(), "at the boundary")
			if own != nil {
				p.read(t, own, pong)
			} else {
				require.NoError(t, r.Skip())
			}
			p.next(t, r, invalidate)
		}
	})
}

// A Skip that timed out has begun a frame; what is called next drops the rest of it first.
func TestAnyCallFinishesASkip(t *testing.T) {
	calls := map[string]func(r *parser.Reader) (string, error){
		"Next": func(r *parser.Reader) (string, error) {
			f, err := r.Next()
			return string(f.Raw()), err
		},
		"PeekType": func(r *parser.Reader) (string, error) {
			typ, err := r.PeekType()
			if err == nil && typ != parser.TypePush {
				err = fmt.Errorf("type %s", typ)
			}
			return invalidate, err
		},
		"PeekPush": func(r *parser.Reader) (string, error) {
			name, _, err := r.PeekPush()
			if err == nil && string(name) != "invalidate" {
				err = fmt.Errorf("name %q", name)
			}
			return invalidate, err
		},
		"NextPush": func(r *parser.Reader) (string, error) {
			f, _, err := r.Driver().NextPush(false)
			return string(f.Raw()), err
		},
		"one NextBuffered": func(r *parser.Reader) (string, error) {
			f, err := takers[3].take(r)
			return string(f.Raw()), err
		},
		"Skip": func(r *parser.Reader) (string, error) {
			if err := r.Skip(); err != nil {
				return "", err
			}
			f, err := r.Next()
			return string(f.Raw()), err
		},
	}
	eachHold(t, func(t *testing.T, hold hold) {
		for i, name := range slices.Sorted(maps.Keys(calls)) {
			call := calls[name]
			for _, wire := range skipCases {
				for at := range placesOf(wire, i) {
					p := newPipe(t, wire[:at], timeout, wire[at:]+invalidate)
					r, _ := hold(p)
					require.Equal(t, timeout, r.Skip())
					err := p.within(t, func() error {
						got, err := call(r)
						if err == nil && got != invalidate {
							err = fmt.Errorf("got %q", got)
						}
						return err
					})
					require.NoError(t, err, "%s after %q cut at %d", name, wire, at)
				}
			}
		}
	})
}

func TestSkipDropsTheRestOfAFrameThatWasBegun(t *testing.T) {
	begin := map[string]func(r *parser.Reader) error{
		"Next": uses["Next"], "NextPush": uses["NextPush"], "one NextBuffered": uses["one NextBuffered"], "PeekPush": uses["PeekPush"], "PeekType": uses["PeekType"],
	}
	eachHold(t, func(t *testing.T, hold hold) {
		for i, name := range slices.Sorted(maps.Keys(begin)) {
			begin := begin[name]
			for _, wire := range skipCases {
				for at := range placesOf(wire, i) {
					p := newPipe(t, wire[:at], timeout, wire[at:])
					r, _ := hold(p)
					require.NoError(t, r.Driver().Fill())
					_ = begin(r)
					skip(t, p, r)
					p.send(pong + invalidate)
					p.next(t, r, pong, "%s of %q cut at %d", name, wire, at)
					p.next(t, r, invalidate)
				}
			}
		}
	})
}

func TestSkipReportsWhatIsMalformed(t *testing.T) {
	for _, wire := range []string{"?", "*2\r\n:1\r\n$x", "$3\r\nabcX", attribute + ">2\r\n+a\r\n;", ">9223372036854775808"} {
		eachHold(t, func(t *testing.T, hold hold) {
			p := newPipe(t, bytewise(wire, timeout)...)
			r, _ := hold(p)
			var err error
			for err = timeout; err == timeout; {
				err = p.within(t, r.Skip)
			}
			require.ErrorAs(t, err, new(*parser.SyntaxError))
			require.Equal(t, int64(len(wire)-1), err.(*parser.SyntaxError).Offset, "%q", wire)
			require.Same(t, err, r.Err())
			require.Same(t, err, r.SkipOversize(), "no limit, and not to be cleared")
			require.Same(t, err, r.Skip())
		})
	}
}

func TestSkipTellsHowTheStreamEnded(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range []string{"", "$3\r\n", "*2\r\n:1\r\n", attribute} {
			p := newPipe(t, wire)
			p.end()
			r, _ := hold(p)
			want := io.ErrUnexpectedEOF
			if wire == "" {
				want = io.EOF
			}
			for range 2 {
				require.Equal(t, want, r.Skip(), "%q", wire)
			}
			require.NoError(t, r.Err())
		}
	})
}

// tight are limits, and a frame for each that is over it and over no other.
var tight = []struct {
	limits parser.Limits
	wire   string
	want   parser.LimitError
}{
	{parser.Limits{MaxFrame: 40}, ">3\r\n+name\r\n$20\r\n01234567890123456789\r\n+x\r\n",
		parser.LimitError{Limit: "MaxFrame", Max: 40, Got: 41, Offset: 38}},
	{parser.Limits{MaxFrame: 40}, ">2\r\n+name\r\n$50\r\n" + strings.Repeat("x", 50) + "\r\n",
		parser.LimitError{Limit: "MaxFrame", Max: 40, Got: 68, Offset: 11}},
	{parser.Limits{MaxBulk: 10}, ">2\r\n+name\r\n$11\r\n01234567890\r\n",
		parser.LimitError{Limit: "MaxBulk", Max: 10, Got: 11, Offset: 11}},
	{parser.Limits{MaxBulk: 10}, ">2\r\n+name\r\n$?\r\n;6\r\n012345\r\n;6\r\n678901\r\n;0\r\n",
		parser.LimitError{Limit: "MaxBulk", Max: 10, Got: 12, Offset: 27}},
	{parser.Limits{MaxElements: 3}, ">2\r\n+name\r\n*2\r\n:1\r\n:2\r\n",
		parser.LimitError{Limit: "MaxElements", Max: 3, Got: 4, Offset: 11}},
	{parser.Limits{MaxElements: 3}, ">4\r\n+name\r\n:1\r\n:2\r\n:3\r\n",
		parser.LimitError{Limit: "MaxElements", Max: 3, Got: 4, Offset: 0}},
	{parser.Limits{MaxDepth: 2}, ">2\r\n+name\r\n*1\r\n*2\r\n*1\r\n:1\r\n:2\r\n",
		parser.LimitError{Limit: "MaxDepth", Max: 2, Got: 3, Offset: 15}},
	{parser.Limits{MaxDepth: 2}, ">2\r\n+name\r\n*2\r\n" + attribute + ">2\r\n+p\r\n*0\r\n%1\r\n+k\r\n*1\r\n_\r\n:9\r\n",
		parser.LimitError{Limit: "MaxDepth", Max: 2, Got: 3, Offset: 15}},
}

func TestSkipOversizeDropsWhatIsOverALimit(t *testing.T) {
	for _, taker := range takers {
		eachHold(t, func(t *testing.T, hold hold) {
			for _, c := range tight {
				for _, before := range []string{"", "+OK\r\n"} {
					p := newPipe(t, before)
					for at := range len(c.wire) {
						p.send(c.wire[at:at+1], timeout)
					}
					p.send(pong, timeout, "+x\r\n")
					r, own := hold(p, parser.WithLimits(c.limits))
					if before != "" {
						require.NoError(t, r.Skip())
					}
					var err error
					for err = timeout; err == timeout; {
						err = p.within(t, func() error {
							_, err := taker.take(r)
							return err
						})
					}
					want := c.want
					want.Offset += int64(len(before))
					require.Equal(t, &want, err, taker.name)
					require.Same(t, err, r.Err())
					require.NoError(t, r.SkipOversize())
					require.NoError(t, r.Err())
					require.NoError(t, r.SkipOversize(), "there is no error")
					// Any call goes on, through the time-outs.
					for typ := parser.Type(0); typ == 0; {
						require.NoError(t, p.within(t, func() error {
							if typ, err = r.PeekType(); err == timeout {
								return nil
							}
							return err
						}), "%s of %q", taker.name, c.wire)
					}
					if own != nil {
						p.read(t, own, pong)
					} else {
						p.next(t, r, pong)
					}
					require.Equal(t, timeout, r.Skip())
					require.NoError(t, r.Skip())
				}
			}
		})
	}
}

// What SkipOversize is called for is behind the next call, whichever that is.
func TestSkipOversizeIsFollowedByAnyCall(t *testing.T) {
	eachTaker(t, func(t *testing.T, hold hold, take take) {
		for _, c := range tight {
			p := newPipe(t, attribute[:5], attribute[5:]+c.wire+invalidate)
			// The attribute counts as well, so that nothing but the attribute fits.
			r, _ := hold(p, parser.WithLimits(parser.Limits{MaxFrame: 34}))
			_, err := take(r)
			require.ErrorAs(t, err, new(*parser.LimitError))
			require.NoError(t, r.SkipOversize())
			p.takes(t, take, r, invalidate)
		}
	})
}

func TestSkipOversizeClearsALimitOfAttributes(t *testing.T) {
	wire := "|2\r\n+a\r\n:1\r\n+b\r\n:2\r\n+OK\r\n"
	for _, name := range []string{"PeekType", "PeekPush", "NextPush", "Next"} {
		eachHold(t, func(t *testing.T, hold hold) {
			p := newPipe(t, wire+pong)
			r, _ := hold(p, parser.WithLimits(parser.Limits{MaxElements: 3}))
			require.Equal(t, &parser.LimitError{Limit: "MaxElements", Max: 3, Got: 4}, uses[name](r))
			require.NoError(t, r.SkipOversize())
			p.next(t, r, pong)
		})
	}
}

// Nothing bounds the memory for streamed aggregates but MaxDepth, and so it stays.
func TestSkipOversizeDoesNotClearTheDepthOfStreamedAggregates(t *testing.T) {
	wire := ">2\r\n+name\r\n" + strings.Repeat("*?\r\n", 3)
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t, wire)
		r, _ := hold(p, parser.WithLimits(parser.Limits{MaxDepth: 2}))
		_, err := r.Next()
		want := &parser.LimitError{Limit: "MaxDepth", Max: 2, Got: 3, Offset: 15}
		require.Equal(t, want, err)
		if err = r.SkipOversize(); err == nil {
			err = p.within(t, r.Skip)
		}
		require.Equal(t, want, err)
		require.Equal(t, want, r.SkipOversize())
		require.Equal(t, want, r.Err())
	})
}

func TestSkipHasNoLimits(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, c := range tight {
			p := newPipe(t, c.wire+"+x\r\n")
			r, _ := hold(p, parser.WithLimits(c.limits))
			skip(t, p, r)
			p.next(t, r, "+x\r\n")
		}
	})
}

func TestNextBufferedOfAFailedReaderGoesOnWithNoSkip(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t, "$9\r\n1234", timeout, "56789\r\n"+invalidate)
		r, _ := hold(p)
		require.Equal(t, timeout, r.Skip())
		r.Driver().Lend()
		r.Reset(p)
		r.Driver().Reclaim()
		_, ok, err := bufferedPush(r, false)
		require.Equal(t, parser.ErrReentrant, err)
		require.False(t, ok)
	})
}
