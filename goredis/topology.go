package goredis

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed79615202/respush/feed"
)

// grace is how long a look waits for the nodes that have not answered once enough
// have.
const grace = 250 * time.Millisecond

// ClusterTopology returns the topology of the cluster that client is connected
// to. It asks every node that the client knows for CLUSTER NODES, replicas as
// well, on connections of the client's own pools, and needs the answers of more
// than half of the primaries, see [feed.ClusterNodes]. Silent nodes hold a look up
// for a quarter of a second, or for half a second if most nodes are silent. A look
// does not see what only a silent node knows, such as that it has been promoted.
//
// The address of a node is the one by which client reaches it. As long as client
// does not know the node, it is the one that the node announces. Options such as
// NewClient do not apply to it: the Feed of a node needs the same Dial and Auth as
// client. A Topology is for one Cluster.
func ClusterTopology(client *redis.ClusterClient) feed.Topology {
	return &clusterTopology{client: client, addrs: make(map[string]string)}
}

// clusterTopology is a Topology. Its nodes are those of the client's last list.
type clusterTopology struct {
	client *redis.ClusterClient
	poll   poll[string]

	mu        sync.Mutex
	nodes     map[string]*redis.Client
	addrs     map[string]string // by ID, of primaries that client knows; only Look uses it
	listing   chan struct{}     // closed when the list under way has been read; nil when there is none
	listError error
}

// Look asks the nodes.
func (t *clusterTopology) Look(ctx context.Context) ([]feed.Node, error) {
	nodes, err := t.known(ctx)
	if err != nil {
		return nil, err
	}
	asks := make(map[string]func(context.Context) (string, error), len(nodes))
	for addr, node := range nodes {
		asks[addr] = func(ctx context.Context) (string, error) { return node.ClusterNodes(ctx).Result() }
	}
	answers := t.poll.ask(ctx, asks, func(answers map[string]string) bool {
		_, err := feed.ClusterNodes(answers)
		return err == nil
	})
	primaries, err := feed.ClusterNodes(answers)
	complete := err == nil && len(answers) == len(asks)
	for i, n := range primaries {
		if nodes[n.Addr] != nil {
			t.addrs[n.ID] = n.Addr
			continue
		}
		complete = false
		primaries[i].Addr = cmp.Or(t.addrs[n.ID], n.Addr)
	}
	if !complete {
		t.list() // for the next look
	}
	return primaries, err
}

// known returns the nodes by their addresses. It waits for the first list.
func (t *clusterTopology) known(ctx context.Context) (map[string]*redis.Client, error) {
	t.mu.Lock()
	nodes := t.nodes
	t.mu.Unlock()
	if nodes != nil {
		return nodes, nil
	}
	select {
	case <-t.list():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nodes == nil {
		return nil, t.listError
	}
	return t.nodes, nil
}

// list lets the client list its nodes anew, unless it is about to, and returns a
// channel that is closed when it has. This may take as long as a node is silent.
func (t *clusterTopology) list() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listing != nil {
		return t.listing
	}
	done := make(chan struct{})
	t.listing = done
	go func() {
		var mu sync.Mutex
		nodes := make(map[string]*redis.Client)
		err := t.client.ForEachShard(context.Background(), func(_ context.Context, node *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			nodes[node.Options().Addr] = node
			return nil
		})
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.listError = err; err == nil {
			t.nodes = nodes
		}
		t.listing = nil
		close(done)
	}()
	return done
}

// SentinelTopology returns the topology of a primary that sentinels watch under
// a name: one node, with all slots. All sentinels are to be given. It needs the
// answers of more than half of them, and the one with the highest config epoch
// counts. A primary of which a sentinel says that it is objectively down is not
// confirmed: another may have been promoted, and not all sentinels know that yet.
// The caller closes the clients. A Topology is for one Cluster.
//
// A sentinel alone knows at first that it has promoted another. The others hear of
// it within two seconds by default. A look that lacks its answer may confirm the
// old primary in that time, if the others have not found it down, as after
// SENTINEL FAILOVER.
//
// Sentinel publishes +switch-master when it has replaced a primary. A Feed of a
// sentinel's that calls [feed.Cluster.Refresh] for it saves the time to the next
// look, and nothing else: Sentinel is used for discovery only.
func SentinelTopology(name string, sentinels ...*redis.SentinelClient) feed.Topology {
	return &sentinelTopology{name: name, sentinels: sentinels}
}

