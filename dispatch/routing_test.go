package dispatch_test

import (
	"context"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// eachPiece runs a test with a wire in one piece and byte by byte, for every client.
func eachPiece(t *testing.T, wire string, test func(t *testing.T, c *client)) {
	t.Helper()
	eachClient(t, func(t *testing.T, connect connect) {
		test(t, connect(t, wire))
		test(t, connect(t, bytewise(wire)...))
	})
}

func TestPushBehindAReplyIsNotTheNextReply(t *testing.T) {
	wire := "+OK\r\n" + push("invalidate", "k") + "$1\r\nv\r\n" + push("invalidate", "l") + push("invalidate", "m") + ":1\r\n"
	eachPiece(t, wire, func(t *testing.T, c *client) {
		p, got, _ := recording()
		require.Equal(t, "+OK\r\n", c.reply(t, p))
		require.Empty(t, got.pushes, "what is behind a reply waits for the next one")
		require.Equal(t, "$1\r\nv\r\n", c.reply(t, p))
		require.Equal(t, []string{push("invalidate", "k")}, got.pushes)
		require.Equal(t, ":1\r\n", c.reply(t, p))
		require.Equal(t, []string{push("invalidate", "k"), push("invalidate", "l"), push("invalidate", "m")}, got.pushes)
	})
}

func TestUnknownPushIsDroppedAndTheConnectionGoesOn(t *testing.T) {
	wire := push("from-the-future", "x") + push("invalidate", "k") + ">3\r\n+NEW\r\n%1\r\n+a\r\n(12345678901234567890\r\n,inf\r\n" + pong
	eachPiece(t, wire, func(t *testing.T, c *client) {
		got, failed := new(record), new(reports)
		p := dispatch.NewProcessor(dispatch.WithErrorHandler(failed.handle))
		require.NoError(t, p.Handle("invalidate", got))
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push("invalidate", "k")}, got.pushes)
		require.Empty(t, *failed, "a push that nobody asked for is no error")
		require.EqualValues(t, 2, p.Stats().Unhandled)
		require.NoError(t, c.rd.Err())
	})
}

// The connection is back in the pool, and the last message of its ended subscription arrives late.
func TestLatePubSubPushIsTakenWhenAskedFor(t *testing.T) {
	eachPiece(t, push("message", "ch", "late")+pong, func(t *testing.T, c *client) {
		p, got, _ := recording(dispatch.WithPubSub())
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push("message", "ch", "late")}, got.pushes)
	})
}

// Without WithPubSub the message is left to the client, and told from a reply by its type.
func TestLatePubSubPushIsRecognizable(t *testing.T) {
	eachPiece(t, push("message", "ch", "late")+pong, func(t *testing.T, c *client) {
		p, got, _ := recording()
		var err error
		c.within(t, func() { err = c.process(p) })
		require.NoError(t, err)
		typ, err := c.rd.PeekType()
		require.NoError(t, err)
		require.Equal(t, parser.TypePush, typ)
		name, ok, err := c.rd.PeekPush()
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "message", string(name))
		require.NoError(t, c.rd.Skip())
		require.Equal(t, pong, c.reply(t, p))
		require.Empty(t, got.pushes)
	})
}

func TestSubscribeIsAnsweredByPushesAlone(t *testing.T) {
	var confirmations []string
	for _, ch := range []string{"one", "two", "three"} {
		confirmations = append(confirmations, ">3\r\n$9\r\nsubscribe\r\n"+bulk(ch)+":1\r\n")
	}
	wire := strings.Join(confirmations, "") + pong
	eachPiece(t, wire, func(t *testing.T, c *client) {
		p, got, _ := recording(dispatch.WithPubSub())
		require.Equal(t, pong, c.reply(t, p), "no push stands for the reply of SUBSCRIBE")
		require.Equal(t, confirmations, got.pushes)
	})
	eachPiece(t, wire, func(t *testing.T, c *client) {
		p, got, _ := recording()
		for _, want := range append(confirmations, pong) {
			require.Equal(t, want, c.reply(t, p))
		}
		require.Empty(t, got.pushes)
	})
}

func TestUnsolicitedSunsubscribeStandsForNothing(t *testing.T) {
	sunsubscribe := ">3\r\n$12\r\nsunsubscribe\r\n$6\r\norders\r\n:0\r\n"
	const down = "-CLUSTERDOWN Hash slot not served\r\n"
	eachPiece(t, sunsubscribe+down, func(t *testing.T, c *client) {
		p, got, _ := recording(dispatch.WithPubSub())
		require.Equal(t, down, c.reply(t, p))
		require.Equal(t, []string{sunsubscribe}, got.pushes)
	})
	eachPiece(t, sunsubscribe+down, func(t *testing.T, c *client) {
		p, got, _ := recording()
		require.Equal(t, sunsubscribe, c.reply(t, p))
		require.Equal(t, down, c.reply(t, p))
		require.Empty(t, got.pushes)
	})
}

func TestNullInvalidateIsAPushLikeAnyOther(t *testing.T) {
	for _, null := range []string{"_\r\n", "$-1\r\n", "*-1\r\n"} {
		flush := ">2\r\n$10\r\ninvalidate\r\n" + null
		eachPiece(t, flush+flush+push("invalidate", "k")+pong, func(t *testing.T, c *client) {
			p, others, failed := recording()
			owned := new(notified)
			require.NoError(t, p.RegisterHandler("invalidate", owned, false))
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, [][]interface{}{{"invalidate", nil}, {"invalidate", nil}, {"invalidate", "k"}}, owned.got)
			require.Empty(t, others.pushes)
			require.Empty(t, *failed)
		})
	}
}

