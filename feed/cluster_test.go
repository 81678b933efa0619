package feed_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/respserver"
	"github.com/seed79615202/respush/parser"
)

// often are probes and looks for tests that wait for them.
var often = feed.Probe{Every: 50 * time.Millisecond, Within: 5 * time.Second}

// script is a Topology that a test changes.
type script struct {
	mu    sync.Mutex
	nodes []feed.Node
	err   error
	looks chan struct{} // of looks that have begun, unless it is full
}

func (s *script) Look(context.Context) ([]feed.Node, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.looks <- struct{}{}:
	default:
	}
	return s.nodes, s.err
}

func (s *script) set(err error, nodes ...feed.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes, s.err = slices.Clone(nodes), err
}

// watchedCluster is a Cluster whose events a test waits for.
type watchedCluster struct {
	*feed.Cluster
	flushes chan feed.Slots
	gaps    chan feed.ClusterGap
	armed   chan feed.Part
	errors  chan error
	pushes  chan string
	ended   chan error
	stop    context.CancelFunc
}

// watchCluster gives c functions that send what happens.
func watchCluster(c *feed.Cluster) *watchedCluster {
	w := &watchedCluster{
		Cluster: c, flushes: make(chan feed.Slots, 1000), gaps: make(chan feed.ClusterGap, 1000), armed: make(chan feed.Part, 1000),
		errors: make(chan error, 100000), pushes: make(chan string, 100000), ended: make(chan error, 1),
	}
	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			w.pushes <- push.Value().String()
			return nil
		})))
	if c.New == nil {
		c.New = func(feed.Node) *feed.Feed {
			return &feed.Feed{Tracking: &feed.Tracking{}, Processor: p, Probe: c.Probe, ClientName: "cluster"}
		}
	}
	c.OnFlush = func(_ context.Context, s feed.Slots) { w.flushes <- s }
	c.OnGap = func(_ context.Context, g feed.ClusterGap) { w.gaps <- g }
	c.OnArmed = func(_ context.Context, p feed.Part) { w.armed <- p }
	c.OnError = func(_ context.Context, err error) { w.errors <- err }
	return w
}

// run runs the Cluster until the end of the test.
func (w *watchedCluster) run(t testing.TB) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.ended <- w.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	g := await(t, w.gaps)
	require.ErrorIs(t, g.Cause, feed.ErrStart)
	require.Equal(t, feed.Part{Slots: feed.AllSlots(), Channels: true}, g.Part)
}

// awaitArmed waits until so many slots are covered, and the channels if asked.
func (w *watchedCluster) awaitArmed(t testing.TB, slots int, channels bool) {
	t.Helper()
	for {
		n := 0
		for slot := range feed.SlotCount {
			if w.CoverageOfSlot(slot).Armed {
				n++
			}
		}
		if n == slots && (!channels || w.CoverageOfChannels().Armed) {
			return
		}
		await(t, w.armed)
	}
}

// drain forgets the events so far.
func (w *watchedCluster) drain() {
	for {
		select {
		case <-w.flushes:
		case <-w.gaps:
		case <-w.armed:
		case <-w.errors:
		case <-w.pushes:
		default:
			return
		}
	}
}

// node returns a node whose slots are those from first to last.
func node(addr string, epoch uint64, first, last int) feed.Node {
	return feed.Node{Addr: addr, Epoch: epoch, Slots: feed.Slots{{first, last}}}
}

// startFleet runs a Cluster of two servers with half of the slots each.
func startFleet(t testing.TB, c *feed.Cluster) (w *watchedCluster, topology *script, one, two *respserver.Server) {
	t.Helper()
	one, two = respserver.Start(t), respserver.Start(t)
	topology = &script{looks: make(chan struct{}, 1)}
	topology.set(nil, node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 16383))
	c.Topology = topology
	if c.Probe.Every == 0 {
		c.Probe = often
	}
	w = watchCluster(c)
	w.run(t)
	// What is covered is told a little later, and tests look at what is told.
	told, channels := 0, len(c.Channels)+len(c.Patterns) == 0
	for told < feed.SlotCount || !channels {
		p := await(t, w.armed)
		told, channels = told+p.Slots.Len(), channels || p.Channels
	}
	w.drain()
	return w, topology, one, two
}

// keys of slots below and above half of them.
const (
	lowKey  = "{user1000}" // slot 3443
	highKey = "foo"        // slot 12182
)

