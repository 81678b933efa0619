package feed

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/seed79615202/respush/dispatch"
)

// Cluster keeps a [Feed] for each primary of a [Topology], and says for each key
// whether its changes are reported. Fill in the fields, then call Run. The fields
// must not change after the first call of a method.
//
// All methods may be called concurrently.
//
// # More than one server
//
// A slot is covered while its primary is known and the Feed of that is armed.
// [Cluster.CoverageOf] is [Feed.Coverage] for one key. Its generation grows when
// the Feed of the key's primary has a gap, and when the slot gets another
// primary. So a near cache that keeps the Coverage under which it began to load
// each value, and serves it only if the Coverage of now continues that, has
// nothing to flush. A cache that flushes instead gets the slots concerned by
// OnFlush: those of one node for the fault of a node, and only a slot that moves
// for its move.
//
// The connection to a primary does not tell whether it is still the primary.
// After a promotion, a server that is cut off from the others stays a primary in
// its own eyes, answers probes, and hears of no change. So the Cluster looks at
// the Topology every Probe.Every, and at once when a Feed has a gap or a shard
// channel is ended. AsOf does not pass the beginning of the last look that has
// confirmed the primary. When no look has succeeded for Probe.Every +
// Probe.Within, nothing is covered, with [ErrTopology] as the cause.
//
// A slot is covered by a new connection once a look has confirmed its primary that
// began after the connection was made. A primary that has crashed may be back at
// once, with what it had on its disk, while one of its replicas is promoted.
//
// A slot that a primary has begun to give to another is not covered until it has
// arrived, as its keys are in two places meanwhile. A slot may leave and come back
// between two looks. Then the config epoch of its primary has grown though no
// slot has arrived, and all slots of that primary have a gap. This is not seen
// if another slot has arrived at the same primary between the same two looks.
//
// A value has to be read from the primary that covers its key, see
// [Cluster.Primary]. A client whose own map of the slots is late may read an old
// value from the old primary after the gap.
//
// Behind Sentinel, a primary that has been replaced takes reads, writes and
// messages until it hears of that. What it takes then is lost, and no Feed
// reports it.
//
// Shard channels are subscribed to at the primaries of their slots, and follow
// them. Channels and patterns live on one node, since a cluster sends each
// message to all. When the Feed of that node has a gap, they move to another. The
// events of keys are the exception: nodes do not pass them on, so every node is
// subscribed to them, see [IsKeyEvent].
//
// A writer that changes a key and publishes the change on a shard channel does
// so in a script, not in a transaction. While a slot moves, Valkey 9.1 executes
// a transaction with SPUBLISH on the old node even if the key is on the new one
// already, and creates it a second time.
//
// Nodes pass messages on, which takes some time. So a message that was under way
// when its subscription moved may have arrived from the old node, and arrive from
// the new one as well.
//
// A Cluster has a goroutine for itself and one for each primary. A look costs
// what the Topology asks: each node of a cluster answers with a line for each
// node, so its bytes grow with the square of the number of nodes.
type Cluster struct {
	// Topology finds the primaries and their slots.
	Topology Topology
	// New returns the Feed for a primary, with Dial, Auth, Tracking, Processor
	// and so on. An empty Addr becomes that of the node. Its Channels, Patterns
	// and ShardChannels must be empty. Feeds may share a Processor, whose handlers
	// then run concurrently, and Queues. A Feed that is stopped, or whose Backoff
	// gives up, stops the Cluster.
	New func(Node) *Feed
	// Channels, Patterns and ShardChannels are subscribed to from the start.
	// Subscribe and Unsubscribe change them later.
	Channels, Patterns, ShardChannels []string
	// Probe says how often the Topology is looked at, and how long a look may
	// take.
	Probe Probe
	// OnFlush is called when the keys of slots may have changed unnoticed, in the
	// places where a Feed flushes everything. If it is nil, a Feed with Tracking
	// does that here too, for each fault of any node, and waits for the Queues. So a
	// handler must then not wait for Subscribe or Unsubscribe of the Cluster. A cache
	// that compares Coverages sets a function that does nothing.
	OnFlush func(ctx context.Context, s Slots)
	// OnGap is called when a gap begins, after OnFlush. It may be nil, as may
	// OnArmed and OnError. They, and OnFlush, run on the goroutines of the Cluster
	// and of its Feeds, concurrently, and must not block.
	OnGap func(ctx context.Context, g ClusterGap)
	// OnArmed is called when a gap has ended for a part of what the Cluster
	// covers.
	OnArmed func(ctx context.Context, p Part)
	// OnError is called for each look and each attempt to connect that failed and
	// will be repeated.
	OnError func(ctx context.Context, err error)

	places [places]atomic.Pointer[tenure] // only what holds mu stores

	mu       sync.Mutex // guards what follows, and the members; no mutex of a Feed is taken while it is held
	running  bool
	whole    bool // every slot has been covered in this Run
	members  map[nodeKey]*member
	number   uint64 // of the newest tenure
	wanted   [kinds]names
	joining  [kinds]names  // of wanted: events of keys that a Subscribe has under way
	shard    map[int]names // the wanted shard channels by slot
	changed  chan struct{} // closed when tenures have changed
	ctx      context.Context
	end      context.CancelCauseFunc
	ended    chan struct{}
	stats    ClusterStats
	ending   bool // no goroutine may be begun any more
	routines sync.WaitGroup
	tasks    []func()      // see later
	stale    chan struct{} // asks for a look

	hosting sync.Mutex // held by the goroutine that moves channels and patterns

	// Of the goroutine of Run:

	highest   uint64 // epoch of the last look
	confirmed int64  // the moment at which the last look that succeeded began
	suspended bool   // no look has succeeded for too long
}

