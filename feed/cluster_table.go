package feed

import (
	"slices"
	"strconv"
	"time"
)

// The places of a Cluster: its slots, and one for channels and patterns.
const (
	channelPlace = SlotCount
	places       = SlotCount + 1
)

// tenure is the time in which a member has a place. A tenure never changes. When
// the place gets another member, or must be covered anew, it gets the next
// tenure.
type tenure struct {
	number uint64
	member *member // nil: nobody
	was    *member // the last member, if there is none now
	open   bool    // the place is covered while the member is armed
}

// CoverageOf returns the coverage of a key. Compare it to earlier results for the
// same key. It does not lock, and it may be called at any time.
func (c *Cluster) CoverageOf(key string) Coverage { return c.coverage(Slot(key)) }

// CoverageOfSlot returns the coverage of a slot. It panics unless
// 0 <= slot < SlotCount.
func (c *Cluster) CoverageOfSlot(slot int) Coverage {
	if slot < 0 || slot >= SlotCount {
		panic("feed: no such slot: " + strconv.Itoa(slot))
	}
	return c.coverage(slot)
}

// CoverageOfChannels returns the coverage of channels and patterns. That of a
// shard channel, and of the events of a key, is that of the slot.
func (c *Cluster) CoverageOfChannels() Coverage { return c.coverage(channelPlace) }

// coverage returns the coverage of a place. The number of the tenure and the
// generation of the Feed make the generation.
func (c *Cluster) coverage(place int) Coverage {
	for {
		t := c.places[place].Load()
		if t == nil {
			return Coverage{}
		}
		if !t.open {
			return Coverage{Gen: t.number << 32}
		}
		confirmed := t.member.confirmed.Load()
		cover, begun := t.member.feed.coverage()
		// A look that takes the place from the member confirms the member for
		// other places, after it has ended the tenure.
		if c.places[place].Load() != t {
			continue
		}
		cover.Gen = t.number<<32 | cover.Gen&(1<<32-1)
		if cover.Armed && confirmed < begun {
			return Coverage{Gen: cover.Gen} // see arm
		}
		if cover.Armed {
			if limit := epoch.Add(time.Duration(confirmed)); limit.Before(cover.AsOf) {
				cover.AsOf = limit
			}
		}
		return cover
	}
}

// Primary returns the primary that covers a key: its values have to be read from
// there. ok reports whether there is one.
func (c *Cluster) Primary(key string) (n Node, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.places[Slot(key)].Load()
	if t == nil || !t.open {
		return Node{}, false
	}
	return t.member.node, true
}

// nextTenure returns a tenure of a member, which may be nil. It is not open. The
// caller holds c.mu.
func (c *Cluster) nextTenure(m, was *member) *tenure {
	c.number++
	return &tenure{number: c.number, member: m, was: was}
}

// place stores the tenure of a place, and returns the old one. The caller holds
// c.mu.
func (c *Cluster) place(place int, t *tenure) *tenure {
	return c.places[place].Swap(t)
}

// covered reports whether a place with this tenure is covered. The caller holds
// c.mu.
func (t *tenure) covered() bool { return t != nil && t.open && t.member.isArmed }

// last returns the member of a tenure, or the last one before. t may be nil.
func (t *tenure) last() *member {
	switch {
	case t == nil:
		return nil
	case t.member != nil:
		return t.member
	}
	return t.was
}

// closeAll takes every place from its member, and returns all of them. The caller
// holds c.mu.
func (c *Cluster) closeAll() (covered ClusterGap) {
	empty := make(map[*member]*tenure)
	for i := range c.places {
		old := c.places[i].Load()
		m := old.last()
		if empty[m] == nil {
			empty[m] = c.nextTenure(nil, m)
		}
		if old == nil || old.covered() {
			covered.include(i, c.coverage(i))
		}
		c.place(i, empty[m])
	}
	c.count()
	c.announce()
	return covered
}

// empty reports whether p is nothing.
func (p Part) empty() bool { return len(p.Slots) == 0 && !p.Channels }

// add adds a place that is greater than all of p.
func (p *Part) add(place int) {
	if place == channelPlace {
		p.Channels = true
		return
	}
	p.Slots = p.Slots.add(place)
}

// include adds a place that is greater than all of g, and what its coverage was.
func (g *ClusterGap) include(place int, c Coverage) {
	first := g.empty()
	if g.add(place); first || c.AsOf.Before(g.Since) {
		g.Since = c.AsOf
	}
}

// count notes the slots of each member. The caller holds c.mu.
func (c *Cluster) count() {
	for _, m := range c.members {
		m.slots = nil
	}
	for slot := range SlotCount {
		if t := c.places[slot].Load(); t != nil && t.member != nil {
			t.member.slots = t.member.slots.add(slot)
		}
	}
}

// announce wakes those who wait for a tenure. The caller holds c.mu.
func (c *Cluster) announce() {
	if c.changed != nil {
		close(c.changed)
	}
	c.changed = make(chan struct{})
}

// openPlaces opens the tenures of places that are still those of want, and
// returns what is covered thereby. The caller holds c.mu.
func (c *Cluster) openPlaces(list []int, want *tenure) (covered Part) {
	opened := &tenure{number: want.number, member: want.member, open: true}
	slices.Sort(list)
	for _, i := range list {
		if c.places[i].Load() != want {
			continue
		}
		c.place(i, opened)
		if want.member.isArmed {
			covered.add(i)
		}
	}
	c.announce()
	return covered
}
