package dispatch_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// narrow are limits that the pushes of these tests keep or break.
var narrow = parser.Limits{MaxFrame: 400, MaxBulk: 100, MaxElements: 12, MaxDepth: 4}

// hundred is the longest string within narrow.
var hundred = strings.Repeat("x", narrow.MaxBulk)

// oversize are pushes, one for each way to break a limit.
var oversize = []struct{ name, wire string }{
	{"MaxFrame", push("a", hundred, hundred, hundred, hundred[:90])},
	{"MaxFrame with attributes", "|1\r\n" + bulk(hundred) + bulk(hundred) + push("a", hundred, hundred[:80])},
	{"MaxFrame far behind", push("a", hundred, hundred, hundred, hundred, hundred, "end")},
	{"MaxBulk", push("a", strings.Repeat("x", 101))},
	{"MaxBulk of the name", push(strings.Repeat("n", 101), "x")},
	{"MaxBulk of a streamed string", ">2\r\n+a\r\n$?\r\n;60\r\n" + strings.Repeat("x", 60) + "\r\n;60\r\n" + strings.Repeat("x", 60) + "\r\n;0\r\n"},
	{"MaxBulk by much", push("a", strings.Repeat(pong, 1000))},
	{"MaxElements", push("a", strings.Split("b c d e f g h i j k l m n o", " ")...)},
	{"MaxElements of all levels", ">3\r\n+a\r\n*8\r\n" + strings.Repeat(":1\r\n", 8) + "%2\r\n" + strings.Repeat("+k\r\n", 4)},
	{"MaxElements of a streamed set", ">2\r\n+a\r\n~?\r\n" + strings.Repeat(":1\r\n", 20) + ".\r\n"},
	{"MaxDepth", ">2\r\n+a\r\n" + strings.Repeat("*1\r\n", 4) + ":1\r\n"},
	{"MaxDepth by much", ">2\r\n+a\r\n" + strings.Repeat("*1\r\n", 1000) + ":1\r\n"},
	{"MaxDepth in a push inside", ">2\r\n+a\r\n>1\r\n*1\r\n*1\r\n*1\r\n:1\r\n:2\r\n"},
	{"two limits", ">2\r\n" + bulk(strings.Repeat("n", 101)) + strings.Repeat("*1\r\n", 5) + ":1\r\n"},
}

func eachOversize(t *testing.T, test func(t *testing.T, wire string, connect connect)) {
	for _, o := range oversize {
		t.Run(o.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) { test(t, o.wire, connect) }, parser.WithLimits(narrow))
		})
	}
}

func TestOversizePushEndsTheStreamByDefault(t *testing.T) {
	eachOversize(t, func(t *testing.T, wire string, connect connect) {
		p, got, _ := recording()
		c := connect(t, push("before")+wire+push("after")+pong)
		var first error
		c.within(t, func() { first = c.process(p) })
		var over *parser.LimitError
		require.ErrorAs(t, first, &over)
		require.Equal(t, first, c.process(p))
		_, err := c.rd.Next()
		require.Equal(t, first, err)
		require.Equal(t, []string{push("before")}, got.pushes)
		require.Zero(t, p.Stats().Oversize)
	})
}

func TestWithSkipOversizeDropsThePushAndNothingElse(t *testing.T) {
	eachOversize(t, func(t *testing.T, wire string, connect connect) {
		stream := push("before") + wire + push("between") + wire + wire + pong + wire + "+OK\r\n"
		for _, pieces := range [][]any{{stream}, chunks(stream, 100), bytewise(stream)} {
			p, got, failed := recording(dispatch.WithSkipOversize())
			c := connect(t, pieces...)
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{push("before"), push("between")}, got.pushes)
			require.Equal(t, "+OK\r\n", c.reply(t, p))
			require.Equal(t, dispatch.Stats{
				Pushes: 2, Bytes: uint64(len(push("before") + push("between"))), Oversize: 4,
			}, p.Stats())
			require.Empty(t, *failed)
			require.NoError(t, c.rd.Err())
		}
	})
}

func TestWithSkipOversizeResumesAfterATimeOutAnywhere(t *testing.T) {
	for _, o := range []string{"MaxBulk", "MaxElements", "MaxDepth", "MaxFrame", "two limits"} {
		t.Run(o, func(t *testing.T) {
			for _, c := range oversize {
				if c.name != o {
					continue
				}
				eachClient(t, func(t *testing.T, connect connect) {
					for cut := 1; cut < len(c.wire); cut++ {
						p, got, _ := recording(dispatch.WithSkipOversize())
						conn := connect(t, c.wire[:cut], timeout, c.wire[cut:]+push("after")+pong)
						var err error
						conn.within(t, func() { err = conn.process(p) })
						require.ErrorIs(t, err, timeout, "cut at %d", cut)
						require.Equal(t, pong, conn.reply(t, p), "cut at %d", cut)
						require.Equal(t, []string{push("after")}, got.pushes)
						require.EqualValues(t, 1, p.Stats().Oversize)
					}
				}, parser.WithLimits(narrow))
			}
		})
	}
}

