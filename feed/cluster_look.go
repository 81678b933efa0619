package feed

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/seed79615202/respush/dispatch"
)

// errOlder is the error of a look whose epochs are older than those of a look
// before.
var errOlder = errors.New("feed: topology is older than it was before")

// soonest is the shortest time between the beginnings of two looks.
const soonest = 100 * time.Millisecond

// keep looks at the topology again and again until ctx ends. While something is
// not covered it looks more often, with pauses that grow.
func (c *Cluster) keep(ctx context.Context) {
	var wait jittered
	for ctx.Err() == nil {
		began := now()
		err := c.look(ctx, began)
		if ctx.Err() != nil {
			return
		}
		pause := c.Probe.every()
		switch {
		case err != nil:
			c.tellError(ctx, err)
			if !c.suspended && now() >= c.deadline() {
				c.suspend(ctx)
			}
			pause = min(pause, wait.NextBackOff())
		case !c.settled():
			pause = min(pause, wait.NextBackOff())
		default:
			wait.Reset()
		}
		if !c.suspended {
			pause = min(pause, max(0, time.Duration(c.deadline()-now())))
		}
		c.rest(ctx, began, pause)
	}
}

// deadline is the moment at which the next look that succeeds must have ended.
func (c *Cluster) deadline() int64 {
	return c.confirmed + int64(c.Probe.every()+c.Probe.within())
}

// rest waits for a pause after the beginning of a look, or until the topology is
// said to be stale.
func (c *Cluster) rest(ctx context.Context, began int64, pause time.Duration) {
	first := time.NewTimer(time.Duration(began-now()) + min(soonest, pause))
	defer first.Stop()
	select {
	case <-first.C:
	case <-ctx.Done():
		return
	}
	next := time.NewTimer(time.Duration(began-now()) + pause)
	defer next.Stop()
	select {
	case <-next.C:
	case <-c.stale:
	case <-ctx.Done():
	}
}

// settled reports whether every place is covered that anybody needs.
func (c *Cluster) settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for slot := range SlotCount {
		if !c.places[slot].Load().covered() {
			return false
		}
	}
	return !c.hasChannels() || c.places[channelPlace].Load().covered()
}

