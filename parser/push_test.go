package parser_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

var pubSubNames = []string{
	"message", "pmessage", "smessage",
	"subscribe", "psubscribe", "ssubscribe",
	"unsubscribe", "punsubscribe", "sunsubscribe",
}

func TestIsPubSub(t *testing.T) {
	for _, name := range pubSubNames {
		require.True(t, parser.IsPubSub([]byte(name)), name)
		for _, other := range []string{name + "x", name[:len(name)-1], "x" + name, strings.ToUpper(name), name + "\x00"} {
			require.False(t, parser.IsPubSub([]byte(other)), other)
		}
	}
	require.False(t, parser.IsPubSub(nil))
	require.False(t, parser.IsPubSub([]byte("invalidate")))
}

func TestIsMessage(t *testing.T) {
	for _, name := range []string{"message", "pmessage", "smessage"} {
		require.True(t, parser.IsMessage([]byte(name)), name)
	}
	for _, other := range []string{"", "messages", "essage", "xmessage", "subscribe", "invalidate"} {
		require.False(t, parser.IsMessage([]byte(other)), other)
	}
}

// shut is a connection that must not be read from while closed.
type shut struct {
	*pipe
	t      *testing.T
	closed bool
}

func (s *shut) Read(b []byte) (int, error) {
	if s.closed {
		s.t.Fatal("reads from the connection")
	}
	return s.pipe.Read(b)
}

func TestMayHavePushKnowsAReplyWithoutReading(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		conn := &shut{pipe: newPipe(t, "+OK\r\n", invalidate, attribute+pong, ">"), t: t}
		r, _ := hold(conn)
		may := func() bool {
			conn.closed = true
			defer func() { conn.closed = false }()
			return r.Driver().MayHavePush()
		}
		require.True(t, may(), "nothing has come")
		require.NoError(t, r.Driver().Fill())
		require.False(t, may(), "a reply")
		require.NoError(t, r.Skip())
		require.True(t, may(), "nothing has come again")
		require.NoError(t, r.Driver().Fill())
		require.True(t, may(), "a push")
		require.NoError(t, r.Skip())
		require.NoError(t, r.Driver().Fill())
		require.True(t, may(), "attributes")
		require.NoError(t, r.Skip())
		_, err := r.PeekType()
		require.NoError(t, err)
		require.True(t, may(), "a push that has been looked at")
		conn.send("x")
		require.Error(t, r.Skip())
		require.True(t, may(), "an error is for the next call to tell")
	})
}

func TestPushesAreTakenAndRepliesLeft(t *testing.T) {
	takes := map[string]func(r *parser.Reader, leave bool) (parser.Frame, bool, error){
		"NextPush": nextPush,
		"one NextBuffered": func(r *parser.Reader, leave bool) (parser.Frame, bool, error) {
			for {
				f, ok, err := bufferedPush(r, leave)
				if err != parser.ErrIncomplete {
					return f, ok, err
				}
				if err = r.Driver().Fill(); err != nil {
					return f, false, err
				}
			}
		},
		"NextBuffered": func(r *parser.Reader, leave bool) (f parser.Frame, ok bool, err error) {
			for !ok {
				err := bufferedPushes(r, leave, func(push parser.Frame, _ bool) bool {
					f, ok = push.Clone(), true
					return true
				})
				if err != parser.ErrIncomplete {
					return f, ok, err
				}
				if !ok {
					if err = r.Driver().Fill(); err != nil {
						return f, ok, err
					}
				}
			}
			return f, ok, nil
		},
	}
	frames := []struct {
		wire           string
		push, isPubSub bool
	}{
		{invalidate, true, false},
		{">2\r\n+invalidate\r\n_\r\n", true, false},
		{attribute + invalidate, true, false},
		{">0\r\n", true, false},
		{">1\r\n:1\r\n", true, false},
		{message("text"), true, true},
		{attribute + message("text"), true, true},
		{">3\r\n=16\r\ntxt:sunsubscribe\r\n_\r\n:0\r\n", true, true},
		{">3\r\n$?\r\n;4\r\nmess\r\n;3\r\nage\r\n;0\r\n+c\r\n+p\r\n", true, true},
		{message(strings.Repeat("m", 100)), true, true},
		{">2\r\n$8\r\nmessages\r\n+x\r\n", true, false},
		{pong, false, false},
		{attribute + pong, false, false},
		{"*2\r\n>1\r\n+p\r\n:1\r\n:2\r\n", false, false},
		{bulk(">1\r\n+x\r\n"), false, false},
	}
	for name, take := range takes {
		for _, leave := range []bool{false, true} {
			eachHold(t, func(t *testing.T, hold hold) {
				for _, c := range frames {
					taken := c.push && !(leave && c.isPubSub)
					for at := range len(c.wire) {
						p := newPipe(t, cut(c.wire, at)...)
						r, _ := hold(p)
						err := p.within(t, func() error {
							f, ok, err := take(r, leave)
							if err == nil && (ok != taken || taken && string(f.Raw()) != c.wire || !taken && f.Raw() != nil) {
								err = fmt.Errorf("%t, %q", ok, f.Raw())
							}
							return err
						})
						require.NoError(t, err, "%s, leave %t: %q cut at %d", name, leave, c.wire, at)
						p.send(pong)
						if !taken {
							p.next(t, r, c.wire)
						}
						p.next(t, r, pong)
					}
				}
			})
		}
	}
}