func TestAFaultOfANodeConcernsItsSlots(t *testing.T) {
	w, _, one, _ := startFleet(t, &feed.Cluster{})
	low, high := w.CoverageOf(lowKey), w.CoverageOf(highKey)
	require.True(t, low.Armed && high.Armed)
	one.CloseAll()
	g := await(t, w.gaps)
	require.Equal(t, one.Addr, g.Addr)
	require.Equal(t, "0-8191", g.Slots.String())
	require.False(t, g.Since.Before(low.AsOf))
	require.Equal(t, "0-8191", await(t, w.flushes).String())
	require.Equal(t, "0-8191", await(t, w.armed).Slots.String())
	require.Equal(t, "0-8191", await(t, w.flushes).String(), "the second flush")
	require.True(t, w.CoverageOf(highKey).Continues(high))
	now := w.CoverageOf(lowKey)
	require.True(t, now.Armed)
	require.False(t, now.Continues(low))
	require.Greater(t, now.Gen, low.Gen)
	require.Empty(t, w.gaps)
	require.Equal(t, one.Addr, func() string { n, _ := w.Primary(lowKey); return n.Addr }())
}

func TestASlotThatMovesHasAGap(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{})
	low, high, moved := w.CoverageOf(lowKey), w.CoverageOf(highKey), w.CoverageOfSlot(8191)
	topology.set(nil, node(one.Addr, 1, 0, 8190), node(two.Addr, 3, 8191, 16383))
	w.Refresh()
	g := await(t, w.gaps)
	require.ErrorIs(t, g.Cause, feed.ErrMoved)
	require.Equal(t, "8191", g.Slots.String())
	require.Equal(t, "8191", await(t, w.armed).Slots.String())
	require.Equal(t, "8191", await(t, w.flushes).String())
	require.Equal(t, "8191", await(t, w.flushes).String())
	require.True(t, w.CoverageOf(lowKey).Continues(low))
	require.True(t, w.CoverageOf(highKey).Continues(high))
	now := w.CoverageOfSlot(8191)
	require.True(t, now.Armed)
	require.Greater(t, now.Gen, moved.Gen)

	one.CloseAll()
	require.Equal(t, "0-8190", await(t, w.gaps).Slots.String())
	require.True(t, w.CoverageOfSlot(8191).Continues(now))
}

func TestCoverageOfNoSlotPanics(t *testing.T) {
	var c feed.Cluster
	require.False(t, c.CoverageOfSlot(0).Armed)
	require.False(t, c.CoverageOfSlot(feed.SlotCount-1).Armed)
	require.Panics(t, func() { c.CoverageOfSlot(-1) })
	require.Panics(t, func() { c.CoverageOfSlot(feed.SlotCount) }) // the place of channels
}

func TestFeedsThatShareAProcessorAreFlushedOnce(t *testing.T) {
	one, two := respserver.Start(t), respserver.Start(t)
	topology := &script{looks: make(chan struct{}, 1)}
	topology.set(nil, node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 16383))
	w := watchCluster(&feed.Cluster{Topology: topology, Probe: often})
	w.OnFlush = nil // so that the Processor's handlers flush
	w.run(t)
	for told := 0; told < feed.SlotCount; {
		told += await(t, w.armed).Slots.Len()
	}
	w.drain()
	topology.set(nil, node(one.Addr, 1, 0, 8190), node(two.Addr, 3, 8191, 16383))
	w.Refresh()
	require.Equal(t, "8191", await(t, w.armed).Slots.String())
	const flush = `["invalidate" null]`
	require.Equal(t, []string{flush, flush}, []string{await(t, w.pushes), await(t, w.pushes)}, "at the beginning and at the end of the gap")
	w.stop()
	require.ErrorIs(t, await(t, w.ended), context.Canceled)
	require.Empty(t, w.pushes)
}

func TestASlotThatComesBackHasAGap(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{})
	topology.set(nil, node(one.Addr, 4, 0, 8191), node(two.Addr, 3, 8192, 16383))
	w.Refresh()
	require.Equal(t, feed.AllSlots().Len(), await(t, w.gaps).Slots.Len()+await(t, w.gaps).Slots.Len(), "both epochs have grown")
	w.awaitArmed(t, feed.SlotCount, false)
	w.drain()
	topology.set(nil, node(one.Addr, 5, 0, 8191), node(two.Addr, 3, 8192, 16383))
	w.Refresh()
	require.Equal(t, "0-8191", await(t, w.gaps).Slots.String())
	w.awaitArmed(t, feed.SlotCount, false)
	w.drain()
	// A slot has arrived, but the epochs have grown by more than that explains.
	topology.set(nil, node(one.Addr, 7, 0, 8192), node(two.Addr, 3, 8193, 16383))
	w.Refresh()
	require.Equal(t, "0-8192", func() string {
		g, h := await(t, w.gaps).Slots, await(t, w.gaps).Slots
		require.Equal(t, 8193, g.Len()+h.Len())
		return feed.Slots{{0, 8192}}.String()
	}())
}

