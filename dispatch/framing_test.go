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

// The tests of this file, and of the files for routing, handler conduct, memory and idle connections, come from failures
// that were seen in other clients. Each says what must hold instead. Every reader in them blocks when it has no more
// bytes, because a stream that ends hides half of the failures.

// messages is a thousand of them.
func messages() (wire string, want []string) {
	var b strings.Builder
	for i := range 1000 {
		m := push("message", "news", fmt.Sprint("payload ", i))
		want = append(want, m)
		b.WriteString(m)
	}
	return b.String(), want
}

func TestNameCutAtAReadBoundaryIsStillThatName(t *testing.T) {
	wire, want := messages()
	for _, size := range []int{4072, 4096, 1000, 64, 7} {
		eachClient(t, func(t *testing.T, connect connect) {
			p, others, _ := recording(dispatch.WithPubSub())
			got := new(record)
			require.NoError(t, p.Handle("message", got))
			c := connect(t, append(chunks(wire, size), pong)...)
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, want, got.pushes)
			require.Empty(t, others.pushes)
		})
	}
}

func TestNameCutAnywhereIsStillThatName(t *testing.T) {
	wire := push("message", "news", "text") + push("messages", "x")
	for cut := 1; cut < len(wire); cut++ {
		eachClient(t, func(t *testing.T, connect connect) {
			p, others, _ := recording(dispatch.WithPubSub())
			got := new(record)
			require.NoError(t, p.Handle("message", got))
			c := connect(t, wire[:cut], wire[cut:]+pong)
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{push("message", "news", "text")}, got.pushes)
			require.Equal(t, []string{push("messages", "x")}, others.pushes)
		})
	}
}

// Messages that are the client's own business are neither taken nor lost, whatever the sizes of the reads are.
func TestMessagesLeftUnreadAreAllThere(t *testing.T) {
	wire, want := messages()
	for _, size := range []int{4072, 50} {
		eachClient(t, func(t *testing.T, connect connect) {
			p, others, _ := recording()
			c := connect(t, append(chunks(wire, size), pong)...)
			for _, m := range want {
				require.Equal(t, m, c.reply(t, p))
			}
			require.Equal(t, pong, c.reply(t, p))
			require.Empty(t, others.pushes)
		})
	}
}

func TestShortFrameNeedsNoMoreThanItself(t *testing.T) {
	const wire = ">3\r\n$9\r\nsubscribe\r\n$6\r\naaaaaa\r\n:1\r\n"
	require.Len(t, wire, 35)
	eachClient(t, func(t *testing.T, connect connect) {
		p, _, _ := recording()
		c := connect(t, wire)
		require.Equal(t, wire, c.reply(t, p))

		p, got, _ := recording(dispatch.WithPubSub())
		c = connect(t, wire)
		done := c.waiting(t, func() { _ = c.process(p) }) // for what comes behind it
		require.Equal(t, []string{wire}, got.pushes)
		c.send("+")
		<-done
	})
}

func TestHeaderLargerThanTheBufferIsRead(t *testing.T) {
	const wire = ">2\r\n$10\r\ninvalidate\r\n$1\r\nk\r\n"
	for name, connect := range map[string]connect{
		"own": ownBuffer(parser.WithBufferSize(16)), "source": inPlace(16),
	} {
		t.Run(name, func(t *testing.T) {
			p, got, _ := recording()
			c := connect(t, wire+pong)
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{wire}, got.pushes)

			void := connect(t, wire+pong)
			require.Equal(t, pong, void.reply(t, dispatch.NewVoidProcessor()))
		})
	}
}

func TestAfterAnErrorInMidFrameTheReaderStaysFailed(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		// What is behind the error would be a fine push and a fine reply.
		p, got, _ := recording()
		c := connect(t, ">2\r\n$1\r\na\r\n$x\r\n"+push("b")+pong)
		var first error
		c.within(t, func() { first = c.process(p) })
		var syntax *parser.SyntaxError
		require.ErrorAs(t, first, &syntax)
		reads := c.reads.Load()
		for range 3 {
			require.Equal(t, first, c.process(p))
			require.Equal(t, first, c.process(dispatch.NewVoidProcessor()))
			n, err := c.buffered(p)
			require.Equal(t, first, err)
			require.Zero(t, n)
			_, err = c.rd.Next()
			require.Equal(t, first, err)
			require.Equal(t, first, c.rd.Skip())
			err = p.Serve(t.Context(), dispatch.NotificationHandlerContext{}, c.rd, nil)
			require.Equal(t, first, err)
		}
		require.Equal(t, reads, c.reads.Load(), "nothing is read for a stream that is lost")
		require.Empty(t, got.pushes)
	})
}

func TestHandlerRunsOnceHoweverOftenTheReadTimesOut(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, _ := recording()
		runs := 0
		handle(t, p, "a", func(parser.Frame) error { runs++; return nil })
		c := connect(t, push("a", "x"), timeout, timeout, pong)
		for range 2 {
			var err error
			c.within(t, func() { err = c.process(p) })
			require.NoError(t, err)
			require.Equal(t, 1, runs)
		}
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, 1, runs)
		require.Empty(t, others.pushes)
	})
}

// The second element begins like a push, at the start of a read of its own.
func TestRestOfAReplyIsNoPush(t *testing.T) {
	const reply = "*2\r\n$3\r\nfoo\r\n$4\r\n>bar\r\n"
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording()
		c := connect(t, "*2\r\n$3\r\nfoo\r\n$4\r\n", ">bar\r\n", pong)
		require.Equal(t, reply, c.reply(t, p))
		require.Equal(t, pong, c.reply(t, p))
		require.Empty(t, got.pushes)
	})
	t.Run("after a time-out", func(t *testing.T) {
		p, got, _ := recording()
		c := ownBuffer()(t, "*2\r\n$3\r\nfoo\r\n$4\r\n", timeout, ">bar\r\n", pong)
		require.NoError(t, c.process(p))
		_, err := c.next()
		require.ErrorIs(t, err, timeout)
		require.Equal(t, reply, c.reply(t, p), "a reply that has been begun is no place to look for pushes")
		require.Equal(t, pong, c.reply(t, p))
		require.Empty(t, got.pushes)
	})
}