func TestPubSubPushThatIsLeftIsInTheClientsBuffer(t *testing.T) {
	for _, name := range pubSubNames {
		wire := fmt.Sprintf(">3\r\n%s$1\r\nc\r\n:1\r\n", bulk(name))
		for at := range len(wire) {
			p := newPipe(t, cut(invalidate+wire, len(invalidate)+at)...)
			r, own := inPlace(64)(p)
			p.takes(t, takers[2].take, r, invalidate)
			err := p.within(t, func() error {
				for range 3 {
					if _, ok, err := r.Driver().NextPush(true); ok || err != nil {
						return fmt.Errorf("%t, %w", ok, err)
					}
				}
				return nil
			})
			require.NoError(t, err, "%s cut at %d", name, at)
			require.Zero(t, must(r.Pending()))
			p.read(t, own, wire)
			p.send(pong)
			p.next(t, r, pong)
		}
	}
}

func TestNextBufferedNeverReads(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range []string{invalidate, attribute[:4] + "+k\r\n_\r\n" + invalidate, message(strings.Repeat("m", 64))} {
			conn := &shut{pipe: newPipe(t), t: t}
			r, _ := hold(conn)
			for i := range len(wire) {
				conn.closed = true
				for range 2 {
					f, ok, err := bufferedPush(r, false)
					require.Equal(t, parser.ErrIncomplete, err)
					require.False(t, ok)
					require.Zero(t, f.Type())
					require.Equal(t, parser.ErrIncomplete, bufferedPushes(r, false, func(parser.Frame, bool) bool { t.Error("called"); return true }))
				}
				conn.closed = false
				conn.send(wire[i : i+1])
				require.NoError(t, r.Driver().Fill())
			}
			conn.closed = true
			f, ok, err := bufferedPush(r, false)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, wire, string(f.Raw()))
		}
	})
}

// TestHandlerMayReclaimAndReadOn is for a handler that has done with its push: what it reads itself is not handed out
// again.
func TestHandlerMayReclaimAndReadOn(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t, invalidate+invalidate+message("a")+invalidate+pong)
		r, _ := hold(p)
		var seen []string
		handle := func(f parser.Frame, _ bool) bool {
			seen = append(seen, string(f.Name()))
			if len(seen) == 2 {
				r.Driver().Reclaim()
				next, err := r.Next()
				require.NoError(t, err)
				seen = append(seen, string(next.Name()))
				r.Driver().Lend()
			}
			return true
		}
		err := parser.ErrIncomplete
		for err == parser.ErrIncomplete {
			require.NoError(t, r.Driver().Fill())
			err = bufferedPushes(r, false, handle)
		}
		require.NoError(t, err)
		require.Equal(t, []string{"invalidate", "invalidate", "message", "invalidate"}, seen)
		p.next(t, r, pong)
	})
}

// The memory of a large frame that a handler has read is released before the
// next push is begun, and does not become the beginning of that.
func TestHandlerMayReclaimAndReadALargeFrame(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		large := message(strings.Repeat("m", 5000))
		for at := 1; at < len(invalidate); at++ {
			p := newPipe(t, invalidate+large[:40], large[40:]+invalidate[:at], invalidate[at:]+pong)
			r, _ := hold(p)
			var seen []string
			handle := func(f parser.Frame, _ bool) bool {
				if seen = append(seen, string(f.Raw())); len(seen) == 1 {
					r.Driver().Reclaim()
					next, err := r.Next()
					require.NoError(t, err)
					require.Equal(t, large, string(next.Raw()))
				}
				return true
			}
			err := parser.ErrIncomplete
			for err == parser.ErrIncomplete {
				require.NoError(t, r.Driver().Fill())
				err = bufferedPushes(r, false, handle)
			}
			require.NoError(t, err)
			require.Equal(t, []string{invalidate, invalidate}, seen)
			p.next(t, r, pong)
		}
	})
}

func TestPushIsTakenWhenItsHandlerPanics(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range []string{invalidate, attribute + invalidate, message(strings.Repeat("m", 5000))} {
			p := newPipe(t, wire+pong)
			r, _ := hold(p)
			require.NoError(t, r.Driver().Fill())
			var err error
			require.PanicsWithValue(t, "handler", func() {
				for err = parser.ErrIncomplete; err == parser.ErrIncomplete; {
					if err = bufferedPushes(r, false, func(parser.Frame, bool) bool { panic("handler") }); err == parser.ErrIncomplete {
						require.NoError(t, r.Driver().Fill())
					}
				}
			})
			require.Equal(t, parser.ErrReentrant, r.Skip())
			r.Driver().Reclaim()
			p.next(t, r, pong)
		}
	})
}

