package dispatch_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

func TestProcessBufferedNeverReads(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		wire := push("a", "x") + push("b", strings.Repeat("y", 100)) + attribute + push("c") + ">0\r\n"
		p, got, _ := recording()
		c := connect(t, bytewise(wire)...)
		c.without(t, func() {
			n, err := c.buffered(p)
			require.NoError(t, err)
			require.Zero(t, n, "nothing has been received")
		})
		total := 0
		for range len(wire) {
			require.NoError(t, c.rd.Driver().Fill())
			c.without(t, func() {
				n, err := c.buffered(p)
				require.NoError(t, err)
				total += n
				require.Len(t, got.pushes, total, "n is what it took")
			})
		}
		require.Equal(t, 4, total)
		require.Equal(t, wire, strings.Join(got.pushes, ""))
	})
}

func TestProcessBufferedStopsAtWhatIsNotItsOwn(t *testing.T) {
	for _, next := range []string{pong, "|0\r\n" + pong, push("message", "x"), "x"} {
		eachClient(t, func(t *testing.T, connect connect) {
			p, got, _ := recording()
			c := connect(t, push("a")+next)
			require.NoError(t, c.rd.Driver().Fill())
			taken := 0
			for range 3 {
				n, err := c.buffered(p)
				require.NoError(t, err)
				taken += n
				if taken == 0 || c.rd.Buffered() == 0 {
					require.NoError(t, c.rd.Driver().Fill())
				}
			}
			require.Equal(t, 1, taken)
			require.Equal(t, []string{push("a")}, got.pushes)
			if next == "x" {
				_, err := c.rd.Next()
				require.ErrorIs(t, err, parser.ErrType, "the client's own read finds it")
				return
			}
			require.Equal(t, next, c.reply(t, p))
		})
	}
}

func TestProcessBufferedResumesALargePushThatArrivesInPieces(t *testing.T) {
	large := push("a", strings.Repeat("x", 10_000), strings.Repeat("y", 5_000))
	for _, size := range []int{1, 15, 1000, 4096} {
		t.Run(fmt.Sprint("pieces=", size), func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, got, _ := recording()
				c := connect(t, append(append([]any{push("before")}, chunks(large, size)...), push("after")+pong)...)
				for rounds := 0; len(got.pushes) < 3; rounds++ {
					require.Less(t, rounds, 2*len(large), "it comes to an end")
					require.NoError(t, c.rd.Driver().Fill())
					before := len(got.pushes)
					n, err := c.buffered(p)
					require.NoError(t, err)
					require.Equal(t, before+n, len(got.pushes))
					if typ, moved := c.rd.Pending(); moved > 0 {
						require.Equal(t, parser.TypePush, typ)
						require.NotNil(t, c.own)
						require.Less(t, moved, len(large))
					}
				}
				require.Equal(t, []string{push("before"), large, push("after")}, got.pushes)
				require.Equal(t, pong, c.reply(t, p))
			})
		})
	}
}

