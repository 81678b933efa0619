package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/respserver"
	"github.com/seed79615202/respush/parser"
)

// unsubscribe calls Unsubscribe on another goroutine and returns its outcome,
// when the Feed knows of it.
func (w *watched) unsubscribe(t testing.TB, names ...string) <-chan error {
	t.Helper()
	before := w.Pending()
	done := make(chan error, 1)
	go func() { done <- w.Unsubscribe(context.Background(), feed.Channel, names...) }()
	until(t, "the call", func() bool { return w.Pending() > before || len(done) > 0 })
	return done
}

func TestASubscriptionThatWasEndedDoesNotComeBack(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr})
	s.Handle("SUBSCRIBE", func(*respserver.Conn, []string) {}) // is not confirmed
	s.Handle("UNSUBSCRIBE", func(c *respserver.Conn, _ []string) { c.Close() })
	subscribed := make(chan error, 1)
	events := s.Events()
	go func() { subscribed <- w.Subscribe(context.Background(), feed.Channel, "a") }()
	respserver.Await(t, events, "SUBSCRIBE")
	ended := w.unsubscribe(t, "a")
	require.NoError(t, await(t, ended))
	s.Handle("SUBSCRIBE", nil)
	await(t, w.armed)
	require.NoError(t, await(t, subscribed), "it was superseded")
	require.Empty(t, lastConn(s).Channels())
}

func TestUnsubscribeReturnsWhenTheSetUpFails(t *testing.T) {
	s := respserver.Start(t)
	s.Handle("HELLO", func(c *respserver.Conn, _ []string) { <-c.Done() })
	w := watch(t, &feed.Feed{Addr: s.Addr, Channels: []string{"a", "b"}})
	events := s.Events()
	w.run(t)
	c := respserver.Await(t, events, "HELLO").Conn
	ended := w.unsubscribe(t, "a")
	s.Handle("HELLO", nil)
	c.Close()
	require.NoError(t, await(t, ended))
	await(t, w.armed)
	require.Equal(t, []string{"b"}, lastConn(s).Channels())
}

func TestUnsubscribeSurvivesASuccessorThatFails(t *testing.T) {
	s, after := respserver.Start(t), respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"a"}, Probe: quick})
	after.Handle("HELLO", func(c *respserver.Conn, _ []string) { <-c.Done() })
	events := after.Events()
	lastConn(s).Push("MOVING", 1, 10, after.Addr)
	next := respserver.Await(t, events, "HELLO").Conn
	ended := w.unsubscribe(t, "a")
	next.Close()
	require.NoError(t, await(t, ended))
	require.Empty(t, lastConn(s).Channels())
	require.Empty(t, w.gaps)
}

// TestUnsubscribeWhileAMoveEnds calls Unsubscribe while the goroutine of Run
// handles what has arrived on the successor, and has left the old connection.
func TestUnsubscribeWhileAMoveEnds(t *testing.T) {
	s, after := respserver.Start(t), respserver.Start(t)
	handling, proceed := make(chan struct{}), make(chan struct{})
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("message", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		handling <- struct{}{}
		<-proceed
		return nil
	}))
	w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"a"}, Processor: p, Probe: quick})
	after.Handle("PING", func(c *respserver.Conn, cmd []string) {
		c.Push("message", "a", "early")
		after.Handle("PING", nil)
		respserver.Default(c, cmd)
	})
	lastConn(s).Push("MOVING", 1, 10, after.Addr)
	await(t, handling)
	ended := w.unsubscribe(t, "a")
	close(proceed)
	require.NoError(t, await(t, ended))
	require.Empty(t, lastConn(after).Channels())
	require.Empty(t, w.gaps)
}

