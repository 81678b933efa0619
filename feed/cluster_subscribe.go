package feed

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// load copies the subscriptions of the fields, once. The caller holds c.mu.
func (c *Cluster) load() {
	if c.wanted[0] != nil {
		return
	}
	c.shard = make(map[int]names)
	for k, list := range [kinds][]string{c.Channels, c.Patterns, c.ShardChannels} {
		c.wanted[k], c.joining[k] = make(names, len(list)), make(names)
		c.want(Kind(k), list)
	}
	c.announce()
}

// want adds subscriptions. The caller holds c.mu.
func (c *Cluster) want(kind Kind, list []string) {
	for _, name := range list {
		c.wanted[kind][name] = struct{}{}
		if kind != ShardChannel {
			continue
		}
		slot := Slot(name)
		if c.shard[slot] == nil {
			c.shard[slot] = make(names)
		}
		c.shard[slot][name] = struct{}{}
	}
}

// unwant removes subscriptions. The caller holds c.mu.
func (c *Cluster) unwant(kind Kind, list []string) {
	for _, name := range list {
		delete(c.wanted[kind], name)
		delete(c.joining[kind], name)
		if kind != ShardChannel {
			continue
		}
		slot := Slot(name)
		delete(c.shard[slot], name)
		if len(c.shard[slot]) == 0 {
			delete(c.shard, slot)
		}
	}
}

