package parser_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

func TestNextBufferedTakesAllInOrder(t *testing.T) {
	var want []string
	for i := range 40 {
		name := []string{"invalidate", "message", "a", "invalidatf", "a name of more than 24 bytes"}[i/3%5]
		wire := fmt.Sprintf(">2\r\n%s*1\r\n$%d\r\n%s\r\n", bulk(name), i, strings.Repeat("k", i))
		switch i % 9 {
		case 5:
			wire = attribute + wire
		case 6:
			wire = ">2\r\n+" + name + "\r\n>1\r\n+nested\r\n#t\r\n"
		}
		want = append(want, wire)
	}
	stream := strings.Join(want, "")
	eachHold(t, func(t *testing.T, hold hold) {
		for _, end := range []string{"", invalidate[:len(invalidate)-1], pong, "?"} {
			p := newPipe(t, chunks(stream+end, 61)...)
			p.end()
			r, _ := hold(p)
			var got []string
			last := ""
			handle := func(f parser.Frame, again bool) bool {
				if again && string(f.Name()) != last {
					t.Errorf("%q has not the name %q of the push before", f.Raw(), last)
				}
				last = string(f.Name())
				got = append(got, string(f.Raw()))
				if _, err := r.Next(); err != parser.ErrReentrant {
					t.Errorf("the Reader is not lent: %v", err)
				}
				return true
			}
			var err error
			for err == nil {
				last = ""
				if err = bufferedPushes(r, false, handle); err != parser.ErrIncomplete {
					break
				}
				err = r.Driver().Fill()
			}
			switch end {
			case "":
				require.Equal(t, io.EOF, err)
			case pong:
				require.NoError(t, err)
				p.next(t, r, pong)
			case "?": // no push, for the client's read to report
				require.NoError(t, err)
				require.ErrorIs(t, r.Skip(), parser.ErrType)
			default:
				require.Equal(t, io.ErrUnexpectedEOF, err)
			}
			require.Equal(t, want, got)
		}
	})
}

func TestNextBufferedLeavesTheRest(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range []string{invalidate, attribute + invalidate} {
			p := newPipe(t, wire+wire+invalidate)
			r, _ := hold(p)
			require.NoError(t, r.Driver().Fill())
			for calls := 1; calls <= 3; {
				err := bufferedPushes(r, false, func(parser.Frame, bool) bool { calls++; return false })
				if err == parser.ErrIncomplete {
					err = r.Driver().Fill()
				}
				require.NoError(t, err)
			}
			require.Zero(t, r.Buffered())
		}
	})
}

// A handler that changes what is left changes it for the next push, also in a run of equal names.
func TestNextBufferedHeedsTakeMessages(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t, message("a")+message("b")+message("c"))
		r, _ := hold(p)
		require.NoError(t, r.Driver().Fill())
		r.Driver().TakeMessages(true)
		var got []string
		take := func(f parser.Frame, _ bool) bool {
			got = append(got, string(f.Raw()))
			r.Driver().TakeMessages(len(got) < 2)
			return true
		}
		for err := parser.ErrIncomplete; err == parser.ErrIncomplete && len(got) < 2; {
			if err = bufferedPushes(r, true, take); err == parser.ErrIncomplete {
				require.NoError(t, r.Driver().Fill())
			}
		}
		require.Equal(t, []string{message("a"), message("b")}, got)
		p.next(t, r, message("c"))
	})
}

func TestNextBufferedHeedsLimitsAndQuirk(t *testing.T) {
	r := parser.NewReader(strings.NewReader(invalidate), parser.WithLimits(parser.Limits{MaxFrame: len(invalidate) - 1}))
	require.NoError(t, r.Driver().Fill())
	_, ok, err := bufferedPush(r, false)
	require.False(t, ok)
	require.ErrorAs(t, err, new(*parser.LimitError))

	r = parser.NewReader(strings.NewReader(">3\r\n$21\r\ntracking-redir-broken\r\n:1\r\n:5\r\n"), parser.WithTrackingRedirBrokenQuirk())
	require.NoError(t, r.Driver().Fill())
	f, ok, err := bufferedPush(r, false)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, ">2\r\n$21\r\ntracking-redir-broken\r\n:1\r\n", string(f.Raw()))
}
