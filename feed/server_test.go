package feed_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/respserver"
	"github.com/seed79615202/respush/parser"
)

// quick is a Probe for tests whose server answers at once.
var quick = feed.Probe{Every: 10 * time.Millisecond, Within: patience}

func TestARefusalNamesItsCommand(t *testing.T) {
	for _, test := range []struct{ handled, command, text string }{
		{"HELLO", "HELLO", "ERR unknown command 'HELLO'"},
		{"HELLO", "HELLO", "NOPROTO unsupported protocol version"},
		{"CLIENT TRACKING", "CLIENT TRACKING", "ERR unknown subcommand"},
		{"SUBSCRIBE", "SUBSCRIBE", "NOPERM this user has no permissions to access one of the channels"},
		{"PSUBSCRIBE", "PSUBSCRIBE", "NOPERM no"},
		{"SSUBSCRIBE", "SSUBSCRIBE", "MOVED 1234 127.0.0.1:1"},
	} {
		t.Run(test.command+" "+test.text[:4], func(t *testing.T) {
			s := respserver.Start(t)
			s.Refuse(test.handled, test.text)
			f := &feed.Feed{
				Addr: s.Addr, Tracking: &feed.Tracking{},
				Channels: []string{"a", "b"}, Patterns: []string{"p"}, ShardChannels: []string{"s"},
			}
			err := f.Run(t.Context())
			var refused *feed.SetupError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, feed.SetupError{Command: test.command, Addr: s.Addr, Err: parser.ServerError(test.text)}, *refused)
			require.False(t, f.Coverage().Armed)
			require.Zero(t, f.Stats().Arms)
		})
	}
}

func TestARefusalThatPassesIsRepeated(t *testing.T) {
	for _, text := range []string{"LOADING Redis is loading", "BUSY a script", "MASTERDOWN Link with MASTER is down", "ERR max number of clients reached"} {
		s := respserver.Start(t)
		s.Refuse("CLIENT TRACKING", text)
		w := watch(t, &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}})
		w.run(t)
		require.ErrorContains(t, await(t, w.errors), text)
		s.Handle("CLIENT TRACKING", nil)
		await(t, w.armed)
	}
}

func TestArraysInsteadOfPushesAreNamed(t *testing.T) {
	s := respserver.Start(t)
	s.ConfirmWithArrays(true)
	require.ErrorIs(t, (&feed.Feed{Addr: s.Addr, Channels: []string{"c"}}).Run(t.Context()), feed.ErrArrayPubSub)

	s = respserver.Start(t) // the end of the other connection may not have been seen
	w := start(t, &feed.Feed{Addr: s.Addr, Probe: quick})
	lastConn(s).Write("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n")
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrArrayPubSub)
}

func TestAServerWithoutRESP3IsRefused(t *testing.T) {
	s := respserver.Start(t)
	s.Handle("HELLO", func(c *respserver.Conn, _ []string) { c.Write("*2\r\n$5\r\nproto\r\n:2\r\n") })
	require.ErrorContains(t, (&feed.Feed{Addr: s.Addr}).Run(t.Context()), "RESP3")
}

func TestMaintenanceNoticesMayBeRefused(t *testing.T) {
	s := respserver.Start(t)
	s.Refuse("CLIENT MAINT_NOTIFICATIONS", "ERR unknown subcommand")
	start(t, &feed.Feed{Addr: s.Addr})
}

func TestAServerMayRefuseEitherProbe(t *testing.T) {
	for _, name := range []string{"HELLO", "PING"} {
		t.Run(name, func(t *testing.T) {
			s := respserver.Start(t)
			s.Handle(name, func(c *respserver.Conn, cmd []string) {
				if len(cmd) > 1 {
					respserver.Default(c, cmd)
					return
				}
				c.Write("-NOPERM this user has no permissions\r\n")
			})
			w := start(t, &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}, Probe: quick})
			first := w.Coverage()
			until(t, "freshness", func() bool { return w.Coverage().AsOf.After(first.AsOf) })
			require.Equal(t, first.Gen, w.Coverage().Gen)
		})
	}
}

