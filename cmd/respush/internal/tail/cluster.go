package tail

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// clusterWatching is a Watch of all primaries of a cluster. A place is a slot, or
// channels, as the channels and patterns of a cluster live together on one node.
// The mutex of watching guards the fields, except for topology and cluster.
type clusterWatching struct {
	*watching
	topology feed.Topology
	cluster  feed.Cluster

	looked bool                   // at the topology, with success
	owners [feed.SlotCount]string // the primaries of the slots, as the last look found them
	host   string                 // the node on which channels and patterns are
	losses map[int]time.Time      // of each place in a gap: the moment up to which nothing is missing
	told   map[string]string      // why there is no connection to a node, as last told; of the topology under ""
}

// channels is the place of channels and patterns.
const channels = feed.SlotCount

func newClusterWatching(v *watching) *clusterWatching {
	v.nodes = make(map[string]int)
	c := &clusterWatching{watching: v, losses: make(map[int]time.Time), told: make(map[string]string)}
	v.processor = newProcessor(c.push, v.report)
	return c
}

// keep runs a Cluster until ctx ends.
func (v *clusterWatching) keep(ctx context.Context) error {
	if err := v.check(ctx); err != nil {
		return err
	}
	redis.SetLogger(new(logging.VoidLogger)) // what fails is told below
	client := redis.NewClusterClient(v.clientOptions())
	defer client.Close()
	v.topology = goredis.ClusterTopology(client)
	v.cluster = feed.Cluster{
		Topology:      feed.TopologyFunc(v.look),
		New:           v.newNode,
		Channels:      v.Options.Channels,
		Patterns:      v.Options.Patterns,
		ShardChannels: v.Options.ShardChannels,
		OnFlush:       func(context.Context, feed.Slots) {}, // there is no cache
		OnGap:         v.gap,
		OnArmed:       v.armed,
	}
	err := v.cluster.Run(ctx)
	var refused *feed.SetupError
	if errors.As(err, &refused) {
		return fmt.Errorf("%s: %w", refused.Addr, gapWords(err))
	}
	return err
}

// check connects to the node of the URL, as it will be done with all nodes, and
// returns an error if it is none of a cluster.
func (v *clusterWatching) check(ctx context.Context) error {
	conn, mode, err := v.connect(ctx, v.Target.Address())
	if err != nil {
		return err
	}
	conn.Close()
	if mode != "" && mode != "cluster" {
		return fmt.Errorf("%s is no node of a cluster (its mode is %s): leave out --cluster", v.Target.Address(), mode)
	}
	return nil
}

// clientOptions returns the options of a client that looks at the topology.
func (v *clusterWatching) clientOptions() *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs:                    []string{v.Target.Address()},
		Username:                 v.Target.User,
		Password:                 v.Target.Password,
		ClientName:               v.Options.ClientName,
		Dialer:                   func(ctx context.Context, _, addr string) (net.Conn, error) { return v.open(ctx, addr) },
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// newNode returns the Feed of a node.
func (v *clusterWatching) newNode(n feed.Node) *feed.Feed {
	f := v.newFeed(n.Addr)
	f.OnError = func(ctx context.Context, err error) { v.failed(ctx, n.Addr, err) }
	f.OnArmed = func(context.Context, feed.Coverage) {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.told, n.Addr)
	}
	return f
}

// look looks at the topology. The first look has to succeed, as that shows that
// the URL is right.
func (v *clusterWatching) look(ctx context.Context) ([]feed.Node, error) {
	nodes, err := v.topology.Look(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case ctx.Err() == context.Canceled:
		return nil, ctx.Err()
	case err != nil && !v.looked:
		v.stop(lookWords(ctx, err))
		return nil, err
	case err != nil:
		v.tell("", lookWords(ctx, err))
		return nil, err
	}
	v.looked = true
	delete(v.told, "")
	clear(v.owners[:])
	for _, n := range nodes {
		v.nodes[n.Addr] += 0 // it is in the summary even if it sends nothing
		for slot := range n.Slots.All {
			v.owners[slot] = n.Addr
		}
	}
	return nodes, nil
}

// lookWords says why a look with ctx has failed.
func lookWords(ctx context.Context, err error) error {
	if ctx.Err() == context.DeadlineExceeded && !errors.Is(err, feed.ErrFewAnswers) {
		err = errors.New("no answer in time")
	}
	return fmt.Errorf("cannot find out who has which slots: %w", gapWords(err))
}

// push prints, counts and records a push of a node.
func (v *clusterWatching) push(ctx context.Context, handlerCtx dispatch.NotificationHandlerContext, push parser.Frame) error {
	switch string(push.Name()) {
	case notify.NameSubscribe, notify.NamePSubscribe:
		if s, err := notify.ParseSubscription(push); err == nil && !feed.IsKeyEvent(string(s.Channel)) {
			v.mu.Lock()
			v.host = nodeOf(handlerCtx.Conn)
			v.mu.Unlock()
		}
	}
	return v.watching.push(ctx, handlerCtx, push)
}