func TestWithSkipOversizeReportsAPushCutShort(t *testing.T) {
	eachOversize(t, func(t *testing.T, wire string, connect connect) {
		p, _, _ := recording(dispatch.WithSkipOversize())
		c := connect(t, wire[:len(wire)-1], io.EOF)
		var err error
		c.within(t, func() { err = c.process(p) })
		require.Equal(t, io.ErrUnexpectedEOF, err)
	})
}

func TestWithSkipOversizeStopsAtWhatIsMalformed(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording(dispatch.WithSkipOversize())
		c := connect(t, ">2\r\n$101\r\n"+strings.Repeat("n", 101)+"\r\n$x\r\n"+push("after")+pong)
		var err error
		c.within(t, func() { err = c.process(p) })
		require.ErrorIs(t, err, parser.ErrLength)
		require.Equal(t, err, c.process(p))
		require.Empty(t, got.pushes)
	}, parser.WithLimits(narrow))
}

// The processor does not drop a reply that is too large.
func TestWithSkipOversizeLeavesRepliesAlone(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, _, _ := recording(dispatch.WithSkipOversize())
		large := bulk(strings.Repeat("x", 200))
		c := connect(t, push("a")+large+pong)
		var err error
		c.within(t, func() { err = c.process(p) })
		require.NoError(t, err)
		if c.own != nil {
			require.Equal(t, large, c.reply(t, p), "a client's own limits are its own")
			require.Equal(t, pong, c.reply(t, p))
		} else {
			_, err = c.rd.Next()
			var over *parser.LimitError
			require.ErrorAs(t, err, &over)
			require.Equal(t, err, c.process(p))
		}
		require.Zero(t, p.Stats().Oversize)
	}, parser.WithLimits(narrow))
}

// Pub/sub pushes that are left to the client are left whatever their size.
func TestWithSkipOversizeLeavesPubSubToTheClient(t *testing.T) {
	message := push("message", "ch", strings.Repeat("x", 200))
	for _, size := range []int{64, 4096} {
		p, got, _ := recording(dispatch.WithSkipOversize())
		c := inPlace(size, parser.WithLimits(narrow))(t, message+push("a")+pong)
		require.Equal(t, message, c.reply(t, p))
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push("a")}, got.pushes)
		require.Zero(t, p.Stats().Oversize)
	}
	p, got, _ := recording(dispatch.WithSkipOversize(), dispatch.WithPubSub())
	c := ownBuffer(parser.WithLimits(narrow))(t, message+push("a")+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{push("a")}, got.pushes)
	require.EqualValues(t, 1, p.Stats().Oversize)
}

func TestProcessBufferedDropsOversizePushesAsTheyCome(t *testing.T) {
	eachOversize(t, func(t *testing.T, wire string, connect connect) {
		stream := push("before") + wire + push("after")
		for _, size := range []int{1, 50, len(stream)} {
			p, got, _ := recording(dispatch.WithSkipOversize())
			c := connect(t, append(chunks(stream, size), pong)...)
			taken := 0
			for rounds := 0; len(got.pushes) < 2; rounds++ {
				require.Less(t, rounds, 2*len(stream), "it comes to an end")
				require.NoError(t, c.rd.Driver().Fill())
				c.without(t, func() {
					n, err := c.buffered(p)
					require.NoError(t, err)
					taken += n
				})
			}
			require.Equal(t, []string{push("before"), push("after")}, got.pushes)
			require.Equal(t, 2, taken)
			require.Equal(t, pong, c.reply(t, p))
			require.EqualValues(t, 1, p.Stats().Oversize)
		}
	})
}

// While a push is being dropped, the next byte of the Source is in the middle of that push. A client that reads its
// Source itself must be able to tell.
func TestPendingTellsOfAPushThatIsBeingDropped(t *testing.T) {
	large := push("a", strings.Repeat("x", 300))
	p, _, _ := recording(dispatch.WithSkipOversize())
	c := inPlace(64, parser.WithLimits(narrow))(t, large[:100], large[100:]+pong)
	require.NoError(t, c.rd.Driver().Fill())
	n, err := c.buffered(p)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Zero(t, c.own.Buffered(), "what has come is dropped")
	typ, moved := c.rd.Pending()
	require.Equal(t, parser.TypePush, typ)
	require.NotZero(t, moved)
	require.Equal(t, pong, c.reply(t, p))
	typ, moved = c.rd.Pending()
	require.Zero(t, typ)
	require.Zero(t, moved)
}

