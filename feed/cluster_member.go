package feed

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// nodeKey is the identity of a Node.
type nodeKey struct{ addr, id string }

// member is a primary of a Cluster, with its Feed. Its methods flush, gap, armed,
// failed and lost are called by the Feed, on the goroutine that runs it.
type member struct {
	c         *Cluster
	key       nodeKey
	feed      *Feed
	ctx       context.Context // ends when the member is dropped
	stop      context.CancelFunc
	done      chan struct{} // closed when run returns
	confirmed atomic.Int64  // the moment at which the last look that found it began; before it is set, the Feed has no subscriptions yet

	// Guarded by c.mu:

	node    Node
	slots   Slots // that it has, covered or not
	isArmed bool
	begun   bool // its first gap has been told
	leaving bool // Shutdown has been called
}

// run runs the Feed until the member is dropped.
func (m *member) run() {
	defer close(m.done)
	var wait Backoff = new(jittered)
	for {
		err := m.feed.Run(m.ctx)
		var refused *SetupError
		c := m.c
		c.mu.Lock()
		whole, leaving := c.whole, m.leaving
		c.mu.Unlock()
		switch {
		case m.ctx.Err() != nil, leaving && err == nil:
			return
		case !errors.As(err, &refused) || !whole:
			c.Stop(err)
			return
		}
		m.failed(m.ctx, err)
		timer := time.NewTimer(wait.NextBackOff())
		select {
		case <-timer.C:
		case <-m.ctx.Done():
			timer.Stop()
			return
		}
	}
}

// flush flushes the slots of the member. It reports false if the Feed has to do
// that.
func (m *member) flush(ctx context.Context) bool {
	if m.c.OnFlush == nil {
		return false
	}
	m.c.mu.Lock()
	slots := m.slots
	if !m.begun {
		slots = nil // they have been flushed when they came
	}
	m.c.mu.Unlock()
	m.c.flush(ctx, slots)
	return true
}

// gap notes that the Feed has a gap, whose flush has been made.
func (m *member) gap(ctx context.Context, g Gap) {
	c := m.c
	c.mu.Lock()
	if !m.begun {
		m.begun = true
		c.mu.Unlock()
		return
	}
	lost := ClusterGap{Gap: g}
	if at := epoch.Add(time.Duration(m.confirmed.Load())); at.Before(g.Since) {
		lost.Since = at
	}
	if m.isArmed {
		lost.Part = c.coveredBy(m)
	}
	if !lost.empty() {
		c.stats.Gaps++
	}
	m.isArmed = false
	if c.places[channelPlace].Load().last() == m {
		c.place(channelPlace, c.nextTenure(nil, m))
	}
	c.mu.Unlock()
	if c.OnGap != nil && !lost.empty() {
		c.OnGap(ctx, lost)
	}
	c.Refresh()
	c.rehost()
}

// armed notes that the Feed is armed.
func (m *member) armed(ctx context.Context) {
	c := m.c
	c.mu.Lock()
	p := c.arm(m)
	proven := m.isArmed
	c.noteWhole()
	c.mu.Unlock()
	if !proven {
		c.Refresh()
	}
	c.tellArmed(ctx, p)
	c.rehost()
}

// arm notes that a member covers its places from now on, unless it does already, and
// returns them. Its Feed has to be armed, as it no longer is after a gap, and a look
// has to have confirmed the member that began after the Feed's connection was made.
// An earlier look may be about a server that has crashed since. That may have come
// back with less than it had, while a replica that has all of it is promoted. The
// caller holds c.mu.
func (c *Cluster) arm(m *member) (p Part) {
	cover, begun := m.feed.coverage()
	if m.isArmed || !cover.Armed || m.confirmed.Load() < begun {
		return Part{}
	}
	m.isArmed = true
	return c.coveredBy(m)
}

// failed notes an attempt of the Feed that failed and will be repeated.
func (m *member) failed(ctx context.Context, err error) {
	m.c.tellError(ctx, err)
	if errors.Is(err, ErrReplica) {
		m.c.Refresh()
	}
}

// lost notes that the server has lost the slots of shard channels.
func (m *member) lost(ctx context.Context, channels []string) {
	c := m.c
	var left ClusterGap
	c.mu.Lock()
	hit := make(map[int]struct{})
	for _, name := range channels {
		hit[Slot(name)] = struct{}{}
	}
	none := c.nextTenure(nil, m)
	for _, slot := range slices.Sorted(maps.Keys(hit)) {
		t := c.places[slot].Load()
		if t == nil || t.member != m {
			continue
		}
		if t.covered() {
			left.include(slot, c.coverage(slot))
		}
		c.place(slot, none)
	}
	left.Addr, left.Cause = m.node.Addr, ErrMoved
	c.count()
	c.announce()
	c.mu.Unlock()
	c.later(func() { c.tell(ctx, left) })
	c.Refresh()
}

// coveredBy returns what is covered by a member while it is armed. The caller
// holds c.mu.
func (c *Cluster) coveredBy(m *member) (p Part) {
	for i := range c.places {
		if t := c.places[i].Load(); t != nil && t.open && t.member == m {
			p.add(i)
		}
	}
	return p
}

// noteWhole notes that every slot with a primary is covered. The caller holds
// c.mu.
func (c *Cluster) noteWhole() {
	if c.whole {
		return
	}
	owned := false
	for slot := range SlotCount {
		t := c.places[slot].Load()
		if t != nil && t.member != nil {
			owned = true
			if !t.covered() {
				return
			}
		}
	}
	c.whole = owned
}
