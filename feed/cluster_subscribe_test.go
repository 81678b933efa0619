package feed_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/respserver"
)

// conn returns the only connection of a server.
func conn(t testing.TB, s *respserver.Server) *respserver.Conn {
	t.Helper()
	conns := s.Conns()
	require.Len(t, conns, 1)
	return conns[0]
}

func TestShardChannelsFollowTheirSlots(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{ShardChannels: []string{lowKey, highKey}})
	require.Equal(t, []string{lowKey}, conn(t, one).ShardChannels())
	require.Equal(t, []string{highKey}, conn(t, two).ShardChannels())

	// The server says that it has lost the slot before the topology does.
	high := w.CoverageOf(highKey)
	topology.set(errors.New("not known yet"))
	conn(t, one).Push("sunsubscribe", lowKey, 0)
	g := await(t, w.gaps)
	require.ErrorIs(t, g.Cause, feed.ErrMoved)
	require.Equal(t, "3443", g.Slots.String())
	topology.set(nil, node(one.Addr, 1, 0, 3442), feed.Node{Addr: two.Addr, Epoch: 3, Slots: feed.Slots{{3443, 16383}}})
	w.Refresh()
	// A look that had begun before may give the slot back to the first node.
	until(t, "the channel at the other node", func() bool { return len(conn(t, two).ShardChannels()) == 2 })
	w.awaitArmed(t, feed.SlotCount, false)
	require.Equal(t, []string{highKey, lowKey}, conn(t, two).ShardChannels())
	require.True(t, w.CoverageOf(highKey).Continues(high))
	w.drain()

	// The server is dialled again, and subscribes to what is left.
	one.CloseAll()
	await(t, w.gaps)
	w.awaitArmed(t, feed.SlotCount, false)
	require.Empty(t, conn(t, one).ShardChannels())

	// The topology knows first.
	topology.set(nil, node(one.Addr, 4, 0, 16383))
	w.Refresh()
	await(t, w.gaps)
	w.awaitArmed(t, feed.SlotCount, false)
	require.ElementsMatch(t, []string{highKey, lowKey}, conn(t, one).ShardChannels())
	require.Equal(t, 1, w.Stats().Nodes)
}

// TestAShardChannelAtTheWrongNodeDoesNotHoldUpTheRest has a server refuse a
// channel in the set-up, as one does that has lost the slot while it was away.
func TestAShardChannelAtTheWrongNodeDoesNotHoldUpTheRest(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{ShardChannels: []string{lowKey}})
	one.Refuse("SSUBSCRIBE", "MOVED 3443 "+two.Addr)
	one.CloseAll()
	w.awaitArmed(t, feed.SlotCount-1, false)
	require.False(t, w.CoverageOf(lowKey).Armed)
	topology.set(nil, node(one.Addr, 1, 0, 3442), node(two.Addr, 3, 3443, 16383))
	w.awaitArmed(t, feed.SlotCount, false)
	require.Equal(t, []string{lowKey}, conn(t, two).ShardChannels())
}

func TestChannelsLiveOnOneNode(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{Channels: []string{"c"}, Patterns: []string{"p*"}})
	host, other := one, two
	if len(conn(t, two).Channels()) > 0 {
		host, other = two, one
	}
	require.Equal(t, []string{"c"}, conn(t, host).Channels())
	require.Equal(t, []string{"p*"}, conn(t, host).Patterns())
	require.Empty(t, conn(t, other).Channels())
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, "d"))
	before := w.CoverageOfChannels()

	host.CloseAll()
	g := await(t, w.gaps)
	require.True(t, g.Channels)
	require.Equal(t, 8192, g.Slots.Len())
	w.awaitArmed(t, feed.SlotCount, true)
	if len(conn(t, other).Channels()) == 0 {
		host, other = other, host // it was back before the channels were moved
	}
	require.Empty(t, conn(t, host).Channels())
	require.Equal(t, []string{"c", "d"}, conn(t, other).Channels())
	require.Equal(t, []string{"p*"}, conn(t, other).Patterns())
	require.Greater(t, w.CoverageOfChannels().Gen, before.Gen)
	w.drain()

	topology.set(nil, node(host.Addr, 3, 0, 16383)) // the other is dropped
	w.Refresh()
	require.True(t, await(t, w.gaps).Channels)
	w.awaitArmed(t, feed.SlotCount, true)
	require.Equal(t, []string{"c", "d"}, conn(t, host).Channels())
	require.NoError(t, w.Unsubscribe(t.Context(), feed.Channel, "c", "d"))
	require.NoError(t, w.Unsubscribe(t.Context(), feed.Pattern, "p*"))
	require.Empty(t, conn(t, host).Channels())
	require.Empty(t, conn(t, host).Patterns())
}