func TestASilentServerIsAGap(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}, Probe: feed.Probe{Every: time.Millisecond, Within: 50 * time.Millisecond}})
	s.Handle("PING", func(*respserver.Conn, []string) {})
	g := await(t, w.gaps)
	require.ErrorIs(t, g.Cause, feed.ErrNoAnswer)
	require.False(t, g.Since.IsZero())
	require.ErrorIs(t, await(t, w.errors), feed.ErrNoAnswer, "the set-up has to be answered as well")
	s.Handle("PING", nil)
	await(t, w.armed)
	until(t, "the end of the other connections", func() bool { return len(s.Conns()) == 1 })
}

func TestAnotherRoleIsAGap(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Probe: quick})
	s.SetRole("replica")
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrRole)
	await(t, w.armed)
	require.Empty(t, w.gaps)
}

func TestAReplyThatNothingAskedForIsAGap(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr})
	lastConn(s).Write("+OK\r\n")
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrUnexpected)
	await(t, w.armed)
	lastConn(s).Write("-ERR going down\r\n")
	cause := await(t, w.gaps).Cause
	require.ErrorIs(t, cause, feed.ErrUnexpected)
	require.ErrorContains(t, cause, "going down")
	await(t, w.armed)
	lastConn(s).Write("?\r\n")
	var syntax *parser.SyntaxError
	require.ErrorAs(t, await(t, w.gaps).Cause, &syntax)
	await(t, w.armed)
	require.Equal(t, uint64(3), w.Stats().GapsStream)
}

func TestAnEndOfASubscriptionThatNobodyAskedForIsAGap(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, ShardChannels: []string{"s"}})
	lastConn(s).Push("sunsubscribe", "other", 1)
	lastConn(s).Push("sunsubscribe", "s", 0)
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrUnsubscribed)
	await(t, w.armed)
}

// TestAnswersMayBeCutAnywhere lets each connection of a Feed end one byte later
// than the one before.
func TestAnswersMayBeCutAnywhere(t *testing.T) {
	s := respserver.Start(t)
	s.CutAfter(0)
	var attempts atomic.Int64
	w := watch(t, &feed.Feed{
		Addr: s.Addr, Tracking: &feed.Tracking{}, Channels: []string{"a"}, ShardChannels: []string{"s"},
		Backoff: func() feed.Backoff { return noWait{} }, Probe: feed.Probe{Every: time.Hour},
	})
	w.OnError = func(context.Context, error) { s.CutAfter(int(attempts.Add(1))) }
	w.run(t)
	c := await(t, w.armed)
	require.Equal(t, uint64(1), c.Gen, "an attempt that fails is no gap")
	t.Logf("armed after %d attempts", attempts.Load())
	require.Greater(t, attempts.Load(), int64(100))
}

type noWait struct{}

func (noWait) NextBackOff() time.Duration { return 0 }
func (noWait) Reset()                     {}

func TestABackoffMayGiveUp(t *testing.T) {
	s := respserver.Start(t)
	s.Close()
	f := &feed.Feed{Addr: s.Addr, Backoff: func() feed.Backoff { return new(gaveUp) }}
	err := f.Run(t.Context())
	require.ErrorContains(t, err, "refused")
	require.Equal(t, uint64(3), f.Stats().Dials)
}

// gaveUp gives up after two waits.
type gaveUp struct{ n int }

func (g *gaveUp) NextBackOff() time.Duration {
	if g.n++; g.n > 2 {
		return -1
	}
	return 0
}
func (g *gaveUp) Reset() { g.n = 0 }

func TestSubscribeReportsARefusalAndGoesOn(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"kept"}})
	s.Refuse("SUBSCRIBE", "NOPERM no")
	err := w.Subscribe(t.Context(), feed.Channel, "forbidden")
	var refused *feed.SetupError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "SUBSCRIBE", refused.Command)
	s.Handle("SUBSCRIBE", nil)
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, "allowed"))
	s.CloseAll()
	await(t, w.gaps)
	await(t, w.armed)
	require.Equal(t, []string{"allowed", "kept"}, lastConn(s).Channels())
	s.Refuse("UNSUBSCRIBE", "NOSUB unsubscribe called without any subscriptions")
	require.NoError(t, w.Unsubscribe(t.Context(), feed.Channel, "never"))
	require.Equal(t, uint64(2), w.Coverage().Gen)
}