// look asks the Topology and carries out what it says.
func (c *Cluster) look(ctx context.Context, began int64) error {
	limit := c.Probe.within()
	if !c.suspended {
		limit = min(limit, max(soonest, time.Duration(c.deadline()-began)))
	}
	lookCtx, cancel := context.WithTimeout(ctx, limit)
	nodes, err := c.Topology.Look(lookCtx)
	cancel()
	var highest uint64
	for _, n := range nodes {
		highest = max(highest, n.Epoch)
	}
	if err == nil && highest < c.highest {
		err = errOlder
	}
	c.mu.Lock()
	c.stats.Looks++
	if err != nil {
		c.stats.Failures++
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if err = c.admit(nodes); err != nil {
		c.Stop(err)
		return err
	}
	c.apply(ctx, nodes, highest, began)
	c.highest, c.confirmed, c.suspended = highest, began, false
	c.rehost()
	return nil
}

// admit makes a member of each new node.
func (c *Cluster) admit(nodes []Node) error {
	for _, n := range nodes {
		key := nodeKey{n.Addr, n.ID}
		if c.members[key] != nil {
			continue
		}
		f := c.New(n)
		if f == nil || len(f.Channels)+len(f.Patterns)+len(f.ShardChannels) > 0 {
			return errors.New("feed: New of a Cluster must return a Feed without subscriptions")
		}
		if f.Addr == "" {
			f.Addr = n.Addr
		}
		if f.Processor == nil {
			f.Processor = dispatch.NewProcessor()
		}
		m := &member{c: c, key: key, feed: f, done: make(chan struct{}), node: Node{Addr: n.Addr, ID: n.ID}}
		f.member = m
		m.ctx, m.stop = context.WithCancel(c.ctx)
		c.mu.Lock()
		c.members[key] = m
		c.mu.Unlock()
	}
	return nil
}

// transfer is what a look changes.
type transfer struct {
	gaps   map[*member]*ClusterGap // what was covered, by its last member
	gained map[*member]*gain
	lost   map[*member][]string // shard channels
}

// gain is what a look gives to a member.
type gain struct {
	tenure *tenure
	places []int
	slots  Slots
	shard  []string // the shard channels of slots
}

// apply gives each slot to its owner. The moment began is when the look began.
func (c *Cluster) apply(ctx context.Context, nodes []Node, highest uint64, began int64) {
	c.mu.Lock()
	t := c.assign(nodes, highest)
	var dropped, begun []*member
	present := make(map[*member]bool)
	for _, n := range nodes {
		m := c.members[nodeKey{n.Addr, n.ID}]
		present[m] = true
		m.node = n
	}
	for key, m := range c.members {
		switch {
		case !present[m]:
			dropped = append(dropped, m)
			delete(c.members, key)
			c.unhost(m, t)
		case m.confirmed.Load() == 0:
			begun = append(begun, m)
		}
	}
	channels, patterns := c.channels(Channel, true), c.channels(Pattern, true)
	for _, m := range begun {
		m.feed.Channels, m.feed.Patterns = channels, patterns
		if g := t.gained[m]; g != nil {
			m.feed.ShardChannels = g.shard
		}
	}
	c.count()
	if len(t.gained)+len(t.gaps)+len(dropped) > 0 {
		c.announce()
	}
	var armed []Part
	for m := range present {
		m.confirmed.Store(began)
		if p := c.arm(m); !p.empty() {
			armed = append(armed, p)
		}
	}
	c.noteWhole()
	c.mu.Unlock()

	if len(armed) > 0 {
		c.later(func() {
			for _, p := range armed {
				c.tellArmed(ctx, p)
			}
			c.rehost()
		})
	}
	for m, channels := range t.lost {
		m.feed.forget(ShardChannel, channels)
	}
	for _, m := range dropped {
		m.stop()
	}
	if len(t.gaps)+len(t.gained)+len(begun) > 0 {
		c.later(func() { c.carryOut(ctx, t, begun) })
	}
}

// carryOut tells the gaps of a transfer, runs the members that begin, and opens what
// has been gained.
func (c *Cluster) carryOut(ctx context.Context, t *transfer, begun []*member) {
	for _, g := range t.gaps {
		c.tell(ctx, *g)
	}
	for _, m := range begun {
		begins := [kinds][]string{m.feed.Channels, m.feed.Patterns, m.feed.ShardChannels}
		if g := t.gained[m]; g != nil {
			c.open(ctx, g)
			delete(t.gained, m)
		}
		c.spawn(func() {
			for k, list := range begins {
				c.dropUnwanted(m, Kind(k), list)
			}
		})
		c.spawn(m.run)
	}
	for m, g := range t.gained {
		if len(g.shard) == 0 {
			c.flush(ctx, g.slots)
			c.open(ctx, g)
			continue
		}
		c.spawn(func() {
			if c.subscribe(m, ShardChannel, g.shard, g.tenure) {
				c.later(func() { // in turn with the gap that follows if the slots move on
					c.flush(ctx, g.slots)
					c.open(ctx, g)
				})
				c.dropUnwanted(m, ShardChannel, g.shard)
			}
		})
	}
}

// assign begins the tenures of slots whose owner is another than before, or may
// have been. The caller holds c.mu.
func (c *Cluster) assign(nodes []Node, highest uint64) *transfer {
	var owners [SlotCount]*member
	var claims [SlotCount]uint64
	for _, n := range nodes {
		m := c.members[nodeKey{n.Addr, n.ID}]
		for slot := range n.Slots.All {
			switch {
			case slot < 0 || slot >= SlotCount:
			case claims[slot] == 0 || n.Epoch+1 > claims[slot]:
				owners[slot], claims[slot] = m, n.Epoch+1
			case n.Epoch+1 == claims[slot]:
				owners[slot] = nil // two claim it
			}
		}
	}
	doubtful := c.doubtful(nodes, highest, &owners)
	t := &transfer{make(map[*member]*ClusterGap), make(map[*member]*gain), make(map[*member][]string)}
	nobody := make(map[*member]*tenure)
	for slot, owner := range owners {
		old := c.places[slot].Load()
		last := old.last()
		if old != nil && old.member == owner && (owner == nil || !doubtful[owner]) {
			continue
		}
		t.leave(c, slot, old)
		if last != nil && last != owner {
			t.lost[last] = append(t.lost[last], slices.Collect(maps.Keys(c.shard[slot]))...)
		}
		if owner == nil {
			if nobody[last] == nil {
				nobody[last] = c.nextTenure(nil, last)
			}
			c.place(slot, nobody[last])
			continue
		}
		g := t.gained[owner]
		if g == nil {
			g = &gain{tenure: c.nextTenure(owner, nil)}
			t.gained[owner] = g
		}
		g.places = append(g.places, slot)
		g.slots = g.slots.add(slot)
		g.shard = append(g.shard, slices.Sorted(maps.Keys(c.shard[slot]))...)
		c.place(slot, g.tenure)
		c.stats.Moved++
	}
	return t
}

// leave notes that the tenure of a place ends. The caller holds c.mu.
func (t *transfer) leave(c *Cluster, place int, old *tenure) {
	if !old.covered() {
		return
	}
	m := old.member
	if t.gaps[m] == nil {
		t.gaps[m] = &ClusterGap{Gap: Gap{Addr: m.node.Addr, Cause: ErrMoved}}
	}
	t.gaps[m].include(place, c.coverage(place))
}

// doubtful returns the members that may have lost slots and got them back since
// the last look. A member's epoch grows when it gets a slot that another has got
// with a higher one. So the epochs that have grown must be those of members that
// have visibly got slots, once each; otherwise all whose epoch has grown are in
// doubt. The caller holds c.mu.
func (c *Cluster) doubtful(nodes []Node, highest uint64, owners *[SlotCount]*member) map[*member]bool {
	visibly := make(map[*member]bool)
	for slot, owner := range owners {
		if old := c.places[slot].Load(); owner != nil && old.last() != owner {
			visibly[owner] = true
		}
	}
	doubt := make(map[*member]bool)
	explained := uint64(0)
	for _, n := range nodes {
		m := c.members[nodeKey{n.Addr, n.ID}]
		if n.Epoch == m.node.Epoch {
			continue
		}
		if visibly[m] {
			explained++
		}
		if m.confirmed.Load() != 0 {
			doubt[m] = true
		}
	}
	if highest-c.highest > explained {
		return doubt
	}
	maps.DeleteFunc(doubt, func(m *member, _ bool) bool { return visibly[m] })
	return doubt
}

// open opens a gain's places, and tells it if they are covered thereby.
func (c *Cluster) open(ctx context.Context, g *gain) {
	c.mu.Lock()
	p := c.openPlaces(g.places, g.tenure)
	c.noteWhole()
	c.mu.Unlock()
	c.tellArmed(ctx, p)
}

// suspend ends every tenure, since the owners have not been confirmed in time.
func (c *Cluster) suspend(ctx context.Context) {
	c.mu.Lock()
	g := c.closeAll()
	c.mu.Unlock()
	c.suspended, c.highest = true, 0
	g.Cause = ErrTopology
	c.later(func() { c.tell(ctx, g) })
}