// How the parts of a Cluster fit:
//
//	cluster.go            the fields, Run, Stop, Shutdown
//	cluster_look.go       the loop of Run: look, give each slot to its owner, suspend
//	cluster_table.go      places and tenures, which CoverageOf reads
//	cluster_member.go     a primary, and what its Feed tells: gap, armed, lost
//	cluster_subscribe.go  subscriptions, and the node of channels and patterns
//	topology.go, slot.go  who owns what
//
// A place is a slot, or the one place of channels and patterns. It goes through
// these states, each of which is a tenure:
//
//	nobody --a look finds an owner--> closed --flushed, subscribed--> open
//	open, closed --another owner, a slot in doubt--> closed, with the next number
//	open, closed --no owner, sunsubscribe, no look in time--> nobody
//
// An open place is covered while the Feed of its member is armed. When a Feed has
// a gap, its slots stay open: the generation of the Feed is part of theirs.
//
// The goroutine of Run looks and assigns. What it has assigned is flushed, told and
// opened on another, in order (later). Each member has a goroutine, that of its
// Feed, which calls the methods of member. Subscribing to something waits on a
// goroutine of its own. Cluster.mu guards the tenures, and nothing is called
// with it held.

// Part is a part of what a [Cluster] covers.
type Part struct {
	Slots    Slots // of which the keys and the shard channels belong to it
	Channels bool  // channels and patterns other than events of keys, which belong to no slot
}

// ClusterGap is a [Gap] of a part. The Gen in it is that of a node's Feed, or 0 if
// there is another cause; the generation of a slot is that of its Coverage.
type ClusterGap struct {
	Gap
	Part
}

// ClusterStats holds the counts of a [Cluster].
type ClusterStats struct {
	Nodes    int    // primaries now
	Looks    uint64 // looks at the topology
	Failures uint64 // looks that failed
	Moved    uint64 // times that a slot got another primary, the first one included
	Gaps     uint64 // gaps that OnGap was told
}

// Run keeps the Cluster connected until ctx ends, and then returns the error of
// ctx. After [Cluster.Stop] it returns the error given to that, and after
// [Cluster.Shutdown] nil. As long as the slots have never all been covered, it
// also returns the [*SetupError] of a server, as Run of a Feed does.
//
// A Cluster runs once at a time. It may run again after Run has returned.
func (c *Cluster) Run(ctx context.Context) error {
	if c.Topology == nil || c.New == nil {
		return errors.New("feed: a Cluster needs a Topology and New")
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return errRunning
	}
	c.load()
	c.running, c.whole, c.ending, c.ctx, c.end, c.ended = true, false, false, ctx, stop, make(chan struct{})
	c.members = make(map[nodeKey]*member)
	c.stale, c.tasks = make(chan struct{}, 1), nil
	all := c.closeAll()
	c.mu.Unlock()
	c.highest, c.confirmed, c.suspended = 0, now(), false
	all.Cause = ErrStart
	c.tell(ctx, all)
	c.keep(ctx)
	stop(nil)
	c.mu.Lock()
	c.ending = true
	c.mu.Unlock()
	c.routines.Wait()
	c.mu.Lock()
	c.closeAll()
	c.running, c.members = false, nil
	close(c.ended)
	c.mu.Unlock()
	var s *stopped
	if errors.As(context.Cause(ctx), &s) {
		return s.err
	}
	return ctx.Err()
}