func TestSubscribeWaitsForAConnection(t *testing.T) {
	s := respserver.Start(t)
	w := watch(t, &feed.Feed{Addr: s.Addr})
	confirmed := make(chan error, 1)
	go func() { confirmed <- w.Subscribe(t.Context(), feed.Pattern, "p*", "q*") }()
	until(t, "the call", func() bool { return w.Pending() > 0 })
	w.run(t)
	require.NoError(t, await(t, confirmed))
	require.Equal(t, []string{"p*", "q*"}, lastConn(s).Patterns())
}

func TestMovingIsNoGap(t *testing.T) {
	for _, grace := range []int{0, 1} {
		for _, named := range []bool{true, false} {
			t.Run(fmt.Sprintf("grace=%d/named=%v", grace, named), func(t *testing.T) {
				testMoving(t, grace, named)
			})
		}
	}
}

func testMoving(t *testing.T, grace int, named bool) {
	before, after := respserver.Start(t), respserver.Start(t)
	f := &feed.Feed{Addr: before.Addr, Tracking: &feed.Tracking{}, Channels: []string{"c"}, Probe: quick}
	if !named {
		after = before
	}
	w := start(t, f)
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, "d"))
	old := lastConn(before)
	reached, proceed := make(chan *respserver.Conn, 1), make(chan struct{})
	after.Handle("CLIENT TRACKING", func(c *respserver.Conn, cmd []string) {
		reached <- c
		<-proceed
		respserver.Default(c, cmd)
	})
	if named {
		old.Push("MOVING", 1, grace, after.Addr)
	} else {
		old.Push("MOVING", 1, grace, nil)
	}
	next := await(t, reached)
	next.Push("message", "c", "early") // before the set-up is complete
	old.Push("message", "c", "late")
	close(proceed)
	await(t, old.Done())
	next.Push("message", "c", "last")
	var got []string
	for len(got) == 0 || got[len(got)-1] != `["message" "c" "last"]` {
		if push := await(t, w.pushes); push[:10] == `["message"` {
			got = append(got, push)
		}
	}
	require.Equal(t, []string{`["message" "c" "late"]`, `["message" "c" "early"]`, `["message" "c" "last"]`}, got)
	require.Equal(t, []string{"c", "d"}, next.Channels())
	c := w.Coverage()
	require.Equal(t, feed.Coverage{Gen: 1, Armed: true, AsOf: c.AsOf}, c)
	until(t, "freshness", func() bool { return w.Coverage().AsOf.After(c.AsOf) })
	require.Empty(t, w.gaps)
	require.Equal(t, uint64(1), w.Stats().Moves)
	require.NoError(t, w.Shutdown(t.Context()))
	until(t, "the end of all connections", func() bool { return len(after.Conns()) == 0 })
}

func TestAMoveThatFailsLeavesTheConnection(t *testing.T) {
	s, gone := respserver.Start(t), respserver.Start(t)
	gone.Close()
	w := start(t, &feed.Feed{Addr: s.Addr, Probe: quick})
	lastConn(s).Push("MOVING", 1, 10, gone.Addr)
	require.ErrorContains(t, await(t, w.errors), "refused")
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, "c"), "changes wait only for the move")
	require.True(t, w.Coverage().Armed)
	lastConn(s).Push("MOVING", 2, 10, s.Addr)
	until(t, "the next move", func() bool { return w.Stats().Moves == 1 })
	require.Empty(t, w.gaps)
}

// TestAMoveThatIsLateIsAGap has the old connection end before the successor is
// proved complete. The successor then ends the gap.
func TestAMoveThatIsLateIsAGap(t *testing.T) {
	s, after := respserver.Start(t), respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}, Probe: feed.Probe{Every: time.Hour}})
	s.Handle("PING", func(c *respserver.Conn, _ []string) { c.Close() }) // of the handover
	lastConn(s).Push("MOVING", 1, 10, after.Addr)
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrClosed)
	require.Equal(t, uint64(2), await(t, w.armed).Gen)
	require.Len(t, after.Conns(), 1)
	until(t, "the end of the old connection", func() bool { return len(s.Conns()) == 0 })
	require.Equal(t, 1, after.Dials())
}

// lastConn returns the connection that was dialled last. The end of those before
// it may not have been seen.
func lastConn(s *respserver.Server) *respserver.Conn {
	conns := s.Conns()
	return conns[len(conns)-1]
}
