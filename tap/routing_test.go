package tap_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

func TestPushBehindAReplyIsNotTheNextReply(t *testing.T) {
	wire := "+OK\r\n" + push("invalidate", "k") + bulk("v") + push("invalidate", "l") + push("invalidate", "m") + ":1\r\n"
	eachPiece(t, wire, func(t *testing.T, c *client, got *record) {
		require.Equal(t, "OK", c.reply())
		require.Equal(t, "v", c.reply())
		require.Equal(t, "1", c.reply())
		require.Equal(t, []string{push("invalidate", "k"), push("invalidate", "l"), push("invalidate", "m")}, got.pushes)
	})
}

func TestUnknownPushIsDroppedAndTheConnectionGoesOn(t *testing.T) {
	wire := push("from-the-future", "x") + ">3\r\n+NEW\r\n%1\r\n+a\r\n(12345678901234567890\r\n,inf\r\n" + pong
	for _, p := range []*dispatch.Processor{dispatch.NewProcessor(), nil} {
		c := tapped(t, p, wire)
		require.Equal(t, "PONG", c.reply())
		require.Equal(t, tap.Stats{Pushes: 2}, c.Conn.(*tap.Conn).Stats())
		if p != nil {
			require.EqualValues(t, 2, p.Stats().Unhandled)
		}
	}
}

func TestLatePubSubPushIsNoReply(t *testing.T) {
	eachPiece(t, push("message", "ch", "late")+pong, func(t *testing.T, c *client, got *record) {
		require.Equal(t, "PONG", c.reply())
		require.Equal(t, []string{push("message", "ch", "late")}, got.pushes)
	})
}

func TestConfirmationsAreNoReplies(t *testing.T) {
	var confirmations []string
	for _, ch := range []string{"one", "two", "three"} {
		confirmations = append(confirmations, ">3\r\n$9\r\nsubscribe\r\n"+bulk(ch)+":1\r\n")
	}
	eachPiece(t, strings.Join(confirmations, "")+pong, func(t *testing.T, c *client, got *record) {
		require.Equal(t, "PONG", c.reply())
		require.Equal(t, confirmations, got.pushes)
	})
}

func TestUnsolicitedSunsubscribeStandsForNothing(t *testing.T) {
	const sunsubscribe = ">3\r\n$12\r\nsunsubscribe\r\n$6\r\norders\r\n:0\r\n"
	eachPiece(t, sunsubscribe+"-CLUSTERDOWN Hash slot not served\r\n", func(t *testing.T, c *client, got *record) {
		require.Equal(t, "error CLUSTERDOWN Hash slot not served", c.reply())
		require.Equal(t, []string{sunsubscribe}, got.pushes)
	})
}

func TestNullInvalidateIsAPushLikeAnyOther(t *testing.T) {
	for _, null := range []string{"_\r\n", "$-1\r\n", "*-1\r\n"} {
		flush := ">2\r\n$10\r\ninvalidate\r\n" + null
		eachPiece(t, flush+"$-1\r\n"+flush+pong, func(t *testing.T, c *client, got *record) {
			require.Equal(t, "null", c.reply())
			require.Equal(t, "PONG", c.reply())
			require.Equal(t, []string{flush, flush}, got.pushes)
		})
	}
}

func TestInvalidateBeforeTheSubscribeConfirmation(t *testing.T) {
	const confirmation = ">3\r\n$9\r\nsubscribe\r\n$20\r\n__redis__:invalidate\r\n:1\r\n"
	eachPiece(t, push("invalidate", "k")+confirmation+push("invalidate", "l")+pong, func(t *testing.T, c *client, got *record) {
		require.Equal(t, "PONG", c.reply())
		require.Equal(t, []string{push("invalidate", "k"), confirmation, push("invalidate", "l")}, got.pushes)
	})
}

// Redis before 7.2 puts the message of an own PUBLISH in MULTI inside the reply of EXEC.
const selfPublish = ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$2\r\nm1\r\n"