// gap tells of a gap that begins.
func (v *clusterWatching) gap(_ context.Context, g feed.ClusterGap) {
	if errors.Is(g.Cause, feed.ErrStart) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for place := range placesOf(g.Part) {
		v.lose(place, g.Since)
	}
	if g.Addr != "" {
		v.told[g.Addr] = gapWords(g.Cause).Error() // the Feed tells it as an error too
	}
	v.printGap(jsonline.Part{Node: g.Addr, Part: g.Part}, g.Gap)
	v.regain(g.Part) // another node may have had it before this was told
}

// lose notes that a place has a gap. The caller holds mu.
func (v *clusterWatching) lose(place int, since time.Time) {
	if _, lost := v.losses[place]; lost {
		return
	}
	v.losses[place] = since
	if !v.inGap || since.Before(v.lost) {
		v.inGap, v.lost = true, since
	}
}

// armed tells of gaps that end.
func (v *clusterWatching) armed(_ context.Context, p feed.Part) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.listening = v.listening || v.whole()
	v.regain(p)
}

// whole reports whether everything is covered that can be: all but the slots of
// nodes of which it has been told that there is no connection. The caller holds mu.
func (v *clusterWatching) whole() bool {
	for slot, owner := range v.owners {
		if owner != "" && v.told[owner] == "" && !v.covered(slot) {
			return false
		}
	}
	hosted := func(name string) bool { return !feed.IsKeyEvent(name) }
	return !slices.ContainsFunc(slices.Concat(v.Options.Channels, v.Options.Patterns), hosted) || v.covered(channels)
}

// covered reports whether a place is covered.
func (v *clusterWatching) covered(place int) bool {
	if place == channels {
		return v.cluster.CoverageOfChannels().Armed
	}
	return v.cluster.CoverageOfSlot(place).Armed
}

// partGap is gaps of one node that began at one moment.
type partGap struct {
	jsonline.Part
	since time.Time
}

// regain tells of the gaps in a part that have ended. The caller holds mu.
func (v *clusterWatching) regain(p feed.Part) {
	var gaps []*partGap
	for place := range placesOf(p) {
		since, lost := v.losses[place]
		if !lost || !v.covered(place) {
			continue
		}
		delete(v.losses, place)
		node := v.host
		if place != channels {
			node = v.owners[place]
		}
		gaps = join(gaps, node, since, place)
	}
	for _, g := range gaps {
		v.print(v.printer.armed(g.Part, g.since, time.Since(g.since)))
	}
	if v.inGap && len(v.losses) == 0 {
		v.inGap = false
		v.missing += time.Since(v.lost)
	}
}

// join adds a place to the gaps that it belongs to. Places come in order.
func join(gaps []*partGap, node string, since time.Time, place int) []*partGap {
	var g *partGap
	for _, other := range gaps {
		if other.Node == node && other.since.Equal(since) {
			g = other
		}
	}
	if g == nil {
		g = &partGap{jsonline.Part{Node: node}, since}
		gaps = append(gaps, g)
	}
	switch last := len(g.Slots) - 1; {
	case place == channels:
		g.Channels = true
	case last >= 0 && g.Slots[last].Last == place-1:
		g.Slots[last].Last = place
	default:
		g.Slots = append(g.Slots, feed.SlotRange{First: place, Last: place})
	}
	return gaps
}

// placesOf returns the places of a part in order.
func placesOf(p feed.Part) iter.Seq[int] {
	return func(yield func(int) bool) {
		for slot := range p.Slots.All {
			if !yield(slot) {
				return
			}
		}
		if p.Channels {
			yield(channels)
		}
	}
}

// failed tells why there is no connection to a node, when that changes. The Feed
// tries again. A node that has never been reached has a gap from the beginning.
func (v *clusterWatching) failed(ctx context.Context, node string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	v.tell(node, gapWords(err))
	var never []*partGap
	for slot, owner := range v.owners {
		if _, lost := v.losses[slot]; owner == node && !lost && !v.covered(slot) {
			v.lose(slot, v.since)
			never = join(never, node, v.since, slot)
		}
	}
	for _, g := range never {
		v.printGap(g.Part, feed.Gap{Since: v.since, Cause: err})
	}
}

// tell prints why there is no connection to a node, or no look at the topology,
// unless that was the last that was told. The caller holds mu.
func (v *clusterWatching) tell(node string, err error) {
	said := err.Error()
	if v.told[node] == said {
		return
	}
	v.told[node] = said
	if node != "" {
		said = node + ": not connected: " + said
	}
	fmt.Fprintf(v.Stderr, "respush: %s; trying again\n", said)
}