// Stop ends Run, which returns err. A handler may call it, or Stop of the Feed
// that calls the handler. If the Cluster is not running, Stop does nothing.
func (c *Cluster) Stop(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running {
		c.end(&stopped{err})
	}
}

// Shutdown ends Run in order, as [Feed.Shutdown] does for each Feed. Run then
// returns nil, and so does Shutdown. If ctx ends first, Run returns at once, and
// Shutdown returns the error of ctx. A handler that runs on a goroutine of the
// Cluster must not call it.
func (c *Cluster) Shutdown(ctx context.Context) error {
	c.mu.Lock()
	if !c.running {
		c.mu.Unlock()
		return nil
	}
	ended := c.ended
	var feeds []*Feed
	for _, m := range c.members {
		m.leaving = true
		feeds = append(feeds, m.feed)
	}
	c.mu.Unlock()
	failures := make(chan error, len(feeds))
	for _, f := range feeds {
		go func() { failures <- f.Shutdown(ctx) }()
	}
	var err error
	for range feeds {
		err = errors.Join(err, <-failures)
	}
	c.Stop(nil)
	<-ended
	if err != nil {
		return ctx.Err()
	}
	return nil
}

// Refresh makes the Cluster look at the Topology soon. It is for those who have
// heard that it may have changed: from a client that was redirected, or from
// +switch-master of Sentinel.
func (c *Cluster) Refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.stale <- struct{}{}:
	default: // it is about to, or does not run
	}
}

// Stats returns the counts since the Cluster was made.
func (c *Cluster) Stats() ClusterStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Nodes = len(c.members)
	return s
}

// Feeds returns the Feeds of the primaries that the Cluster knows now, by the
// addresses of the nodes. Subscriptions have to be changed by the Cluster.
func (c *Cluster) Feeds() map[string]*Feed {
	c.mu.Lock()
	defer c.mu.Unlock()
	feeds := make(map[string]*Feed, len(c.members))
	for _, m := range c.members {
		feeds[m.node.Addr] = m.feed
	}
	return feeds
}

// spawn runs f on a goroutine that Run waits for, unless Run is about to return.
func (c *Cluster) spawn(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running || c.ending {
		return
	}
	c.routines.Add(1)
	go func() {
		defer c.routines.Done()
		f()
	}()
}

// later runs f on another goroutine, after the functions that were given to later
// before. It is for what flushes, and so may wait for handlers: the goroutine of
// Run has to look meanwhile.
func (c *Cluster) later(f func()) {
	c.mu.Lock()
	c.tasks = append(c.tasks, f)
	first := len(c.tasks) == 1
	c.mu.Unlock()
	if first {
		c.spawn(c.runTasks)
	}
}

// runTasks runs what was given to later.
func (c *Cluster) runTasks() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.tasks) > 0 {
		f := c.tasks[0]
		c.mu.Unlock()
		f()
		c.mu.Lock()
		c.tasks = c.tasks[1:]
	}
}

// tell flushes and reports a gap, unless it concerns nothing.
func (c *Cluster) tell(ctx context.Context, g ClusterGap) {
	if g.empty() {
		return
	}
	c.mu.Lock()
	c.stats.Gaps++
	c.mu.Unlock()
	c.flush(ctx, g.Slots)
	if c.OnGap != nil {
		c.OnGap(ctx, g)
	}
}

// flush flushes slots. Without OnFlush it flushes everything, by the handlers of
// invalidations, and waits until they have done it.
func (c *Cluster) flush(ctx context.Context, s Slots) {
	switch {
	case len(s) == 0:
		return
	case c.OnFlush != nil:
		c.OnFlush(ctx, s)
		return
	}
	done := make(map[*dispatch.Processor]bool)
	for _, f := range c.Feeds() {
		if !done[f.Processor] {
			done[f.Processor] = true
			f.flush(ctx)
			_ = f.drain(ctx) // ends early when Run ends
		}
	}
}

// tellArmed reports the end of a gap.
func (c *Cluster) tellArmed(ctx context.Context, p Part) {
	if c.OnArmed != nil && !p.empty() {
		c.OnArmed(ctx, p)
	}
}

// tellError reports what failed and will be repeated.
func (c *Cluster) tellError(ctx context.Context, err error) {
	if c.OnError != nil {
		c.OnError(ctx, err)
	}
}
