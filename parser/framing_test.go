package parser_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// What other clients got wrong in their framing. Each test reads from a connection that blocks when there are no more
// bytes: where a Reader waits for one too many, the test knows.

// Other clients lost a message whose name was cut at a read boundary.
func TestNameCutAtAReadBoundaryLosesNoMessage(t *testing.T) {
	message := func(i int) string { return fmt.Sprintf(">3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$4\r\n%04d\r\n", i) }
	var stream strings.Builder
	for i := range 1000 {
		stream.WriteString(message(i))
	}
	eachTaker(t, func(t *testing.T, hold hold, take take) {
		for _, size := range []int{4072, 13} {
			p := newPipe(t, chunks(stream.String(), size)...)
			r, _ := hold(p)
			err := p.within(t, func() error {
				for i := range 1000 {
					f, err := take(r)
					if err != nil || string(f.Name()) != "message" || string(f.Raw()) != message(i) {
						return fmt.Errorf("message %d: %q, %w", i, f.Raw(), err)
					}
				}
				return nil
			})
			require.NoError(t, err)
			p.send(pong)
			p.next(t, r, pong)
		}
		for at := range len(message(1)) {
			p := newPipe(t, cut(message(1), at)...)
			r, _ := hold(p)
			p.takes(t, take, r, message(1), "cut at %d", at)
		}
	})
}

// Other clients hung on a frame shorter than their fixed peek window.
func TestShortFrameIsHandedOutAtOnce(t *testing.T) {
	const wire = ">3\r\n$9\r\nsubscribe\r\n$6\r\naaaaaa\r\n:1\r\n"
	require.Len(t, wire, 35)
	handedOutAtOnce(t, wire)
}

// Other clients stalled on a header larger than their read buffer.
func TestHeaderLargerThanTheBufferDoesNotStall(t *testing.T) {
	handedOutAtOnce(t, ">2\r\n$10\r\ninvalidate\r\n$1\r\nk\r\n")
}

// handedOutAtOnce wants a push to be handed out when its last byte has come, however it is cut, and a reply behind it to
// be a reply.
func handedOutAtOnce(t *testing.T, wire string) {
	eachTaker(t, func(t *testing.T, hold hold, take take) {
		for at := range len(wire) {
			p := newPipe(t, cut(wire, at)...)
			r, _ := hold(p)
			p.takes(t, take, r, wire, "cut at %d", at)
			p.send(pong)
			p.next(t, r, pong, "cut at %d", at)
		}
		for at := 1; at < len(wire); at++ {
			p := newPipe(t, wire[:at])
			r, _ := hold(p)
			done := p.waiting(t, func() error {
				f, err := take(r)
				if err == nil && string(f.Raw()) != wire {
					err = fmt.Errorf("took %q", f.Raw())
				}
				return err
			})
			p.send(wire[at:])
			require.NoError(t, <-done, "waited at %d", at)
		}
	})
}

// Other clients panicked at such lengths, or allocated gigabytes. What they cost is in memory_test.go.
func TestHostileLengthsAreErrorsAsSoonAsTheyHaveCome(t *testing.T) {
	for _, c := range []struct {
		wire string
		want error
	}{
		{">1\r\n$9223372036854775807\r\n",
			&parser.LimitError{Limit: "MaxBulk", Max: parser.DefaultMaxBulk, Got: math.MaxInt64, Offset: 4}},
		{">1\r\n$9223372036854775808", &parser.SyntaxError{Offset: 23, Err: parser.ErrLength}},
		{">4611686018427387904\r\n",
			&parser.LimitError{Limit: "MaxElements", Max: parser.DefaultMaxElements, Got: 1 << 62}},
		{">1000000000\r\n",
			&parser.LimitError{Limit: "MaxElements", Max: parser.DefaultMaxElements, Got: 1000000000}},
		{"%4611686018427387904", &parser.SyntaxError{Offset: 19, Err: parser.ErrLength}}, // twice that is too much
		{"*-2", &parser.SyntaxError{Offset: 2, Err: parser.ErrLength}},
		{"%-", &parser.SyntaxError{Offset: 1, Err: parser.ErrLength}},
		{">-", &parser.SyntaxError{Offset: 1, Err: parser.ErrLength}},
	} {
		eachHold(t, func(t *testing.T, hold hold) {
			for at := range len(c.wire) {
				p := newPipe(t, cut(c.wire, at)...)
				r, _ := hold(p)
				err := p.within(t, func() error {
					_, err := r.Next()
					return err
				})
				require.Equal(t, c.want, err, "%q cut at %d", c.wire, at)
			}
		})
	}
}