type sentinelTopology struct {
	name      string
	sentinels []*redis.SentinelClient
	poll      poll[said]
}

// said is what a sentinel says about the primary.
type said struct {
	primary feed.Node
	down    bool // enough sentinels for a failover have no answer from it
}

// errDown is the error of a look that has found a primary that may be replaced.
var errDown = errors.New("goredis: the primary is down, as Sentinel says")

// Look asks the sentinels.
func (t *sentinelTopology) Look(ctx context.Context) ([]feed.Node, error) {
	asks := make(map[string]func(context.Context) (said, error), len(t.sentinels))
	for i, s := range t.sentinels {
		asks[strconv.Itoa(i)] = func(ctx context.Context) (said, error) { return t.ask(ctx, s) }
	}
	enough := func(answers map[string]said) bool { return len(answers)*2 > len(t.sentinels) }
	answers := t.poll.ask(ctx, asks, enough)
	if !enough(answers) {
		return nil, fmt.Errorf("%w: %d of %d sentinels", feed.ErrFewAnswers, len(answers), len(t.sentinels))
	}
	var newest said
	for _, a := range answers {
		switch n := a.primary; {
		case newest.primary.Addr == "" || n.Epoch > newest.primary.Epoch:
			newest = a
		case n.Epoch == newest.primary.Epoch:
			newest.down = newest.down || a.down
		}
	}
	if newest.down {
		return nil, errDown
	}
	newest.primary.Slots = feed.AllSlots()
	return []feed.Node{newest.primary}, nil
}

// ask asks one sentinel. During a failover SENTINEL GET-MASTER-ADDR-BY-NAME names
// the new primary before SENTINEL MASTER does, which has the epoch. If it grows
// between the two, they are asked again.
func (t *sentinelTopology) ask(ctx context.Context, s *redis.SentinelClient) (said, error) {
	for before := uint64(0); ; {
		addr, err := s.GetMasterAddrByName(ctx, t.name).Result()
		if err != nil {
			return said{}, err
		}
		if len(addr) != 2 {
			return said{}, errors.New("goredis: no address from Sentinel")
		}
		master, err := s.Master(ctx, t.name).Result()
		if err != nil {
			return said{}, err
		}
		now, err := strconv.ParseUint(master["config-epoch"], 10, 64)
		if err != nil {
			return said{}, fmt.Errorf("goredis: config-epoch of Sentinel: %w", err)
		}
		if now == before {
			named := net.JoinHostPort(addr[0], addr[1])
			watched := net.JoinHostPort(master["ip"], master["port"]) // the old one during a failover, which is down
			down := named == watched && slices.Contains(strings.Split(master["flags"], ","), "o_down")
			return said{feed.Node{Addr: named, Epoch: now}, down}, nil
		}
		before = now
	}
}

// poll asks many at once. A target that still owes an answer to an earlier
// question is not asked again.
type poll[T any] struct {
	mu   sync.Mutex
	busy map[string]bool
}

// answer is what a target has answered.
type answer[T any] struct {
	name  string
	value T
	err   error
}

// ask returns the answers that arrive in time: all of them, or enough of them and
// a grace after half have arrived or two after the first, or those until ctx ends.
func (p *poll[T]) ask(ctx context.Context, asks map[string]func(context.Context) (T, error), enough func(map[string]T) bool) map[string]T {
	arrived := make(chan answer[T], len(asks)) // nobody may be left to read it
	waiting := 0
	p.mu.Lock()
	if p.busy == nil {
		p.busy = make(map[string]bool)
	}
	for name, f := range asks {
		if p.busy[name] {
			continue
		}
		p.busy[name] = true
		waiting++
		go func() {
			v, err := f(ctx)
			p.mu.Lock()
			delete(p.busy, name)
			p.mu.Unlock()
			arrived <- answer[T]{name, v, err}
		}()
	}
	p.mu.Unlock()
	answers := make(map[string]T, len(asks))
	var late <-chan time.Time
	half := false
	for waiting > 0 {
		select {
		case a := <-arrived:
			waiting--
			if a.err == nil {
				answers[a.name] = a.value
			}
		case <-late:
			if enough(answers) {
				return answers
			}
			late = time.After(grace)
		case <-ctx.Done():
			return answers
		}
		switch {
		case !half && waiting <= len(asks)/2:
			half, late = true, time.After(grace)
		case late == nil && len(answers) > 0:
			late = time.After(2 * grace)
		}
	}
	return answers
}