func TestHandlerThatResetsTheReaderEndsIt(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		for _, wire := range []string{invalidate, attribute + invalidate} {
			p := newPipe(t, wire+invalidate)
			r, _ := hold(p)
			calls := 0
			err := parser.ErrIncomplete
			for err == parser.ErrIncomplete {
				require.NoError(t, r.Driver().Fill())
				err = bufferedPushes(r, false, func(f parser.Frame, _ bool) bool {
					calls++
					r.Reset(newPipe(t, pong))
					require.Equal(t, wire, string(f.Raw()))
					return true
				})
			}
			require.Equal(t, parser.ErrReentrant, err)
			require.Equal(t, 1, calls)
		}
	})
}

func TestFillWaitsForBytesThatHaveNotBeenLookedAt(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t)
		r, _ := hold(p)
		for i := range 4 {
			done := p.waiting(t, r.Driver().Fill)
			p.send(invalidate[i : i+1])
			require.NoError(t, <-done)
			_, _, err := bufferedPush(r, false)
			require.Equal(t, parser.ErrIncomplete, err)
		}
		p.send(timeout)
		require.Equal(t, timeout, r.Driver().Fill())
		done := p.waiting(t, r.Driver().Fill)
		p.send(invalidate[4:])
		require.NoError(t, <-done)
		p.takes(t, takers[3].take, r, invalidate)

		p.send(">")
		require.NoError(t, r.Driver().Fill())
		_, _, err := bufferedPush(r, false)
		require.Equal(t, parser.ErrIncomplete, err)
		p.end()
		require.Equal(t, io.ErrUnexpectedEOF, r.Driver().Fill(), "inside a frame")

		r, _ = hold(strings.NewReader(""))
		require.Equal(t, io.EOF, r.Driver().Fill())
	})
}

func TestFillReturnsAtOnceWithBytesThatHaveNotBeenLookedAt(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		p := newPipe(t, pong+invalidate, ">0\r\n")
		r, _ := hold(p)
		p.next(t, r, pong)
		if r.Buffered() > 0 {
			require.NoError(t, p.within(t, r.Driver().Fill))
			require.Len(t, p.pieces, 1, "read on")
		}
		p.next(t, r, invalidate)
	})
}

func TestReplyBehindAttributesIsNotLookedAt(t *testing.T) {
	const reply = attribute + "*2\r\n$3\r\nabc\r\n:1\r\n"
	for cut := range len(reply) {
		eachHold(t, func(t *testing.T, hold hold) {
			p := newPipe(t, reply[:cut], reply[cut:]+pong)
			r, own := hold(p, parser.WithLimits(parser.Limits{MaxBulk: 2}))
			require.NoError(t, p.within(t, func() error {
				_, ok, err := r.Driver().NextPush(true)
				require.False(t, ok)
				return err
			}))
			if own == nil { // elsewhere it is forgotten
				require.False(t, r.Driver().MayHavePush())
				require.False(t, r.Driver().AwaitPush())
			}
			require.NoError(t, p.within(t, r.Skip), "it is over a limit, and nobody has found that out")
			f, err := r.Next()
			require.NoError(t, err)
			require.Equal(t, pong, string(f.Raw()))
		})
	}
}

func TestFrameThatMayBeAPushIsSaidToBeOne(t *testing.T) {
	const push = attribute + ">2\r\n+name\r\n:1\r\n"
	for cut := 1; cut < len(push); cut++ {
		eachHold(t, func(t *testing.T, hold hold) {
			p := newPipe(t, push[:cut], timeout, push[cut:]+pong)
			r, _ := hold(p)
			_, ok, err := r.Driver().NextPush(true)
			require.Equal(t, timeout, err)
			require.False(t, ok)
			require.True(t, r.Driver().MayHavePush())
			require.True(t, r.Driver().AwaitPush())
			f, ok, err := r.Driver().NextPush(true)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, push, string(f.Raw()))
		})
	}
}

func TestPartOfAPushThatTheClientHasReadIsForgotten(t *testing.T) {
	const wire = ">2\r\n+name\r\n:1\r\n"
	for cut := 1; cut < len(wire); cut++ {
		p := newPipe(t, wire[:cut])
		own := bufio.NewReader(p)
		r := parser.NewReader(own)
		_, err := own.Peek(1)
		require.NoError(t, err)
		_, ok, err := bufferedPush(r, true)
		require.Equal(t, parser.ErrIncomplete, err)
		require.False(t, ok)
		must(own.Discard(cut))
		p.send(invalidate)
		_, err = own.Peek(1)
		require.NoError(t, err)
		f, ok, err := bufferedPush(r, true)
		require.NoError(t, err, "cut at %d", cut)
		require.True(t, ok)
		require.Equal(t, invalidate, string(f.Raw()))
	}
}