// Other clients overflowed their stack.
func TestUnboundedNestingIsALimitErrorFromTheHeaderThatIsTooMuch(t *testing.T) {
	// The push and 127 arrays are 128 levels. The next header is the error.
	wire := ">1\r\n" + strings.Repeat("*1\r\n", 128)
	want := &parser.LimitError{Limit: "MaxDepth", Max: 128, Got: 129, Offset: 128 * 4}
	eachHold(t, func(t *testing.T, hold hold) {
		for at := range len(wire) {
			p := newPipe(t, cut(wire, at)...)
			r, _ := hold(p)
			err := p.within(t, func() error {
				_, err := r.Next()
				return err
			})
			require.Equal(t, want, err, "cut at %d", at)
		}
		// One level less is no error, and a wait.
		p := newPipe(t, wire[:len(wire)-4])
		r, _ := hold(p)
		done := p.waiting(t, func() error { return r.Skip() })
		p.send(":1\r\n")
		require.NoError(t, <-done)
	})
}

// uses are the calls that could take the rest of a bad frame for a reply.
var uses = map[string]func(r *parser.Reader) error{
	"Next": func(r *parser.Reader) error {
		_, err := r.Next()
		return err
	},
	"Skip": func(r *parser.Reader) error { return r.Skip() },
	"Fill": func(r *parser.Reader) error { return r.Driver().Fill() },
	"Err":  func(r *parser.Reader) error { return r.Err() },
	"PeekType": func(r *parser.Reader) error {
		_, err := r.PeekType()
		return err
	},
	"PeekPush": func(r *parser.Reader) error {
		_, _, err := r.PeekPush()
		return err
	},
	"NextPush": func(r *parser.Reader) error {
		_, _, err := r.Driver().NextPush(false)
		return err
	},
	"one NextBuffered": func(r *parser.Reader) error {
		_, _, err := bufferedPush(r, false)
		return err
	},
	"NextBuffered": func(r *parser.Reader) error {
		return bufferedPushes(r, false, func(parser.Frame, bool) bool { return true })
	},
}

// Other clients went on using the connection, and took the rest of the frame for a reply.
func TestReaderStaysFailedAfterAnErrorInMidFrame(t *testing.T) {
	const good = "*3\r\n$3\r\nfoo\r\n$1"
	for _, bad := range []string{good + "x", ">3\r\n$7\r\nmessage\r\n$1\r\ncX"} {
		eachTaker(t, func(t *testing.T, hold hold, take take) {
			if bad[0] != '>' {
				take = (*parser.Reader).Next // the others leave replies alone
			}
			for at := range len(bad) {
				p := newPipe(t, cut(bad, at)...)
				r, _ := hold(p)
				err := p.within(t, func() error {
					_, err := take(r)
					return err
				})
				require.ErrorAs(t, err, new(*parser.SyntaxError))
				require.Equal(t, int64(len(bad)-1), err.(*parser.SyntaxError).Offset)
				p.send("\r\n+OK\r\n" + invalidate + pong)
				for name, use := range uses {
					for range 2 {
						require.Same(t, err, p.within(t, func() error { return use(r) }), "%s, cut at %d", name, at)
					}
				}
				r.Reset(newPipe(t, pong))
				require.NoError(t, r.Err())
				p.next(t, r, pong)
			}
		})
	}
}

// Other clients rewound on a time-out, and the handler ran again.
func TestTimeOutsDoNotTakeAPushAgain(t *testing.T) {
	for _, taker := range takers[2:] { // the others take replies too
		eachHold(t, func(t *testing.T, hold hold) {
			for at := range len(invalidate) {
				pieces := cut(invalidate, at)
				p := newPipe(t, append(append([]any{pieces[0], timeout}, pieces[1:]...), timeout, timeout, pong)...)
				r, _ := hold(p)
				var taken []string
				for range 6 {
					err := p.within(t, func() error {
						f, err := taker.take(r)
						if f.IsPush() {
							taken = append(taken, string(f.Raw()))
						}
						return err
					})
					if err != nil {
						require.ErrorIs(t, err, timeout)
					}
				}
				require.Equal(t, []string{invalidate}, taken, "%s, cut at %d", taker.name, at)
				p.next(t, r, pong)
			}
		})
	}
}

// Other clients took the rest of a reply for a push when a new read began with '>'.
func TestRestOfAReplyThatBeginsWithAMarkerIsNoPush(t *testing.T) {
	const wire = "*2\r\n$3\r\nfoo\r\n$4\r\n>bar\r\n"
	eachHold(t, func(t *testing.T, hold hold) {
		for at := range len(wire) {
			p := newPipe(t, cut(wire, at)...)
			r, _ := hold(p)
			noPush(t, p, r)
			p.next(t, r, wire, "cut at %d", at)
		}
		for at := 1; at < len(wire); at++ {
			p := newPipe(t, wire[:at], timeout, wire[at:])
			r, _ := hold(p)
			err := p.within(t, func() error {
				_, err := r.Next()
				return err
			})
			require.ErrorIs(t, err, timeout)
			noPush(t, p, r)
			p.next(t, r, wire, "time-out at %d", at)
			p.send(pong)
			p.next(t, r, pong)
		}
	})
}