func TestInvalidateBeforeTheSubscribeConfirmation(t *testing.T) {
	const confirmation = ">3\r\n$9\r\nsubscribe\r\n$20\r\n__redis__:invalidate\r\n:1\r\n"
	eachPiece(t, push("invalidate", "k")+confirmation+push("invalidate", "l")+pong, func(t *testing.T, c *client) {
		p, got, _ := recording()
		require.Equal(t, confirmation, c.reply(t, p))
		require.Equal(t, []string{push("invalidate", "k")}, got.pushes)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push("invalidate", "k"), push("invalidate", "l")}, got.pushes)
	})
}

// Redis before 7.2 puts the message that the connection's own PUBLISH in MULTI causes inside the reply to EXEC.
const selfPublish = ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$2\r\nm1\r\n"

func TestPushInsideAReplyIsDeliveredAndNoElement(t *testing.T) {
	invalidate := push("invalidate", "k")
	for _, c := range []struct {
		name, wire string
		pushes     []string
		elements   []any
	}{
		{"EXEC", "*3\r\n+OK\r\n" + selfPublish + ":1\r\n$1\r\nv\r\n", []string{selfPublish}, []any{"OK", int64(1), "v"}},
		{"MGET", "*2\r\n$1\r\na\r\n" + invalidate + invalidate + "$1\r\nb\r\n", []string{invalidate, invalidate}, []any{"a", "b"}},
		{"before the first", "*1\r\n" + invalidate + "$1\r\na\r\n", []string{invalidate}, []any{"a"}},
		{"deep", "*1\r\n*1\r\n" + invalidate + "$1\r\na\r\n", []string{invalidate}, []any{[]any{"a"}}},
		{"two levels", "*2\r\n" + selfPublish + "*1\r\n" + invalidate + ":1\r\n:2\r\n", []string{selfPublish, invalidate}, []any{[]any{int64(1)}, int64(2)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, n, err := parser.Parse([]byte(c.wire))
			require.NoError(t, err)
			require.Equal(t, len(c.wire), n)
			p, got, _ := recording()
			require.Equal(t, len(c.pushes), p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
			require.Equal(t, c.pushes, got.pushes, "pub/sub names too: nobody else will find them in there")
			elements, err := f.Value().Any()
			require.NoError(t, err)
			require.Equal(t, c.elements, elements)

			eachPiece(t, c.wire+push("after")+pong, func(t *testing.T, conn *client) {
				p, got, _ := recording()
				var err error
				conn.within(t, func() { err = conn.process(p) })
				require.NoError(t, err)
				require.Empty(t, got.pushes, "a reply is the client's to read")
				f, err := conn.rd.Next()
				require.NoError(t, err)
				require.Equal(t, c.wire, string(f.Raw()))
				require.Equal(t, len(c.pushes), p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f))
				require.Equal(t, c.pushes, got.pushes)
				require.Equal(t, pong, conn.reply(t, p))
				require.Equal(t, append(c.pushes, push("after")), got.pushes)
			})
		})
	}
}

// The server has torn a message: the reply to PUBLISH stands in the middle of it. The length in its header is then wrong,
// and the bytes behind it mean nothing.
func TestTornSelfPublishIsAClearError(t *testing.T) {
	payload := strings.Repeat("x", 16<<10)
	torn := ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$16384\r\n" + payload[:9000] + ":1\r\n" + payload[9000:] + "\r\n"
	for _, opts := range [][]dispatch.Option{{dispatch.WithPubSub()}, {dispatch.WithPubSub(), dispatch.WithSkipOversize()}} {
		eachClient(t, func(t *testing.T, connect connect) {
			p, got, failed := recording(opts...)
			c := connect(t, append(chunks(push("a")+torn, 4096), pong)...)
			var err error
			c.within(t, func() { err = c.process(p) })
			var syntax *parser.SyntaxError
			require.ErrorAs(t, err, &syntax)
			require.ErrorIs(t, err, parser.ErrTerminator)
			require.EqualValues(t, len(push("a")+torn)-len("xxxx\r\n"), syntax.Offset, "where the message should have ended")
			require.Equal(t, err, c.process(p))
			require.Equal(t, []string{push("a")}, got.pushes)
			require.Empty(t, *failed)
			require.NotContains(t, err.Error(), "xxx")
		})
	}
}

func TestLargeSelfPublishThatIsWholeArrives(t *testing.T) {
	message := push("message", "self", strings.Repeat("x", 16<<10))
	eachClient(t, func(t *testing.T, connect connect) {
		p, got, _ := recording(dispatch.WithPubSub())
		c := connect(t, chunks(":1\r\n"+message+pong, 1448)...)
		require.Equal(t, ":1\r\n", c.reply(t, p))
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{message}, got.pushes)
	})
}

// What is remembered of the name before may not stand in for another one, and
// neither may a fallback for a handler.
func TestEachPushThatComesAloneGoesToItsHandler(t *testing.T) {
	names := []string{"a", "a", "b", "", "", "unknown", "", "a", "unknown", "unknown", "other", "b"}
	var pieces []any
	for _, name := range names {
		pieces = append(pieces, push(name, "x"))
	}
	eachClient(t, func(t *testing.T, connect connect) {
		var got []string
		note := func(as string) func(parser.Frame) error {
			return func(f parser.Frame) error {
				got = append(got, as+string(f.Name()))
				return nil
			}
		}
		fallback := note("fallback of ")
		p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
			func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
				return fallback(f)
			})))
		var want []string
		for _, name := range []string{"a", "b", ""} {
			handle(t, p, name, note(name+" gets "))
		}
		for _, name := range names {
			as := "fallback of "
			if len(name) < 2 {
				as = name + " gets "
			}
			want = append(want, as+name)
		}
		c := connect(t, append(pieces, pong)...)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, want, got)
	})
}