func TestSubscriptionsOfAClusterChange(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{})
	require.NoError(t, w.Subscribe(t.Context(), feed.ShardChannel, lowKey, highKey))
	require.Equal(t, []string{lowKey}, conn(t, one).ShardChannels())
	require.Equal(t, []string{highKey}, conn(t, two).ShardChannels())
	require.NoError(t, w.Subscribe(t.Context(), feed.Pattern, "p*"))
	require.NoError(t, w.Unsubscribe(t.Context(), feed.ShardChannel, lowKey, highKey))
	require.Empty(t, append(conn(t, one).ShardChannels(), conn(t, two).ShardChannels()...))
	require.ErrorContains(t, w.Subscribe(t.Context(), 9, "x"), "unknown kind")
	require.ErrorContains(t, w.Unsubscribe(t.Context(), 9, "x"), "unknown kind")

	one.Refuse("SSUBSCRIBE", "NOPERM no")
	require.ErrorContains(t, w.Subscribe(t.Context(), feed.ShardChannel, lowKey), "NOPERM no")

	// A server that has lost the slot refuses; the call waits for the new owner.
	one.Refuse("SSUBSCRIBE", "MOVED 3443 "+two.Addr)
	w.drain()
	done := make(chan error, 1)
	go func() { done <- w.Subscribe(context.Background(), feed.ShardChannel, lowKey) }()
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrMoved)
	topology.set(nil, node(one.Addr, 1, 0, 3442), node(two.Addr, 3, 3443, 16383))
	require.NoError(t, await(t, done))
	require.Equal(t, []string{lowKey}, conn(t, two).ShardChannels())

	topology.set(nil, node(one.Addr, 4, 0, 16383))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorIs(t, (&feed.Cluster{}).Subscribe(ctx, feed.Channel, "x"), context.DeadlineExceeded)
}

func TestEventsOfKeysComeFromEveryNode(t *testing.T) {
	const space, event, pattern = "__keyspace@0__:k", "__keyevent@0__:del", "__key*__:*"
	w, topology, one, two := startFleet(t, &feed.Cluster{Channels: []string{"news", space}, Patterns: []string{pattern}})
	news := 0
	for _, s := range []*respserver.Server{one, two} {
		require.Subset(t, append(conn(t, s).Channels(), "news"), []string{space})
		require.Equal(t, []string{pattern}, conn(t, s).Patterns())
		news += len(conn(t, s).Channels()) - 1
	}
	require.Equal(t, 1, news)

	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, event, "more"))
	for _, s := range []*respserver.Server{one, two} {
		require.Subset(t, conn(t, s).Channels(), []string{event, space})
	}
	require.Equal(t, 2*2+2, len(conn(t, one).Channels())+len(conn(t, two).Channels()))

	// A new node has them from the start, and one that comes back again.
	three := respserver.Start(t)
	topology.set(nil, node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 12000), node(three.Addr, 3, 12001, 16383))
	w.Refresh()
	await(t, w.gaps)
	w.awaitArmed(t, feed.SlotCount, false)
	require.Equal(t, []string{event, space}, conn(t, three).Channels())
	w.drain()
	three.CloseAll()
	await(t, w.gaps)
	w.awaitArmed(t, feed.SlotCount, false)
	require.Equal(t, []string{event, space}, conn(t, three).Channels())
	require.Equal(t, []string{pattern}, conn(t, three).Patterns())

	// What one node refuses is ended at the others.
	const refused = "__keyevent@0__:set"
	two.Refuse("SUBSCRIBE", "NOPERM no")
	require.ErrorContains(t, w.Subscribe(t.Context(), feed.Channel, refused), "NOPERM no")
	require.NoError(t, w.Unsubscribe(t.Context(), feed.Channel, event))
	require.NoError(t, w.Unsubscribe(t.Context(), feed.Pattern, pattern))
	for _, s := range []*respserver.Server{one, two, three} {
		require.Contains(t, conn(t, s).Channels(), space)
		require.Subset(t, []string{"more", "news", space}, conn(t, s).Channels())
		require.Empty(t, conn(t, s).Patterns())
	}
}