func TestEmptyPushIsAPushOfItsOwn(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording()
		c := connect(t, ">0\r\n+PONG\r\n")
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{">0\r\n"}, got.pushes)

		c = connect(t, ">0\r\n")
		got.pushes = nil
		done := c.waiting(t, func() { _ = c.process(p) })
		require.Equal(t, []string{">0\r\n"}, got.pushes, "it is whole, whatever follows")
		c.send(pong)
		<-done

		plain := dispatch.NewProcessor()
		c = connect(t, ">0\r\n+PONG\r\n")
		require.Equal(t, pong, c.reply(t, plain))
		require.EqualValues(t, 1, plain.Stats().Unhandled)

		c = connect(t, ">0\r\n+PONG\r\n")
		require.Equal(t, pong, c.reply(t, dispatch.NewVoidProcessor()))
	})
}

func TestPushOfAnyNameIsNoReply(t *testing.T) {
	for _, c := range []struct {
		name, wire string
		handled    bool // by the handler of "invalidate"
	}{
		{"integer", ">2\r\n:1\r\n+x\r\n", false},
		{"null", ">1\r\n_\r\n", false},
		{"null bulk", ">1\r\n$-1\r\n", false},
		{"null array", ">1\r\n*-1\r\n", false},
		{"array", ">1\r\n*1\r\n$10\r\ninvalidate\r\n", false},
		{"map", ">1\r\n%1\r\n+a\r\n+b\r\n", false},
		{"boolean", ">1\r\n#t\r\n", false},
		{"double", ">1\r\n,1.5\r\n", false},
		{"big number", ">1\r\n(1\r\n", false},
		{"error", ">1\r\n-invalidate\r\n", false},
		{"bulk error", ">1\r\n!10\r\ninvalidate\r\n", false},
		{"empty", ">1\r\n$0\r\n\r\n", false},
		{"verbatim", ">2\r\n=14\r\ntxt:invalidate\r\n_\r\n", true},
		{"simple", ">2\r\n+invalidate\r\n_\r\n", true},
		{"streamed", ">2\r\n$?\r\n;10\r\ninvalidate\r\n;0\r\n_\r\n", true},
		{"streamed in parts", ">2\r\n$?\r\n;1\r\ni\r\n;9\r\nnvalidate\r\n;0\r\n_\r\n", true},
		{"attribute before the push", attribute + push("invalidate", "k"), true},
		{"attribute before the name", ">2\r\n" + attribute + "$10\r\ninvalidate\r\n_\r\n", true},
		{"attribute before a name that is none", ">2\r\n" + attribute + ":1\r\n$10\r\ninvalidate\r\n", false},
		{"two attributes", attribute + attribute + push("invalidate", "k"), true},
		{"push before the name", ">2\r\n>1\r\n:7\r\n$10\r\ninvalidate\r\n_\r\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, others, failed := recording()
				named := new(record)
				require.NoError(t, p.Handle("invalidate", named))
				conn := connect(t, c.wire+pong)
				require.Equal(t, pong, conn.reply(t, p))
				if c.handled {
					require.Equal(t, []string{c.wire}, named.pushes)
				} else {
					require.Equal(t, []string{c.wire}, others.pushes)
					require.Empty(t, named.pushes)
				}
				require.Empty(t, *failed)

				void := connect(t, c.wire+pong)
				require.Equal(t, pong, void.reply(t, dispatch.NewVoidProcessor()))
			})
		})
	}
}

// A processor does not filter errors: each of them fails for a malformed push.
func TestWrongBulkEndIsAnErrorForEveryProcessor(t *testing.T) {
	wire := ">2\r\n$1\r\na\r\n$3\r\nabcXY" + pong
	full, _, _ := recording(dispatch.WithSkipOversize(), dispatch.WithPubSub())
	for _, p := range []dispatch.NotificationProcessor{dispatch.NewProcessor(), full, dispatch.NewVoidProcessor()} {
		eachClient(t, func(t *testing.T, connect connect) {
			c := connect(t, wire)
			var err error
			c.within(t, func() { err = c.process(p) })
			require.ErrorIs(t, err, parser.ErrTerminator)
			require.Equal(t, err, c.rd.Err())
		})
	}
	c := ownBuffer()(t, wire)
	err := full.Serve(context.Background(), dispatch.NotificationHandlerContext{}, c.rd, nil)
	require.ErrorIs(t, err, parser.ErrTerminator)
}

// A Source is used in place: the client's bytes behind a push are where they were.
func TestSourceIsNotReadPastAPush(t *testing.T) {
	s := newStream(t, push("a")+pong+"$3\r\nabc\r\n", io.EOF)
	own := bufio.NewReader(s)
	p, got, _ := recording()
	rd := parser.NewReader(own)
	require.NoError(t, p.ProcessPendingNotifications(t.Context(), dispatch.NotificationHandlerContext{}, rd))
	require.Equal(t, []string{push("a")}, got.pushes)
	rest, err := io.ReadAll(own)
	require.NoError(t, err)
	require.Equal(t, pong+"$3\r\nabc\r\n", string(rest))
	require.NoError(t, p.ProcessPendingNotifications(t.Context(), dispatch.NotificationHandlerContext{}, rd))
	require.NoError(t, rd.Err())
}