// IsKeyEvent reports whether a channel or a pattern names events of keys
// (notify-keyspace-events): it begins with __keyspace@ or __keyevent@, or is a
// pattern for such, as __key*__:* is. Each node sends the events of its own keys
// only, so a [Cluster] subscribes every node. The coverage of an event is that of
// its key, see [Cluster.CoverageOf].
//
// A pattern that begins with less, such as * or __*, is like any other: it lives
// on one node, and gets the events of that node alone. An ordinary message that is
// published to a channel that IsKeyEvent accepts arrives from every node.
func IsKeyEvent(name string) bool {
	literal := name
	glob := strings.IndexAny(name, `*?[\`)
	if glob >= 0 {
		literal = name[:glob]
	}
	return slices.ContainsFunc([]string{"__keyspace@", "__keyevent@"}, func(prefix string) bool {
		return strings.HasPrefix(literal, prefix) || glob >= len("__key") && strings.HasPrefix(prefix, literal)
	})
}

// isLocal reports whether a subscription belongs to every node.
func isLocal(kind Kind, name string) bool { return kind != ShardChannel && IsKeyEvent(name) }

// channels returns the channels or patterns that are wanted of every node, or those
// that are wanted of one. It leaves those out that subscribeLocal has under way. The
// caller holds c.mu.
func (c *Cluster) channels(kind Kind, local bool) []string {
	list := slices.Sorted(maps.Keys(c.wanted[kind]))
	return slices.DeleteFunc(list, func(name string) bool {
		_, joins := c.joining[kind][name]
		return joins || isLocal(kind, name) != local
	})
}

// hasChannels reports whether channels or patterns are wanted of one node. The
// caller holds c.mu.
func (c *Cluster) hasChannels() bool {
	for _, kind := range []Kind{Channel, Pattern} {
		for name := range c.wanted[kind] {
			if !isLocal(kind, name) {
				return true
			}
		}
	}
	return false
}

// Subscribe is [Feed.Subscribe] for a cluster: the names may be of any slots. It
// waits as well while a slot has no primary that is covered: the slot of a shard
// channel, and for events of keys each slot that has ever had one. If it returns an
// error, some of the names may be subscribed to, or some of the nodes. Subscribe may
// then be called again, or Unsubscribe.
func (c *Cluster) Subscribe(ctx context.Context, kind Kind, names ...string) error {
	if kind >= kinds {
		return errKind
	}
	c.mu.Lock()
	c.load()
	added := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, wanted := c.wanted[kind][name]
		return wanted
	})
	c.want(kind, names)
	var local, left []string
	for _, name := range names {
		if !isLocal(kind, name) {
			left = append(left, name)
			continue
		}
		local = append(local, name)
		if slices.Contains(added, name) {
			c.joining[kind][name] = struct{}{}
		}
	}
	c.mu.Unlock()
	c.rehost()
	if err := c.subscribeLocal(ctx, kind, local); err != nil {
		if ctx.Err() == nil {
			_ = c.Unsubscribe(ctx, kind, added...)
		}
		return err
	}
	for len(left) > 0 {
		groups, changed := c.groups(kind, left)
		for t, group := range groups {
			err := t.member.change(ctx, &change{kind: kind, names: slices.Clone(group)})
			now := c.places[placeOf(kind, group[0])].Load()
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case isRefusal(err):
				added = both(added, left)
				c.mu.Lock()
				c.unwant(kind, added)
				c.mu.Unlock()
				_ = t.member.change(ctx, &change{kind: kind, end: true, names: both(added, group)})
				return err
			case err != nil: // tried again
			case now == t:
				left = slices.DeleteFunc(left, func(name string) bool { return slices.Contains(group, name) })
			case now.last() != t.member: // nobody else would end it there
				_ = t.member.change(ctx, &change{kind: kind, end: true, names: slices.Clone(group)})
			}
		}
		if len(left) > 0 && !waitAgain(ctx, changed) {
			return ctx.Err()
		}
	}
	return nil
}

// subscribeLocal subscribes every member, and waits until that is done and each
// slot has one. Members that begin meanwhile do so without these names, so that a
// server that refuses them refuses them here.
func (c *Cluster) subscribeLocal(ctx context.Context, kind Kind, list []string) error {
	if len(list) == 0 {
		return nil
	}
	done := make(map[*member]bool)
	for {
		members, settled, changed := c.everyone(kind, list, done)
		if settled && len(members) == 0 {
			return nil
		}
		failed := false
		for _, m := range members {
			err := m.change(ctx, &change{kind: kind, names: slices.Clone(list)})
			switch {
			case ctx.Err() != nil:
				c.joined(kind, list)
				return ctx.Err()
			case isRefusal(err):
				return err
			case err != nil:
				failed = true
			default:
				done[m] = true
				c.dropUnwanted(m, kind, list)
			}
		}
		if (failed || len(members) == 0) && !waitAgain(ctx, changed) {
			c.joined(kind, list)
			return ctx.Err()
		}
	}
}

// everyone returns the members that are not done, whether each slot is open that
// ever had a member, and a channel that is closed when tenures change. When nothing
// is left to do, members that begin have the names from then on.
func (c *Cluster) everyone(kind Kind, list []string, done map[*member]bool) (members []*member, settled bool, changed <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for slot := range SlotCount {
		switch t := c.places[slot].Load(); {
		case t != nil && t.open:
			settled = true
		case t.last() != nil:
			return nil, false, c.changed
		}
	}
	for _, m := range c.members {
		switch {
		case m.confirmed.Load() == 0:
			settled = false
		case !done[m]:
			members = append(members, m)
		}
	}
	if settled && len(members) == 0 {
		c.join(kind, list)
	}
	return members, settled, c.changed
}

// joined is join for a caller that does not hold c.mu.
func (c *Cluster) joined(kind Kind, list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.join(kind, list)
}

// join ends the time in which subscribeLocal has names under way. The caller holds
// c.mu.
func (c *Cluster) join(kind Kind, list []string) {
	for _, name := range list {
		delete(c.joining[kind], name)
	}
}

// isRefusal reports whether a server has refused a subscription for good.
func isRefusal(err error) bool {
	var refused *SetupError
	return errors.As(err, &refused) && !movedSlot(err) && !passing(err)
}

// waitAgain waits until tenures have changed, or for the time after which a server
// that was loading is asked again. It reports false when ctx has ended.
func waitAgain(ctx context.Context, changed <-chan struct{}) bool {
	again := time.NewTimer(firstWait)
	defer again.Stop()
	select {
	case <-changed:
	case <-again.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// Unsubscribe is [Feed.Unsubscribe] for a cluster.
func (c *Cluster) Unsubscribe(ctx context.Context, kind Kind, names ...string) error {
	if kind >= kinds {
		return errKind
	}
	c.mu.Lock()
	c.load()
	c.unwant(kind, names)
	c.mu.Unlock()
	var errs []error
	for m, group := range c.holders(kind, names) {
		errs = append(errs, m.change(ctx, &change{kind: kind, end: true, names: group}))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(errs...)
}

// holders returns names by the members whose servers may have subscriptions to
// them: every one for the events of keys, and of the others those with their places,
// or the last ones to have had them, and those whose Feeds would restore them.
func (c *Cluster) holders(kind Kind, list []string) map[*member][]string {
	var members []*member
	c.mu.Lock()
	for _, m := range c.members {
		if m.confirmed.Load() != 0 { // of another, what is not wanted ends when it begins
			members = append(members, m)
		}
	}
	c.mu.Unlock()
	holders := make(map[*member][]string)
	for _, m := range members {
		for _, name := range list {
			if isLocal(kind, name) || c.places[placeOf(kind, name)].Load().last() == m || m.feed.wants(kind, name) {
				holders[m] = append(holders[m], name)
			}
		}
	}
	return holders
}

// both returns the names that are in both lists.
func both(a, b []string) (list []string) {
	for _, name := range a {
		if slices.Contains(b, name) {
			list = append(list, name)
		}
	}
	return list
}

// placeOf returns the place that a subscription belongs to.
func placeOf(kind Kind, name string) int {
	if kind != ShardChannel {
		return channelPlace
	}
	return Slot(name)
}

// groups returns names by the open tenures that they belong to, and a channel
// that is closed when tenures change.
func (c *Cluster) groups(kind Kind, list []string) (map[*tenure][]string, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	groups := make(map[*tenure][]string)
	for _, name := range list {
		if t := c.places[placeOf(kind, name)].Load(); t != nil && t.open {
			groups[t] = append(groups[t], name)
		}
	}
	return groups, c.changed
}

// change carries out a change on the member's Feed, and waits for it until the
// member is dropped.
func (m *member) change(ctx context.Context, ch *change) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.ctx, cancel)()
	return m.feed.change(ctx, ch)
}

// subscribe subscribes a member for a tenure. If the server refuses, the places
// of the tenure get another one.
func (c *Cluster) subscribe(m *member, kind Kind, list []string, t *tenure) (ok bool) {
	if err := m.change(m.ctx, &change{kind: kind, names: slices.Clone(list)}); err != nil {
		c.notSubscribed(m, t, err)
		return false
	}
	return true
}

// dropUnwanted ends the subscriptions among list that have been ended before they
// were confirmed. Those that are wanted again meanwhile are begun again.
func (c *Cluster) dropUnwanted(m *member, kind Kind, list []string) {
	for end := true; ; end = !end {
		c.mu.Lock()
		list = slices.DeleteFunc(slices.Clone(list), func(name string) bool {
			_, wanted := c.wanted[kind][name]
			return wanted == end
		})
		c.mu.Unlock()
		if len(list) == 0 {
			return
		}
		_ = m.change(m.ctx, &change{kind: kind, end: end, names: slices.Clone(list)})
	}
}

// notSubscribed ends a tenure whose subscriptions have failed.
func (c *Cluster) notSubscribed(m *member, t *tenure, err error) {
	if m.ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	fatal := !c.whole && isRefusal(err)
	none := c.nextTenure(nil, m)
	for i := range c.places {
		if c.places[i].Load() == t {
			c.place(i, none)
		}
	}
	c.count()
	c.mu.Unlock()
	if fatal {
		c.Stop(err)
		return
	}
	c.tellError(m.ctx, err)
}

// rehost gives channels and patterns to a member that is armed, if they have
// none.
func (c *Cluster) rehost() {
	c.mu.Lock()
	old := c.places[channelPlace].Load()
	if !c.running || !c.hasChannels() || old == nil || old.member != nil {
		c.mu.Unlock()
		return
	}
	var armed []*member
	for _, m := range c.members {
		if m.isArmed && !m.leaving {
			armed = append(armed, m)
		}
	}
	if len(armed) == 0 {
		c.mu.Unlock()
		return
	}
	m := armed[rand.N(len(armed))] // many Clusters choose different ones
	was := old.was
	if was != nil && was.isArmed && c.members[was.key] == was {
		m = was
	}
	t := c.nextTenure(m, nil)
	c.place(channelPlace, t)
	channels, patterns := c.channels(Channel, false), c.channels(Pattern, false)
	c.mu.Unlock()
	c.spawn(func() {
		// One move at a time, so that none subscribes after the next has released.
		c.hosting.Lock()
		defer c.hosting.Unlock()
		if was != nil && was != m {
			was.release(channels, patterns)
		}
		if c.places[channelPlace].Load() != t {
			return
		}
		if c.subscribe(m, Channel, channels, t) && c.subscribe(m, Pattern, patterns, t) {
			c.open(m.ctx, &gain{tenure: t, places: []int{channelPlace}})
			c.dropUnwanted(m, Channel, channels)
			c.dropUnwanted(m, Pattern, patterns)
		}
	})
}

// release ends channels and patterns of a member, so that none of their messages
// is handled any more.
func (m *member) release(channels, patterns []string) {
	// Its connection may be up again.
	_ = m.change(m.ctx, &change{kind: Channel, end: true, names: slices.Clone(channels)})
	_ = m.change(m.ctx, &change{kind: Pattern, end: true, names: slices.Clone(patterns)})
	if m.ctx.Err() == nil {
		return
	}
	select {
	case <-m.done:
	case <-m.c.ctx.Done():
	}
}

// unhost takes channels and patterns from a member that is dropped. The caller
// holds c.mu.
func (c *Cluster) unhost(m *member, t *transfer) {
	old := c.places[channelPlace].Load()
	if old == nil || old.member != m {
		return
	}
	t.leave(c, channelPlace, old)
	c.place(channelPlace, c.nextTenure(nil, m))
}