func TestAsOfWaitsForTheTopology(t *testing.T) {
	w, topology, _, _ := startFleet(t, &feed.Cluster{Probe: feed.Probe{Every: 100 * time.Millisecond, Within: 400 * time.Millisecond}})
	topology.set(errors.New("too few"))
	<-topology.looks
	await(t, topology.looks) // it has failed
	failed := time.Now()
	for w.CoverageOf(lowKey).Armed {
		require.False(t, w.CoverageOf(lowKey).AsOf.After(failed))
	}
	g := await(t, w.gaps)
	require.ErrorIs(t, g.Cause, feed.ErrTopology)
	require.Equal(t, feed.SlotCount, g.Slots.Len())
	require.False(t, g.Since.After(failed))
	require.Less(t, time.Since(failed), 500*time.Millisecond+slack)
	for _, f := range w.Feeds() {
		require.True(t, f.Coverage().Armed, "the connections stay")
	}
}

func TestAnOldTopologyIsRefused(t *testing.T) {
	w, topology, one, two := startFleet(t, &feed.Cluster{})
	low := w.CoverageOf(lowKey)
	topology.set(nil, node(one.Addr, 1, 0, 8190), node(two.Addr, 1, 8191, 16383))
	require.ErrorContains(t, await(t, w.errors), "older")
	require.True(t, w.CoverageOf(lowKey).Continues(low))
}

func TestAReplicaIsNotArmed(t *testing.T) {
	one, two := respserver.Start(t), respserver.Start(t)
	two.SetRole("replica")
	w := watchCluster(&feed.Cluster{Topology: feed.Static(node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 16383)), Probe: often})
	w.run(t)
	for !errors.Is(await(t, w.errors), feed.ErrReplica) {
	}
	w.awaitArmed(t, 8192, false)
	require.False(t, w.CoverageOf(highKey).Armed)
	two.SetRole("master")
	w.awaitArmed(t, feed.SlotCount, false)
	one.SetRole("replica")
	g := await(t, w.gaps)
	require.ErrorIs(t, g.Cause, feed.ErrRole)
	require.Equal(t, 8192, g.Slots.Len())
}

func TestARefusalBeforeAClusterIsCoveredEndsIt(t *testing.T) {
	one := respserver.Start(t)
	one.Refuse("CLIENT TRACKING", "NOPERM no")
	w := watchCluster(&feed.Cluster{Topology: feed.Static(node(one.Addr, 1, 0, 16383)), Probe: often})
	w.run(t)
	require.ErrorContains(t, await(t, w.ended), "NOPERM no")
	require.False(t, w.CoverageOf(lowKey).Armed)
}

func TestAHandlerCanEndACluster(t *testing.T) {
	w, _, _, _ := startFleet(t, &feed.Cluster{})
	failure := errors.New("enough")
	for _, f := range w.Feeds() {
		f.Stop(failure)
	}
	require.ErrorIs(t, await(t, w.ended), failure)
	require.False(t, w.CoverageOf(lowKey).Armed)
	require.Empty(t, w.gaps)
}

func TestAClusterEndsInOrder(t *testing.T) {
	w, _, one, two := startFleet(t, &feed.Cluster{Channels: []string{"c"}, ShardChannels: []string{lowKey, highKey}})
	oneEvents, twoEvents := one.Events(), two.Events()
	require.NoError(t, w.Shutdown(t.Context()))
	require.NoError(t, await(t, w.ended))
	respserver.Await(t, oneEvents, "SUNSUBSCRIBE")
	respserver.Await(t, twoEvents, "SUNSUBSCRIBE")
	require.Empty(t, w.gaps)
	require.NoError(t, w.Shutdown(t.Context()))
}

func TestWithoutOnFlushEverythingIsFlushed(t *testing.T) {
	one, two := respserver.Start(t), respserver.Start(t)
	topology := &script{looks: make(chan struct{}, 1)}
	topology.set(nil, node(one.Addr, 1, 0, 8191), node(two.Addr, 2, 8192, 16383))
	w := watchCluster(&feed.Cluster{Topology: topology, Probe: often})
	w.OnFlush = nil
	w.run(t)
	w.awaitArmed(t, feed.SlotCount, false)
	w.drain()
	topology.set(nil, node(one.Addr, 1, 0, 8190), node(two.Addr, 3, 8191, 16383))
	w.Refresh()
	for range 2 {
		require.Equal(t, `["invalidate" null]`, await(t, w.pushes))
	}
	await(t, w.gaps)
	w.awaitArmed(t, feed.SlotCount, false)
	one.CloseAll()
	for range 2 {
		require.Equal(t, `["invalidate" null]`, await(t, w.pushes))
	}
}

func TestAClusterNeedsATopologyAndFeeds(t *testing.T) {
	require.ErrorContains(t, (&feed.Cluster{}).Run(t.Context()), "needs")
	one := respserver.Start(t)
	w := watchCluster(&feed.Cluster{Topology: feed.Static(node(one.Addr, 1, 0, 16383)), Probe: often})
	w.New = func(feed.Node) *feed.Feed { return &feed.Feed{Channels: []string{"c"}} }
	w.run(t)
	require.ErrorContains(t, await(t, w.ended), "without subscriptions")
}
