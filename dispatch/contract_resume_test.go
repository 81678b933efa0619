package dispatch_test

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// attribute is one that may stand before any value.
const attribute = "|1\r\n+k\r\n+v\r\n"

// someFrames are pushes in the forms that a time-out or the end of a connection can cut.
var someFrames = []struct{ name, wire string }{
	{"bulk", push("invalidate", "some-key")},
	{"nested array", ">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
	{"null", ">2\r\n$10\r\ninvalidate\r\n_\r\n"},
	{"simple name", ">2\r\n+invalidate\r\n:42\r\n"},
	{"verbatim name", ">2\r\n=14\r\ntxt:invalidate\r\n#t\r\n"},
	{"streamed name", ">2\r\n$?\r\n;4\r\ninva\r\n;6\r\nlidate\r\n;0\r\n,1.5\r\n"},
	{"no name", ">1\r\n:1\r\n"},
	{"empty", ">0\r\n"},
	{"large", push("invalidate", strings.Repeat("k", 300))},
	{"almost pub/sub", push("messages", "ch", "text")},
	{"attribute inside", ">2\r\n" + attribute + "$10\r\ninvalidate\r\n_\r\n"},
	{"push inside", ">2\r\n$10\r\ninvalidate\r\n>1\r\n$1\r\nn\r\n:1\r\n"},
}

func eachFrame(t *testing.T, test func(t *testing.T, wire string, connect connect)) {
	for _, f := range someFrames {
		t.Run(f.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) { test(t, f.wire, connect) })
		})
	}
}

// topLevel leaves out the pushes that were inside another.
func topLevel(pushes []string) []string {
	var all []string
	for _, p := range pushes {
		if p != ">1\r\n$1\r\nn\r\n" {
			all = append(all, p)
		}
	}
	return all
}

func TestTimeOutInsideAPushLosesNothing(t *testing.T) {
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		for cut := range len(wire) + 1 {
			p, got, failed := recording()
			c := connect(t, wire[:cut], timeout, wire[cut:], timeout, pong)
			var err error
			c.within(t, func() { err = c.process(p) })
			if cut == 0 || cut == len(wire) {
				require.NoError(t, err, "nothing of a push is left to come: the client's own read reports it")
			} else {
				require.ErrorIs(t, err, timeout, "cut at %d", cut)
				require.Empty(t, got.pushes)
				c.within(t, func() { err = c.process(p) })
				require.NoError(t, err)
			}
			for range 2 {
				c.within(t, func() { err = c.process(p) })
				require.NoError(t, err)
			}
			require.Equal(t, []string{wire}, topLevel(got.pushes), "cut at %d", cut)
			require.Equal(t, pong, c.reply(t, p))
			require.Empty(t, *failed)
		}
	})
}

func TestTimeOutAtEveryByteDeliversOnce(t *testing.T) {
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		p, got, _ := recording()
		stream := wire + attribute + wire + pong
		c := connect(t, bytewise(stream, timeout, timeout)...)
		for range 2 * len(stream) {
			var err error
			if c.within(t, func() { err = c.process(p) }); err != nil {
				require.ErrorIs(t, err, timeout)
			}
			if len(topLevel(got.pushes)) == 2 {
				break
			}
		}
		require.Equal(t, []string{wire, attribute + wire}, topLevel(got.pushes))
		// The reply is the client's own affair, its time-outs too.
		for {
			f, err := c.rd.Next()
			if err == nil {
				require.Equal(t, pong, string(f.Raw()))
				break
			}
			require.ErrorIs(t, err, timeout)
		}
	})
}

// Attributes belong to what follows them, and what that is nobody knows yet.
func TestTimeOutInsideAttributesIsNothingOfAPush(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		for cut := 1; cut <= len(attribute); cut++ {
			p, got, _ := recording()
			c := connect(t, attribute[:cut], timeout, attribute[cut:]+push("a"), timeout, pong)
			for range 2 {
				var err error
				c.within(t, func() { err = c.process(p) })
				require.NoError(t, err, "cut at %d", cut)
			}
			require.Equal(t, []string{attribute + push("a")}, got.pushes)
			require.Equal(t, pong, c.reply(t, p))
		}
	})
}