func TestAConnectionMovesAgainAsSoonAsItHasMoved(t *testing.T) {
	one, two, three := respserver.Start(t), respserver.Start(t), respserver.Start(t)
	two.Handle("CLIENT TRACKING", func(c *respserver.Conn, cmd []string) {
		c.Push("MOVING", 2, 10, three.Addr) // before the set-up is complete
		respserver.Default(c, cmd)
	})
	w := start(t, &feed.Feed{Addr: one.Addr, Tracking: &feed.Tracking{}, Probe: quick})
	lastConn(one).Push("MOVING", 1, 10, two.Addr)
	until(t, "two moves", func() bool { return w.Stats().Moves == 2 })
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, "a"))
	require.Equal(t, []string{"a"}, lastConn(three).Channels())
	require.Empty(t, w.gaps)
}

// TestTheFirstAsOfIsNotAheadOfMessages has a message sent right behind the last
// answer of the set-up.
func TestTheFirstAsOfIsNotAheadOfMessages(t *testing.T) {
	s := respserver.Start(t)
	var sent time.Time
	s.Handle("PING", func(c *respserver.Conn, _ []string) {
		sent = time.Now()
		c.Write("+PONG\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n")
	})
	w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"a"}, Probe: feed.Probe{Every: time.Hour}})
	for await(t, w.pushes) != `["message" "a" "x"]` {
	}
	require.True(t, w.Coverage().AsOf.Before(sent), "the message was handled after the Feed was armed")
}

// TestARefusalIsOfItsConnection has one shard channel refused before the
// connection is lost, and accepted after.
func TestARefusalIsOfItsConnection(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr})
	s.Handle("SSUBSCRIBE", func(c *respserver.Conn, cmd []string) {
		if cmd[1] == "b" {
			s.Handle("SSUBSCRIBE", nil)
			c.Close()
			return
		}
		c.Write("-NOPERM not yet\r\n")
	})
	require.NoError(t, w.Subscribe(t.Context(), feed.ShardChannel, "a", "b"))
	require.Equal(t, []string{"a", "b"}, lastConn(s).ShardChannels())
}

// TestShutdownWhileMoving ends a Feed whose old connection is about to be left.
func TestShutdownWhileMoving(t *testing.T) {
	for _, tracking := range []*feed.Tracking{nil, {}} {
		s, after := respserver.Start(t), respserver.Start(t)
		w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"a"}, Tracking: tracking, Probe: feed.Probe{Every: time.Hour}})
		proceed, asked := make(chan struct{}), make(chan struct{}, 10)
		s.Handle("HELLO", func(c *respserver.Conn, cmd []string) { // of the hand-over
			asked <- struct{}{}
			<-proceed
			respserver.Default(c, cmd)
		})
		lastConn(s).Push("MOVING", 1, 10, after.Addr)
		await(t, asked)
		ended := make(chan error, 1)
		go func() { ended <- w.Shutdown(context.Background()) }()
		until(t, "Shutdown", w.Shutting)
		close(proceed)
		require.NoError(t, await(t, ended))
		require.NoError(t, await(t, w.ended))
		until(t, "the end of all connections", func() bool { return len(after.Conns())+len(s.Conns()) == 0 })
	}
}

// TestAClosedQueueIsNamed arms a Feed with a Queue that handles nothing any
// more.
func TestAClosedQueueIsNamed(t *testing.T) {
	s := respserver.Start(t)
	q := dispatch.NewQueueFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil })
	require.NoError(t, q.Close(t.Context()))
	w := watch(t, &feed.Feed{
		Addr: s.Addr, Tracking: &feed.Tracking{}, Queues: []*dispatch.Queue{q}, Probe: feed.Probe{Within: 20 * time.Millisecond},
	})
	w.run(t)
	require.ErrorIs(t, await(t, w.errors), feed.ErrQueueLate)
	require.False(t, w.Coverage().Armed)
}

func TestAFeedRunsAgain(t *testing.T) {
	s := respserver.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"a"}})
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, "b"))
	w.Stop(nil)
	require.NoError(t, await(t, w.ended))
	w.run(t)
	await(t, w.armed)
	require.Equal(t, []string{"a", "b"}, lastConn(s).Channels())
	require.NoError(t, w.Shutdown(t.Context()))
	require.NoError(t, await(t, w.ended))
	w.run(t)
	await(t, w.armed)
	require.Equal(t, []string{"a"}, lastConn(s).Channels())
}