// A push larger than the client's buffer is moved out of it. The buffer then continues in the middle of a frame, as
// Pending tells, and every call of the Reader returns or skips the rest.
func TestProcessBufferedMovesOutWhatFillsASource(t *testing.T) {
	large := push("invalidate", strings.Repeat("x", 300))
	for name, goOn := range map[string]func(t *testing.T, c *client, p *dispatch.Processor){
		"waits for a reply": func(t *testing.T, c *client, p *dispatch.Processor) {
			require.Equal(t, pong, c.reply(t, p))
		},
		"goes on without waiting": func(t *testing.T, c *client, p *dispatch.Processor) {
			n := 0
			for n == 0 {
				require.NoError(t, c.rd.Driver().Fill())
				var err error
				n, err = c.buffered(p)
				require.NoError(t, err)
			}
			require.Equal(t, pong, c.reply(t, p))
		},
		"reads it itself": func(t *testing.T, c *client, p *dispatch.Processor) {
			f, err := c.rd.Next()
			require.NoError(t, err)
			require.Equal(t, large, string(f.Raw()))
			require.Equal(t, 1, p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
			require.Equal(t, pong, c.reply(t, p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, got, _ := recording()
			c := inPlace(64)(t, large[:64], large[64:], pong)
			require.NoError(t, c.rd.Driver().Fill())
			require.Equal(t, 64, c.own.Buffered())
			c.without(t, func() {
				n, err := c.buffered(p)
				require.NoError(t, err)
				require.Zero(t, n)
			})
			require.Zero(t, c.own.Buffered(), "there is room for the rest")
			typ, moved := c.rd.Pending()
			require.Equal(t, parser.TypePush, typ)
			require.Equal(t, 64, moved)
			require.Equal(t, 64, c.rd.Buffered())

			goOn(t, c, p)
			require.Equal(t, []string{large}, got.pushes)
			typ, moved = c.rd.Pending()
			require.Zero(t, typ)
			require.Zero(t, moved)
		})
	}
}

// source is a Source without further methods: it does not tell its size.
type source struct{ rd *bufio.Reader }

func (s source) Peek(n int) ([]byte, error)     { return s.rd.Peek(n) }
func (s source) Discard(n int) (int, error)     { return s.rd.Discard(n) }
func (s source) Buffered() int                  { return s.rd.Buffered() }
func (s source) Read(b []byte) (n int, e error) { return s.rd.Read(b) }

func TestProcessBufferedLeavesASourceOfUnknownSizeAsItIs(t *testing.T) {
	large := push("invalidate", strings.Repeat("x", 300))
	for _, make := range []func(s source) *parser.Reader{
		func(s source) *parser.Reader { return parser.NewSourceReader(s) },
		func(s source) *parser.Reader { return parser.NewReader(s) },
	} {
		p, got, _ := recording()
		s := newStream(t, push("a")+large+pong)
		own := bufio.NewReaderSize(s, 64)
		c := &client{stream: s, rd: make(source{own}), own: own}
		require.NoError(t, c.rd.Driver().Fill())
		n, err := c.buffered(p)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.NoError(t, c.rd.Driver().Fill())
		for range 3 {
			n, err = c.buffered(p)
			require.NoError(t, err)
			require.Zero(t, n)
		}
		_, moved := c.rd.Pending()
		require.Zero(t, moved)
		require.Equal(t, pong, c.reply(t, p), "who may wait may make room")
		require.Equal(t, []string{push("a"), large}, got.pushes)
	}
}

func TestProcessBufferedReturnsWhatIsWrongWithAPush(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording()
		c := connect(t, push("a")+">x\r\n")
		var n int
		var err error
		for range 20 {
			require.NoError(t, c.rd.Driver().Fill())
			var k int
			if k, err = c.buffered(p); err != nil {
				n += k
				break
			}
			n += k
		}
		require.ErrorIs(t, err, parser.ErrLength)
		require.Equal(t, 1, n, "what was taken before counts")
		require.Equal(t, []string{push("a")}, got.pushes)
		n, again := c.buffered(p)
		require.Equal(t, err, again)
		require.Zero(t, n)
	})
}

func TestPushesWithoutHandlerGoToTheFallback(t *testing.T) {
	named, owned := new(record), new(notified)
	p, others, _ := recording()
	require.NoError(t, p.Handle("a", named))
	require.NoError(t, p.RegisterHandler("o", owned, false))
	c := ownBuffer()(t, push("a")+push("b")+push("o")+">0\r\n"+">1\r\n:1\r\n"+push("A")+push("")+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{push("a")}, named.pushes)
	require.Len(t, owned.got, 1)
	require.Equal(t, []string{push("b"), ">0\r\n", ">1\r\n:1\r\n", push("A"), push("")}, others.pushes)

	require.NoError(t, p.UnregisterHandler("a"))
	require.NoError(t, p.Handle("", named), "the empty name is a name")
	c = ownBuffer()(t, push("a")+push("")+">0\r\n"+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{push("a"), push("")}, named.pushes)
	require.Equal(t, []string{push("a"), ">0\r\n"}, others.pushes[5:])
}

func TestWithoutFallbackPushesAreDropped(t *testing.T) {
	for _, p := range []*dispatch.Processor{dispatch.NewProcessor(), new(dispatch.Processor), dispatch.NewProcessor(dispatch.WithFallback(nil))} {
		c := ownBuffer()(t, push("a")+">0\r\n"+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, dispatch.Stats{Pushes: 2, Bytes: uint64(len(push("a")) + 4), Unhandled: 2}, p.Stats())
	}
}

func TestFallbackDoesNotTakeWhatIsLeftUnread(t *testing.T) {
	p, got, _ := recording()
	c := ownBuffer()(t, push("message", "ch", "x")+pong)
	require.Equal(t, push("message", "ch", "x"), c.reply(t, p))
	require.Empty(t, got.pushes)

	p, got, _ = recording(dispatch.WithPubSub())
	c = ownBuffer()(t, push("message", "ch", "x")+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{push("message", "ch", "x")}, got.pushes)
}