func TestIsKeyEvent(t *testing.T) {
	for _, name := range []string{"__keyspace@0__:k", "__keyevent@0__:del", "__keyspace@*__:k", "__key*__:*", "__key[es]*", "__keysp*", "__keyevent*"} {
		require.True(t, feed.IsKeyEvent(name), name)
	}
	for _, name := range []string{"", "k", "*", "__*", "__k*", "__key", "__keyspace", "__keyspace_updates", "__keyboard*", "x__keyspace@0__:k"} {
		require.False(t, feed.IsKeyEvent(name), name)
	}
}

const deleted = "__keyevent@0__:del"

func TestEventsOfKeysEndThatAreUnsubscribedMeanwhile(t *testing.T) {
	w, _, one, two := startFleet(t, &feed.Cluster{})
	// Whichever node is subscribed first answers only after Unsubscribe.
	asked, answer := make(chan struct{}, 2), make(chan struct{})
	for _, s := range []*respserver.Server{one, two} {
		s.Handle("SUBSCRIBE", func(c *respserver.Conn, args []string) {
			asked <- struct{}{}
			<-answer
			respserver.Default(c, args)
		})
	}
	subscribed, unsubscribed := make(chan error, 1), make(chan error, 1)
	go func() { subscribed <- w.Subscribe(t.Context(), feed.Channel, deleted) }()
	await(t, asked)
	go func() { unsubscribed <- w.Unsubscribe(t.Context(), feed.Channel, deleted) }()
	until(t, "Unsubscribe", func() bool { return !w.Wants(feed.Channel, deleted) })
	close(answer)
	require.NoError(t, await(t, unsubscribed))
	require.NoError(t, await(t, subscribed))
	require.Empty(t, append(conn(t, one).Channels(), conn(t, two).Channels()...))
}

// A node that begins while Subscribe waits for another one, and refuses the
// channel, is covered all the same.
func TestEventsOfKeysThatANewNodeRefuses(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{})
	three := respserver.Start(t)
	three.Refuse("SUBSCRIBE", "NOPERM no")
	one.Refuse("SUBSCRIBE", "BUSY no")
	done := make(chan error, 1)
	go func() { done <- w.Subscribe(context.Background(), feed.Channel, deleted) }()
	until(t, "the channel at a node", func() bool { return len(conn(t, two).Channels()) == 1 })
	topology.set(nil, node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 12000), node(three.Addr, 3, 12001, 16383))
	w.Refresh()
	until(t, "the new node", func() bool { return three.Dials() > 0 })
	one.Handle("SUBSCRIBE", nil)
	require.ErrorContains(t, await(t, done), "NOPERM")
	until(t, "its slots", func() bool { return w.CoverageOfSlot(16383).Armed })
	require.Empty(t, append(conn(t, one).Channels(), conn(t, two).Channels()...))
}

// A server that is busy for a moment is asked again, but not at once. A change of
// the cluster may cut one of the waits short.
func TestEventsOfKeysAreSubscribedToAfterARefusalThatPasses(t *testing.T) {
	w, _, one, _ := startFleet(t, &feed.Cluster{})
	const refusals = 3
	asked := make(chan time.Time, refusals+1)
	one.Handle("SUBSCRIBE", func(c *respserver.Conn, args []string) {
		asked <- time.Now()
		if len(asked) <= refusals {
			c.Write("-BUSY a script\r\n")
			return
		}
		respserver.Default(c, args)
	})
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, deleted))
	require.Equal(t, []string{deleted}, conn(t, one).Channels())
	require.Len(t, asked, refusals+1)
	first, last := <-asked, time.Time{}
	for range refusals {
		last = <-asked
	}
	require.Greater(t, last.Sub(first), (refusals-1)*200*time.Millisecond)
}