// noPush wants a reply to be next, and takes nothing.
func noPush(t *testing.T, p *pipe, r *parser.Reader) {
	t.Helper()
	err := p.within(t, func() error {
		typ, err1 := r.PeekType()
		name, ok, err2 := r.PeekPush()
		f, took, err3 := r.Driver().NextPush(false)
		f2, took2, err4 := bufferedPush(r, false)
		if typ != parser.TypeArray || ok || took || took2 || name != nil || f.Raw() != nil || f2.Raw() != nil {
			return fmt.Errorf("%s %q %q: %v %v %v %v", typ, name, f.Raw(), err1, err2, err3, err4)
		}
		return nil
	})
	require.NoError(t, err)
}

// Other clients blocked on an empty push, or took the next reply's text for its name.
func TestEmptyPushIsWholeAndHasNoName(t *testing.T) {
	namelessPush(t, ">0\r\n")
}

// Other clients made a reply of a push whose name is no bulk string, or stands behind an attribute.
func TestPushWithAStrangeNameIsAPush(t *testing.T) {
	for _, wire := range []string{
		">2\r\n:42\r\n$1\r\nk\r\n", ">1\r\n*1\r\n$7\r\nmessage\r\n", ">1\r\n_\r\n", ">1\r\n$-1\r\n", ">1\r\n*-1\r\n",
		">1\r\n#t\r\n", ">1\r\n,1\r\n", ">1\r\n-ERR\r\n", ">1\r\n!3\r\nERR\r\n", ">1\r\n%0\r\n",
	} {
		namelessPush(t, wire)
	}
	for _, wire := range []string{
		">2\r\n=14\r\ntxt:invalidate\r\n_\r\n",
		">2\r\n" + attribute + "$10\r\ninvalidate\r\n_\r\n",
		">2\r\n" + attribute + attribute + "+invalidate\r\n_\r\n",
		attribute + ">2\r\n$10\r\ninvalidate\r\n_\r\n",
		">2\r\n$?\r\n;3\r\ninv\r\n;7\r\nalidate\r\n;0\r\n_\r\n",
		">2\r\n>1\r\n+inner\r\n+invalidate\r\n_\r\n",
	} {
		pushWithName(t, wire, []byte("invalidate"))
	}
	pushWithName(t, ">1\r\n$0\r\n\r\n", []byte{})
	pushWithName(t, ">1\r\n+\r\n", []byte{})
}

func namelessPush(t *testing.T, wire string) { pushWithName(t, wire, nil) }

// pushWithName wants wire to be a push of a name, and what follows to be a reply.
func pushWithName(t *testing.T, wire string, want []byte) {
	eachTaker(t, func(t *testing.T, hold hold, take take) {
		for at := range len(wire) {
			p := newPipe(t, cut(wire, at)...)
			r, _ := hold(p)
			err := p.within(t, func() error {
				name, ok, err := r.PeekPush()
				if err == nil && (!ok || string(name) != string(want) || (name == nil) != (want == nil)) {
					err = fmt.Errorf("peeked at %q, %t", name, ok)
				}
				if err != nil {
					return err
				}
				f, err := take(r)
				if err == nil && (!f.IsPush() || string(f.Name()) != string(want) || (f.Name() == nil) != (want == nil)) {
					err = fmt.Errorf("took %q, name %q", f.Raw(), f.Name())
				}
				return err
			})
			require.NoError(t, err, "%q cut at %d", wire, at)
			p.send(pong)
			p.next(t, r, pong)
		}
	})
}

// Other clients looked at no bulk terminator.
func TestBulkTerminatorsAreChecked(t *testing.T) {
	for _, wire := range []string{
		"$3\r\nabcX", "$3\r\nabc\rX", "$3\r\nabc\n", "$0\r\nX", "!3\r\nabcX", "=7\r\ntxt:abcX", "$?\r\n;3\r\nabcX",
		">2\r\n$10\r\ninvalidateX", ">2\r\n$10\r\ninvalidate\rX", ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkeyX",
		">2\r\n$10\r\ninvalidate\r\n$3\r\nkey\rX", ">2\r\n+invalidate\r\n$10000\r\n" + strings.Repeat("k", 10000) + "X",
	} {
		eachHold(t, func(t *testing.T, hold hold) {
			for at := 0; at < len(wire); at += step(wire) {
				p := newPipe(t, cut(wire, at)...)
				r, _ := hold(p)
				err := p.within(t, func() error {
					_, err := r.Next()
					return err
				})
				require.Equal(t, &parser.SyntaxError{Offset: int64(len(wire) - 1), Err: parser.ErrTerminator}, err, "%.40q cut at %d", wire, at)
			}
		})
	}
}