func TestDispatchDeliversPushesAndWhatIsInsideFrames(t *testing.T) {
	n := push("n", "inner")
	for _, c := range []struct {
		wire   string
		pushes []string
	}{
		{pong, nil},
		{"*2\r\n+a\r\n+b\r\n", nil},
		{push("a"), []string{push("a")}},
		{push("message", "x"), []string{push("message", "x")}},
		{attribute + push("a"), []string{attribute + push("a")}},
		{">0\r\n", []string{">0\r\n"}},
		{"*1\r\n" + n + ":1\r\n", []string{n}},
		{"*1\r\n" + attribute + n + ":1\r\n", []string{attribute + n}},
		{"%1\r\n" + n + "+k\r\n" + push("m") + "+v\r\n", []string{n, push("m")}},
		{"~1\r\n*1\r\n" + n + ":1\r\n", []string{n}},
		{"*?\r\n" + n + ":1\r\n.\r\n", []string{n}},
		{"|1\r\n" + n + "+k\r\n+v\r\n" + pong, []string{n}},
		{">2\r\n+a\r\n" + n + ":1\r\n", []string{">2\r\n+a\r\n" + n + ":1\r\n", n}},
		{"*1\r\n>2\r\n+a\r\n" + n + ":1\r\n:2\r\n", []string{">2\r\n+a\r\n" + n + ":1\r\n", n}},
	} {
		f, size, err := parser.Parse([]byte(c.wire))
		require.NoError(t, err, "%q", c.wire)
		require.Equal(t, len(c.wire), size)
		p, got, _ := recording()
		require.Equal(t, len(c.pushes), p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f), "%q", c.wire)
		require.Equal(t, c.pushes, got.pushes)

		none := dispatch.NewProcessor()
		require.Zero(t, none.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f), "none has a handler")
		require.EqualValues(t, len(c.pushes), none.Stats().Unhandled)
	}
	p, got, _ := recording()
	require.Zero(t, p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, parser.Frame{}))
	require.Empty(t, got.pushes)
}

// Pushes nested in a push are handled after it, in wire order.
func TestProcessDeliversPushesInsidePushes(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		outer := ">2\r\n+a\r\n" + push("n") + ":1\r\n"
		p, got, _ := recording()
		c := connect(t, outer+push("b")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{outer, push("n"), push("b")}, got.pushes)
	})
}

// The attributes before a reply have to be scanned, and may be larger than the client's buffer. They are then moved out
// of it, and the Reader has to return the reply, as Pending tells.
func TestReplyBehindAttributesLargerThanTheBufferIsWhole(t *testing.T) {
	attributed := "|1\r\n" + bulk(strings.Repeat("k", 100)) + bulk(strings.Repeat("v", 100))
	for _, size := range []int{16, 17, 64} {
		for _, frame := range []string{attributed + pong, attributed + push("message", "ch")} {
			p, got, _ := recording()
			c := inPlace(size)(t, push("a")+frame+push("b")+pong)
			var err error
			c.within(t, func() { err = c.process(p) })
			require.NoError(t, err)
			_, moved := c.rd.Pending()
			require.NotZero(t, moved)
			f, err := c.rd.Next()
			require.NoError(t, err)
			require.Equal(t, frame, string(f.Raw()))
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{push("a"), push("b")}, got.pushes)
		}
	}
}

// faulty is a connection whose Read panics.
type faulty struct{}

func (faulty) Read([]byte) (int, error) { panic("a faulty connection") }

// The processor recovers from the panics of handlers only: the state of the stream is unknown after any other.
func TestPanicOutsideHandlersIsTheCallers(t *testing.T) {
	for name, rd := range map[string]*parser.Reader{
		"own":    parser.NewReader(faulty{}),
		"source": parser.NewReader(bufio.NewReader(faulty{})),
	} {
		t.Run(name, func(t *testing.T) {
			p, _, failed := recording()
			c := &client{stream: newStream(t), rd: rd}
			for _, use := range []func(){
				func() { _ = c.process(p) },
				func() { _ = c.process(dispatch.NewVoidProcessor()) },
				func() { _ = p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, rd, nil) },
			} {
				var panicked any
				<-background(func() {
					defer func() { panicked = recover() }()
					use()
				})
				require.Equal(t, "a faulty connection", panicked)
			}
			require.Empty(t, *failed)
			require.Zero(t, p.Stats().Panics)
		})
	}
}

// The Reader may change hands between calls, say from a pool to a client.
func TestProcessorsShareAReaderInTurn(t *testing.T) {
	one, first, _ := recording()
	two, second, _ := recording()
	c := ownBuffer()(t, push("a")+push("b", "cut")[:8], timeout, push("b", "cut")[8:]+push("c")+pong)
	require.ErrorIs(t, c.process(one), timeout)
	require.NoError(t, c.process(two))
	require.Equal(t, []string{push("a")}, first.pushes)
	require.Equal(t, []string{push("b", "cut"), push("c")}, second.pushes)
	c.send(io.EOF)
	require.Equal(t, pong, c.reply(t, one))
}
