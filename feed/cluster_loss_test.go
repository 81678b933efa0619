package feed_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/respserver"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// TestUnsubscribeWhileNothingIsCovered ends subscriptions that the Feed of a lost
// connection would restore.
func TestUnsubscribeWhileNothingIsCovered(t *testing.T) {
	w, topology, one, _ := startFleet(t, &feed.Cluster{Channels: []string{"c", "d"}, ShardChannels: []string{lowKey}})
	topology.set(nil, node(one.Addr, 5, 0, 16383))
	w.Refresh()
	until(t, "one node", func() bool { return w.Stats().Nodes == 1 })
	w.awaitArmed(t, feed.SlotCount, true)

	w.drain()
	one.Refuse("HELLO", "LOADING not yet")
	one.CloseAll()
	await(t, w.gaps)
	require.NoError(t, w.Unsubscribe(t.Context(), feed.Channel, "c"))
	require.NoError(t, w.Unsubscribe(t.Context(), feed.ShardChannel, lowKey))
	one.Handle("HELLO", nil)
	w.awaitArmed(t, feed.SlotCount, true)
	require.Equal(t, []string{"d"}, conn(t, one).Channels())
	require.Empty(t, conn(t, one).ShardChannels())
}

// TestARefusedSubscribeEndsWhatItHasAdded has a server refuse one of three
// channels, of which one was subscribed to before.
func TestARefusedSubscribeEndsWhatItHasAdded(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{ShardChannels: []string{lowKey}})
	topology.set(nil, node(one.Addr, 5, 0, 16383))
	w.Refresh()
	until(t, "one node", func() bool { return w.Stats().Nodes == 1 })
	w.awaitArmed(t, feed.SlotCount, false)
	one.Handle("SSUBSCRIBE", func(c *respserver.Conn, cmd []string) {
		if cmd[1] == highKey {
			c.Write("-NOPERM no\r\n")
			return
		}
		respserver.Default(c, cmd)
	})
	var refused *feed.SetupError
	require.ErrorAs(t, w.Subscribe(t.Context(), feed.ShardChannel, lowKey, highKey, "bar"), &refused)
	require.Equal(t, []string{lowKey}, conn(t, one).ShardChannels())
	topology.set(nil, node(two.Addr, 6, 0, 16383))
	w.Refresh()
	until(t, "the channel at the other node", func() bool {
		conns := two.Conns()
		return len(conns) == 1 && slices.Equal([]string{lowKey}, conns[0].ShardChannels())
	})
}

// TestAHandlerThatHangsDoesNotKeepAClusterFromLooking has a handler behind the
// Queue of one node hang, while the flush for a slot that moves waits for it. The
// other node is not covered for longer than its looks allow.
func TestAHandlerThatHangsDoesNotKeepAClusterFromLooking(t *testing.T) {
	one, two := respserver.Start(t), respserver.Start(t)
	topology := &script{looks: make(chan struct{}, 1)}
	topology.set(nil, node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 16383))
	var hang atomic.Bool
	hung, release := make(chan struct{}, 1), make(chan struct{})
	probe := feed.Probe{Every: 50 * time.Millisecond, Within: time.Second}
	c := &feed.Cluster{Topology: topology, Probe: probe, New: func(n feed.Node) *feed.Feed {
		queue := dispatch.NewQueueFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
			if n.Addr == one.Addr && hang.Load() {
				select {
				case hung <- struct{}{}:
				default:
				}
				<-release
			}
			return nil
		}, dispatch.QueueOverflow(dispatch.CoalesceToFlush))
		t.Cleanup(func() { require.NoError(t, queue.Close(context.Background())) })
		p := dispatch.NewProcessor()
		require.NoError(t, p.Handle(notify.NameInvalidate, queue))
		return &feed.Feed{Tracking: &feed.Tracking{}, Processor: p, Queues: []*dispatch.Queue{queue}, Probe: probe}
	}}
	w := watchCluster(c)
	c.OnFlush = nil
	w.run(t)
	w.awaitArmed(t, feed.SlotCount, false)

	hang.Store(true)
	defer close(release)
	topology.set(nil, node(one.Addr, 1, 0, 8190), node(two.Addr, 3, 8191, 16383))
	await(t, hung)
	topology.set(errors.New("nobody answers"))
	until(t, "the end of coverage", func() bool { return !c.CoverageOf(highKey).Armed })
}

// heldLooks is a Topology whose looks wait, once it is told to, until a test lets
// them answer.
type heldLooks struct {
	*script
	hold   atomic.Bool
	began  chan struct{}
	answer chan struct{}
}

func (h *heldLooks) Look(ctx context.Context) ([]feed.Node, error) {
	if h.hold.Load() {
		select {
		case h.began <- struct{}{}:
		case <-ctx.Done():
		}
		select {
		case <-h.answer:
		case <-ctx.Done():
		}
	}
	return h.script.Look(ctx)
}

// A look that began before the connection to a node was made may be about a server
// that has crashed since. That may have come back with less than it had, while a
// replica takes its place.
func TestANodeIsCoveredByALookThatBeganAfterItWasDialled(t *testing.T) {
	one, two := respserver.Start(t), respserver.Start(t)
	h := &heldLooks{script: &script{looks: make(chan struct{}, 1)}, began: make(chan struct{}), answer: make(chan struct{})}
	h.set(nil, node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 16383))
	w := watchCluster(&feed.Cluster{Topology: h, Probe: feed.Probe{Every: time.Minute, Within: time.Minute}})
	w.run(t)
	w.awaitArmed(t, feed.SlotCount, false)
	w.drain()
	h.hold.Store(true)
	w.Refresh()
	await(t, h.began)
	one.CloseAll()
	await(t, w.gaps)
	until(t, "the Feed", func() bool { return w.Feeds()[one.Addr].Coverage().Armed })
	require.False(t, w.CoverageOf(lowKey).Armed)
	require.True(t, w.CoverageOf(highKey).Armed)
	h.answer <- struct{}{}
	await(t, h.began) // of the next look
	require.False(t, w.CoverageOf(lowKey).Armed)
	require.Empty(t, w.armed)
	h.hold.Store(false)
	h.answer <- struct{}{}
	require.Equal(t, "0-8191", await(t, w.armed).Slots.String())
	require.True(t, w.CoverageOf(lowKey).Armed)
}