func TestNilWhenNothingOfAPushWasSeen(t *testing.T) {
	reset := error(syscall.ECONNRESET)
	for _, c := range []struct {
		name   string
		pieces []any
		err    error  // of the client's own read
		wire   string // or what it gets
	}{
		{"no data and a time-out", []any{timeout, pong}, nil, pong},
		{"end at a boundary", []any{io.EOF}, io.EOF, ""},
		{"end behind a push", []any{push("a"), io.EOF}, io.EOF, ""},
		{"another error at a boundary", []any{reset, pong}, nil, pong},
		{"another error behind a push", []any{push("a"), reset, reset}, reset, ""},
		{"a reply", []any{pong}, nil, pong},
		{"the first byte of a reply", []any{"+", io.EOF}, io.ErrUnexpectedEOF, ""},
		{"a reply behind pushes", []any{push("a") + push("b") + pong}, nil, pong},
		{"a reply that holds a push", []any{"*1\r\n" + push("a") + ":1\r\n"}, nil, "*1\r\n" + push("a") + ":1\r\n"},
		{"a reply with a little attribute", []any{"|0\r\n" + pong}, nil, "|0\r\n" + pong},
		{"the end inside an attribute", []any{"|1\r\n+k\r\n", io.EOF}, io.ErrUnexpectedEOF, ""},
		{"a push of publish and subscribe", []any{">1\r\n+message\r\n"}, nil, ">1\r\n+message\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, _, failed := recording()
				conn := connect(t, c.pieces...)
				var err error
				conn.within(t, func() { err = conn.process(p) })
				require.NoError(t, err)
				require.NoError(t, conn.rd.Err())
				var wire string
				conn.within(t, func() { wire, err = conn.next() })
				if c.err != nil {
					require.Equal(t, c.err, err)
				} else {
					require.NoError(t, err)
					require.Equal(t, c.wire, wire)
				}
				require.Empty(t, *failed)
			})
		})
	}
}

func TestEndInsideAPushIsUnexpectedEOF(t *testing.T) {
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		for cut := 1; cut < len(wire); cut++ {
			p, got, _ := recording()
			c := connect(t, push("before"), wire[:cut], io.EOF)
			for range 2 {
				var err error
				c.within(t, func() { err = c.process(p) })
				require.Equal(t, io.ErrUnexpectedEOF, err, "cut at %d", cut)
				require.Equal(t, []string{push("before")}, got.pushes)
			}
		}
	})
}

func TestOtherErrorInsideAPushIsReturnedAsItIs(t *testing.T) {
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		for cut := 1; cut < len(wire); cut++ {
			p, got, _ := recording()
			c := connect(t, wire[:cut], error(syscall.ECONNRESET))
			var err error
			c.within(t, func() { err = c.process(p) })
			require.Equal(t, syscall.ECONNRESET, err, "cut at %d", cut)
			require.Empty(t, got.pushes)
		}
	})
}

func TestMalformedPushIsAnError(t *testing.T) {
	for _, c := range []struct {
		wire   string
		cause  error
		offset int64
	}{
		{">-1\r\n", parser.ErrLength, 1},
		{">x\r\n", parser.ErrLength, 1},
		{">1\r\nx", parser.ErrType, 4},
		{">1\r\n$-2\r\n", parser.ErrLength, 6},
		{">2\r\n$1\r\nab\r\n", parser.ErrTerminator, 9},
		{">2\r\n$1\r\na\r\n$x\r\n", parser.ErrLength, 12},
		{">1\n", parser.ErrTerminator, 2},
	} {
		t.Run(fmt.Sprintf("%q", c.wire), func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, got, _ := recording()
				before := push("before", "x")
				conn := connect(t, before+c.wire+strings.Repeat(pong, 5))
				var first error
				for range 3 {
					var err error
					conn.within(t, func() { err = conn.process(p) })
					var syntax *parser.SyntaxError
					require.ErrorAs(t, err, &syntax)
					require.ErrorIs(t, err, c.cause)
					require.Equal(t, int64(len(before))+c.offset, syntax.Offset)
					if first == nil {
						first = err
					}
					require.Equal(t, first, err, "and it stays")
					require.Equal(t, first, conn.rd.Err())
				}
				require.Equal(t, []string{before}, got.pushes)
			})
		})
	}
}

func TestPushOverALimitIsAnError(t *testing.T) {
	limits := parser.Limits{MaxFrame: 200, MaxBulk: 100, MaxElements: 10, MaxDepth: 3}
	for limit, wire := range map[string]string{
		"MaxBulk":     push("a", strings.Repeat("x", 101)),
		"MaxFrame":    push("a", strings.Repeat("x", 100), strings.Repeat("x", 99)),
		"MaxElements": ">11\r\n" + strings.Repeat("$1\r\na\r\n", 11),
		"MaxDepth":    ">1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	} {
		t.Run(limit, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, got, _ := recording()
				conn := connect(t, push("before")+wire+pong)
				for range 2 {
					var err error
					conn.within(t, func() { err = conn.process(p) })
					var over *parser.LimitError
					require.ErrorAs(t, err, &over)
					require.Equal(t, limit, over.Limit)
				}
				require.Equal(t, []string{push("before")}, got.pushes)
			}, parser.WithLimits(limits))
		})
	}
}

func TestWaitsOnlyForWhatTheSeenPrefixGuarantees(t *testing.T) {
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		for cut := 1; cut < len(wire); cut++ {
			p, got, _ := recording()
			c := connect(t, wire[:cut])
			done := c.waiting(t, func() { _ = c.process(p) })
			c.send(wire[cut:] + "+") // and not a byte more of the reply
			select {
			case <-done:
			case <-c.starved:
				t.Fatal("waits although a reply has begun")
			}
			require.Equal(t, []string{wire}, topLevel(got.pushes), "cut at %d", cut)
			c.send(pong[1:])
			require.Equal(t, pong, c.reply(t, p))
		}
	})
}