func TestServeDropsOversizePushesOnly(t *testing.T) {
	eachOversize(t, func(t *testing.T, wire string, connect connect) {
		p, got, _ := recording(dispatch.WithSkipOversize())
		c := connect(t, push("before")+wire+pong+wire+push("after")+":1\r\n", io.EOF)
		var replies []string
		var err error
		c.within(t, func() { err = c.serve(p, func(wire string) error { replies = append(replies, wire); return nil }) })
		require.NoError(t, err)
		require.Equal(t, []string{pong, ":1\r\n"}, replies)
		require.Equal(t, []string{push("before"), push("after")}, got.pushes)
		require.EqualValues(t, 2, p.Stats().Oversize)
	})
	p, _, _ := recording(dispatch.WithSkipOversize())
	c := ownBuffer(parser.WithLimits(narrow))(t, bulk(strings.Repeat("x", 101))+pong)
	err := c.serve(p, nil)
	var over *parser.LimitError
	require.ErrorAs(t, err, &over)
	require.Zero(t, p.Stats().Oversize)
}

// pushOf returns a reader of a push with one string of n bytes, which is never in memory as a whole.
func pushOf(n int) io.Reader {
	body := &cycle{wire: strings.Repeat("x", 1<<10), rounds: n >> 10}
	return io.MultiReader(strings.NewReader(fmt.Sprintf(">2\r\n$1\r\na\r\n$%d\r\n", n)), body, strings.NewReader("\r\n"+push("after")+pong))
}

func TestOversizePushCostsNoMemory(t *testing.T) {
	const size = 64 << 20
	for _, connected := range []struct {
		name string
		open func(rd io.Reader) *parser.Reader
	}{
		{"own", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd, parser.WithLimits(narrow)) }},
		{"source", func(rd io.Reader) *parser.Reader {
			return parser.NewReader(bufio.NewReader(rd), parser.WithLimits(narrow))
		}},
	} {
		t.Run(connected.name, func(t *testing.T) {
			p, got, _ := recording(dispatch.WithSkipOversize())
			rd := connected.open(pushOf(size))
			var err error
			allocated, _ := grown(func() {
				err = p.ProcessPendingNotifications(t.Context(), dispatch.NotificationHandlerContext{}, rd)
			})
			require.NoError(t, err)
			require.Less(t, allocated, int64(256<<10))
			require.Equal(t, []string{push("after")}, got.pushes)
			require.EqualValues(t, 1, p.Stats().Oversize)
			f, err := rd.Next()
			require.NoError(t, err)
			require.Equal(t, pong, string(f.Raw()))
		})
	}
}

// An Overlay drops what its Processor drops, except in Serve, whose caller tells
// what is missing.
func TestAnOverlayThatServesDropsNothing(t *testing.T) {
	wire := push("before") + oversize[0].wire + push("after") + pong
	for name, test := range map[string]struct {
		drops   bool
		process func(p *dispatch.Processor, rd *parser.Reader) error
	}{
		"Processor.Serve": {true, func(p *dispatch.Processor, rd *parser.Reader) error {
			return p.Serve(t.Context(), noContext, rd, nil)
		}},
		"Overlay.ProcessBuffered": {true, func(p *dispatch.Processor, rd *parser.Reader) error {
			_, _, err := rd.PeekPush() // reads, as a client that waits for a reply does
			require.NoError(t, err)
			_, err = p.Overlay().ProcessBuffered(t.Context(), noContext, rd)
			return err
		}},
		"Overlay.Serve": {false, func(p *dispatch.Processor, rd *parser.Reader) error {
			return p.Overlay().Serve(t.Context(), noContext, rd, nil)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p, got, _ := recording(dispatch.WithSkipOversize())
			err := test.process(p, parser.NewReader(strings.NewReader(wire), parser.WithLimits(narrow)))
			if test.drops {
				require.NoError(t, err)
				require.Equal(t, []string{push("before"), push("after")}, got.pushes)
				require.EqualValues(t, 1, p.Stats().Oversize)
				return
			}
			var limit *parser.LimitError
			require.ErrorAs(t, err, &limit)
			require.Equal(t, []string{push("before")}, got.pushes)
			require.Zero(t, p.Stats().Oversize)
		})
	}
}