func TestPushInsideAReplyIsTakenOutOfIt(t *testing.T) {
	invalidate := push("invalidate", "k")
	for _, c := range []struct {
		name, wire, reply string
		pushes            []string
	}{
		{"EXEC", "*3\r\n+OK\r\n" + selfPublish + ":1\r\n$1\r\nv\r\n", "[OK 1 v]", []string{selfPublish}},
		{"MGET", "*2\r\n$1\r\na\r\n" + invalidate + invalidate + "$1\r\nb\r\n", "[a b]", []string{invalidate, invalidate}},
		{"first", "*1\r\n" + invalidate + ":1\r\n", "[1]", []string{invalidate}},
		{"deep", "*2\r\n*1\r\n%1\r\n" + invalidate + "+k\r\n" + selfPublish + "+v\r\n:2\r\n", "[[[k v]] 2]", []string{invalidate, selfPublish}},
		{"one in another", "*1\r\n>2\r\n+outer\r\n" + invalidate + ":1\r\n:2\r\n", "[2]", []string{">2\r\n+outer\r\n" + invalidate + ":1\r\n", invalidate}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachPiece(t, c.wire+pong, func(t *testing.T, client *client, got *record) {
				require.Equal(t, c.reply, client.reply())
				require.Equal(t, "PONG", client.reply())
				require.Equal(t, c.pushes, got.pushes)
			})
		})
	}
}

func TestTornSelfPublishIsAnError(t *testing.T) {
	torn := ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$20480\r\n" + strings.Repeat("x", 16384) + ":1\r\n" + strings.Repeat("x", 4096) + "\r\n"
	p, got := recording()
	c := tapped(t, p, pong+torn+pong)
	require.Equal(t, "PONG", c.reply())
	_, err := c.value()
	var syntax *parser.SyntaxError
	require.ErrorAs(t, err, &syntax)
	require.ErrorIs(t, err, parser.ErrTerminator)
	require.EqualValues(t, len(pong)+20515, syntax.Offset)
	require.Empty(t, got.pushes)
}

func TestHandlerThatPanicsOrFailsChangesNothing(t *testing.T) {
	var reported []error
	p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(_ context.Context, _ []byte, err error) { reported = append(reported, err) }))
	handle(t, p, "a", func(parser.Frame) error { panic("a") })
	failed := errors.New("b")
	handle(t, p, "b", func(parser.Frame) error { return failed })
	got := new(record)
	require.NoError(t, p.Handle("c", got))
	c := tapped(t, p, push("a")+push("b")+push("c")+"*1\r\n"+push("a")+push("c")+":1\r\n"+pong)
	require.Equal(t, "[1]", c.reply())
	require.Equal(t, "PONG", c.reply())
	require.Equal(t, []string{push("c"), push("c")}, got.pushes)
	require.Len(t, reported, 3)
	require.Equal(t, failed, reported[1])
}

// A connection that a pool keeps has pushes in it when it is taken out again, and no more than a reply is asked of it.
func TestPushesOfAnIdleTimeAreHandledBeforeTheNextReply(t *testing.T) {
	p, got := recording()
	conn, server := connect(t)
	c := newClient(t, tap.NewConn(conn, p))
	go func() {
		command := make([]byte, 14)
		_, _ = server.Write([]byte(strings.Repeat(push("invalidate", "k"), 100)))
		if _, err := server.Read(command); err == nil {
			_, _ = server.Write([]byte(push("invalidate", "l") + pong)) // the client's read says whether it arrived
		}
	}()
	written := make(chan error, 1)
	go func() { // the server does not read before it has sent
		_, err := c.Write([]byte("*1\r\n$4\r\nPING\r\n"))
		written <- err
	}()
	require.Equal(t, "PONG", c.reply())
	require.NoError(t, receive(t, written))
	require.Len(t, got.pushes, 101)
	require.Equal(t, push("invalidate", "l"), got.pushes[100])
}