func TestEveryPushIsDeliveredBeforeTheNextWait(t *testing.T) {
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		p, got, _ := recording()
		c := connect(t, wire+wire)
		done := c.waiting(t, func() { _ = c.process(p) })
		require.Equal(t, []string{wire, wire}, topLevel(got.pushes), "both are whole, and nothing else is promised")
		c.send(pong)
		<-done
	})
}

// The nine names, in every spelling, followed by nothing.
func TestPubSubPushesAreLeftUnread(t *testing.T) {
	for _, name := range pubSubNames {
		for form, head := range map[string]string{
			"bulk":     bulk(name),
			"simple":   "+" + name + "\r\n",
			"verbatim": fmt.Sprintf("=%d\r\ntxt:%s\r\n", len(name)+4, name),
			"streamed": fmt.Sprintf("$?\r\n;1\r\n%s\r\n;%d\r\n%s\r\n;0\r\n", name[:1], len(name)-1, name[1:]),
		} {
			t.Run(name+"/"+form, func(t *testing.T) {
				eachClient(t, func(t *testing.T, connect connect) {
					p, got, failed := recording()
					require.NoError(t, p.Handle(name, got))
					wire := ">2\r\n" + head + ":1\r\n"
					c := connect(t, push("a")+wire)
					for range 2 {
						var err error
						c.within(t, func() { err = c.process(p) })
						require.NoError(t, err)
						require.Equal(t, []string{push("a")}, got.pushes)
					}
					left, err := c.next()
					require.NoError(t, err)
					require.Equal(t, wire, left)
					c.send(push("b") + pong)
					require.Equal(t, pong, c.reply(t, p))
					require.Equal(t, []string{push("a"), push("b")}, got.pushes)
					require.Empty(t, *failed)
				})
			})
		}
	}
}

// Whether a push is left is known when its name is, however that arrives.
func TestPubSubPushIsLeftWhereverItIsCut(t *testing.T) {
	wire := push("subscribe", "ch")
	eachClient(t, func(t *testing.T, connect connect) {
		for _, attributes := range []string{"", attribute} {
			frame := attributes + wire
			for cut := 1; cut < len(frame); cut++ {
				p, got, _ := recording()
				c := connect(t, push("a"), frame[:cut], frame[cut:]+push("b")+pong)
				require.Equal(t, frame, c.reply(t, p), "cut at %d", cut)
				require.Equal(t, []string{push("a")}, got.pushes)
				require.Equal(t, pong, c.reply(t, p))
				require.Equal(t, []string{push("a"), push("b")}, got.pushes)
			}
			p, got, _ := recording()
			c := connect(t, bytewise(frame+frame+push("b")+pong)...)
			require.Equal(t, frame, c.reply(t, p))
			require.Equal(t, frame, c.reply(t, p))
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{push("b")}, got.pushes)
		}
	})
}

func TestPubSubPushIsLeftAfterTimeOutsInIt(t *testing.T) {
	const head = ">2\r\n$9\r\nsubscribe" // when the name is known, the rest is the client's
	frame := head + "\r\n" + bulk("ch")
	eachClient(t, func(t *testing.T, connect connect) {
		for cut := 1; cut < len(head); cut++ {
			p, got, _ := recording()
			c := connect(t, frame[:cut], timeout, frame[cut:]+push("b")+pong)
			var err error
			c.within(t, func() { err = c.process(p) })
			require.ErrorIs(t, err, timeout)
			require.Equal(t, frame, c.reply(t, p), "cut at %d", cut)
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{push("b")}, got.pushes)
		}
	})
}

// A push that somebody has begun to read from the Reader is left all the same.
func TestPubSubPushIsLeftAfterNextTimedOutInIt(t *testing.T) {
	frame := push("subscribe", "ch")
	eachClient(t, func(t *testing.T, connect connect) {
		for cut := range len(frame) {
			p, got, _ := recording()
			c := connect(t, frame[:cut], timeout, frame[cut:]+push("b")+pong)
			_, err := c.rd.Next()
			require.ErrorIs(t, err, timeout)
			require.Equal(t, frame, c.reply(t, p), "cut at %d", cut)
			require.Equal(t, pong, c.reply(t, p), "cut at %d", cut)
			require.Equal(t, []string{push("b")}, got.pushes)
		}
	})
}

func TestNamesAreComparedWhole(t *testing.T) {
	for _, name := range []string{"messages", "essage", "Message", "SUBSCRIBE", "message\r", "pong", "unsub", "xmessage", ""} {
		p, got, _ := recording()
		c := ownBuffer()(t, push(name, "x")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push(name, "x")}, got.pushes)
	}
}

func TestWithPubSubTakesThem(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, _ := recording(dispatch.WithPubSub())
		var wire string
		var want, got []string
		for _, name := range pubSubNames {
			handle(t, p, name, func(f parser.Frame) error { got = append(got, string(f.Raw())); return nil })
			want = append(want, push(name, "ch", "x"))
			wire += push(name, "ch", "x")
		}
		c := connect(t, wire+push("a")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, want, got)
		require.Equal(t, []string{push("a")}, others.pushes)
	})
}
