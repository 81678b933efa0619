package dispatch_test

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

func TestVoidProcessorDropsPushesOfAnySize(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		for _, size := range []int{0, 1, 10, 15, 16, 17, 60, 64, 65, 4095, 4096, 4097, 40_000, 200_000} {
			wire := push("a", strings.Repeat("x", size))
			c := connect(t, chunks(wire+push("b")+pong+wire+":1\r\n", 32<<10)...)
			require.Equal(t, pong, c.reply(t, dispatch.NewVoidProcessor()), "%d", size)
			require.Equal(t, ":1\r\n", c.reply(t, new(dispatch.VoidProcessor)))
		}
	})
}

func TestVoidProcessorDropsPushesWhereverTheyAreCut(t *testing.T) {
	v := dispatch.NewVoidProcessor()
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		for cut := 1; cut < len(wire); cut++ {
			c := connect(t, wire[:cut], wire[cut:]+attribute+wire+pong)
			require.Equal(t, pong, c.reply(t, v), "cut at %d", cut)
		}
		c := connect(t, bytewise(wire+wire+pong)...)
		require.Equal(t, pong, c.reply(t, v))
	})
}

func TestVoidProcessorResumesAfterATimeOut(t *testing.T) {
	v := dispatch.NewVoidProcessor()
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		for cut := range len(wire) + 1 {
			c := connect(t, wire[:cut], timeout, wire[cut:]+pong)
			var err error
			c.within(t, func() { err = c.process(v) })
			if cut == 0 || cut == len(wire) {
				require.NoError(t, err, "cut at %d", cut)
			} else {
				require.ErrorIs(t, err, timeout, "cut at %d", cut)
			}
			require.Equal(t, pong, c.reply(t, v), "cut at %d", cut)
		}
	})
}

func TestVoidProcessorLeavesPubSubUnread(t *testing.T) {
	v := dispatch.NewVoidProcessor()
	for _, name := range pubSubNames {
		eachClient(t, func(t *testing.T, connect connect) {
			wire := push(name, "ch", "x")
			c := connect(t, push("a")+wire+push("b")+wire+pong)
			require.Equal(t, wire, c.reply(t, v))
			require.Equal(t, wire, c.reply(t, v))
			require.Equal(t, pong, c.reply(t, v))
			for cut := 1; cut < len(wire); cut++ {
				c := connect(t, push("a"), wire[:cut], wire[cut:]+push("b")+pong)
				require.Equal(t, wire, c.reply(t, v), "cut at %d", cut)
				require.Equal(t, pong, c.reply(t, v), "cut at %d", cut)
			}
		})
	}
}

func TestVoidProcessorDropsPushesOverEveryLimit(t *testing.T) {
	eachOversize(t, func(t *testing.T, wire string, connect connect) {
		v := dispatch.NewVoidProcessor()
		c := connect(t, wire+push("b")+wire+pong)
		require.Equal(t, pong, c.reply(t, v))
		for _, size := range []int{1, 3, 100} {
			c = connect(t, chunks(wire+push("b")+wire+pong, size)...)
			require.Equal(t, pong, c.reply(t, v), "in pieces of %d", size)
		}
	})
}

// A header may be cut in the number that is over a limit.
func TestVoidProcessorDropsOversizePushesWhereverTheyAreCut(t *testing.T) {
	v := dispatch.NewVoidProcessor()
	wire := push("a", strings.Split("b c d e f g h i j k l m n o", " ")...)
	eachClient(t, func(t *testing.T, connect connect) {
		for cut := 1; cut < len(wire); cut++ {
			c := connect(t, wire[:cut], wire[cut:]+pong)
			require.Equal(t, pong, c.reply(t, v), "cut at %d", cut)
			c = connect(t, wire[:cut], timeout, wire[cut:]+pong)
			require.ErrorIs(t, c.process(v), timeout, "cut at %d", cut)
			require.Equal(t, pong, c.reply(t, v), "cut at %d", cut)
		}
	}, parser.WithLimits(narrow))
}

func TestVoidProcessorWaitsForNothingThatIsNotPromised(t *testing.T) {
	v := dispatch.NewVoidProcessor()
	eachFrame(t, func(t *testing.T, wire string, connect connect) {
		c := connect(t, wire+"+")
		var err error
		c.within(t, func() { err = c.process(v) })
		require.NoError(t, err)
		c.send(pong[1:])
		require.Equal(t, pong, c.reply(t, v))
	})
}

func TestVoidProcessorTellsErrorsAsAProcessorDoes(t *testing.T) {
	v := dispatch.NewVoidProcessor()
	eachClient(t, func(t *testing.T, connect connect) {
		process := func(pieces ...any) (*client, error) {
			c := connect(t, pieces...)
			var err error
			c.within(t, func() { err = c.process(v) })
			return c, err
		}
		_, err := process(io.EOF)
		require.NoError(t, err)
		_, err = process(timeout)
		require.NoError(t, err)
		_, err = process(push("a"), io.EOF)
		require.NoError(t, err)
		_, err = process("|1\r\n+k\r\n", io.EOF)
		require.NoError(t, err)
		for cut := 1; cut < len(push("a")); cut++ {
			_, err = process(push("a")[:cut], io.EOF)
			require.Equal(t, io.ErrUnexpectedEOF, err)
		}
		for _, wire := range []string{">x\r\n", ">2\r\n$1\r\nax\r\n", ">2\r\n$1\r\na\r\n$x\r\n"} {
			c, err := process(push("a") + wire + pong)
			var syntax *parser.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.Equal(t, err, c.process(v))
			require.Equal(t, err, c.rd.Err())
		}
	})
}

func TestVoidProcessorDropsInConstantMemory(t *testing.T) {
	for name, open := range map[string]func(rd io.Reader) *parser.Reader{
		"own":    func(rd io.Reader) *parser.Reader { return parser.NewReader(rd) },
		"source": func(rd io.Reader) *parser.Reader { return parser.NewReader(bufio.NewReader(rd)) },
	} {
		t.Run(name, func(t *testing.T) {
			rd := open(pushOf(64 << 20))
			var err error
			allocated, _ := grown(func() {
				err = dispatch.NewVoidProcessor().ProcessPendingNotifications(t.Context(), dispatch.NotificationHandlerContext{}, rd)
			})
			require.NoError(t, err)
			require.Less(t, allocated, int64(256<<10))
			f, err := rd.Next()
			require.NoError(t, err)
			require.Equal(t, pong, string(f.Raw()))
		})
	}
}
