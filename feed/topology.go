package feed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Node is a primary of a [Topology].
type Node struct {
	// Addr is where the node is: the Addr of its Feed, unless Cluster.New sets
	// another.
	Addr string
	// ID tells the node from another one at the same address. It may be empty.
	ID string
	// Epoch grows whenever the node takes slots over: the config epoch of a
	// cluster or of Sentinel. It is 0 where there is none.
	Epoch uint64
	// Slots are those of which the node is the primary.
	Slots Slots
}

// Topology finds the primaries and their slots.
type Topology interface {
	// Look returns the primaries and their slots as they are at some moment
	// after the call. A Cluster vouches for a slot up to the moment of the call,
	// so a Topology has to ask enough nodes to know of every change of an owner
	// that happened before: a primary that has been cut off from the others does
	// not know that it has a successor. It returns an error when too few have
	// answered. A slot that has no owner, or has one at each end of a
	// migration, is left out.
	//
	// A Cluster calls Look from one goroutine at a time. Look has to return when
	// ctx ends.
	Look(ctx context.Context) ([]Node, error)
}

// TopologyFunc is a function as a Topology.
type TopologyFunc func(ctx context.Context) ([]Node, error)

// Look calls f.
func (f TopologyFunc) Look(ctx context.Context) ([]Node, error) { return f(ctx) }

// Static returns a Topology that never changes.
func Static(nodes ...Node) Topology {
	return TopologyFunc(func(context.Context) ([]Node, error) { return nodes, nil })
}

// ErrFewAnswers is the error of a look at a topology that has not been confirmed
// by enough nodes.
var ErrFewAnswers = errors.New("feed: too few nodes have answered")

// ClusterNodes returns the primaries of a cluster that have slots. answers holds
// the replies to CLUSTER NODES of several nodes by their addresses. All nodes
// should be asked, replicas as well, since a replica that has been promoted is
// the first to know.
//
// A node that has answered speaks for itself, and has the address in answers. For
// another, those that have answered speak, and it has the address that it
// announces to them; without one it is left out. Of several owners of a slot, the
// one with the highest config epoch counts. A slot that its owner migrates or
// imports is left out. Every election of a primary needs the votes of most
// primaries, so ClusterNodes returns ErrFewAnswers unless more than half of the
// primaries that it finds have answered.
func ClusterNodes(answers map[string]string) ([]Node, error) {
	var v view
	v.nodes = make(map[string]*viewNode)
	for _, addr := range slices.Sorted(maps.Keys(answers)) {
		if err := v.read(addr, answers[addr]); err != nil {
			return nil, err
		}
	}
	return v.primaries()
}

// view joins what several nodes know of a cluster.
type view struct {
	nodes map[string]*viewNode // by ID
	lines []viewLine
	// The owner of each slot so far, the config epoch with which it claims the
	// slot, and whether the slot is between two nodes.
	owners [SlotCount]*viewNode
	epochs [SlotCount]uint64
	moving [SlotCount]bool
}

// viewNode is a node of a view.
type viewNode struct {
	node     Node
	answered bool
}

// viewLine is what a node says of itself or of another.
type viewLine struct {
	node    *viewNode
	epoch   uint64
	itself  bool
	primary bool
	slots   []string
}

// read adds the reply of the node at addr.
func (v *view) read(addr, reply string) error {
	for text := range strings.Lines(reply) {
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 8 {
			return fmt.Errorf("feed: line with %d fields in CLUSTER NODES", len(fields))
		}
		epoch, err := strconv.ParseUint(fields[6], 10, 64)
		if err != nil {
			return fmt.Errorf("feed: epoch in CLUSTER NODES: %w", err)
		}
		id, where, flags := fields[0], nodeAddr(fields[1]), strings.Split(fields[2], ",")
		if slices.Contains(flags, "handshake") {
			continue // its ID is not known yet
		}
		n := v.nodes[id]
		if n == nil {
			n = &viewNode{node: Node{ID: id}}
			v.nodes[id] = n
		}
		line := viewLine{node: n, epoch: epoch, itself: slices.Contains(flags, "myself"), primary: slices.Contains(flags, "master"), slots: fields[8:]}
		if line.itself {
			where = addr // it may announce another one, or none
		}
		if where != "" && (line.itself || !n.answered && epoch >= n.node.Epoch) {
			n.node.Addr = where
		}
		n.node.Epoch = max(n.node.Epoch, epoch)
		n.answered = n.answered || line.itself
		v.lines = append(v.lines, line)
	}
	return nil
}

// nodeAddr returns host:port of an address such as 10.0.0.1:6379@16379,name. It
// returns "" if there is no host.
func nodeAddr(text string) string {
	text, _, _ = strings.Cut(text, "@")
	at := strings.LastIndexByte(text, ':')
	if at <= 0 {
		return ""
	}
	return net.JoinHostPort(strings.Trim(text[:at], "[]"), text[at+1:])
}

// primaries returns the owners of slots.
func (v *view) primaries() ([]Node, error) {
	for _, line := range v.lines {
		if !line.primary || line.node.answered != line.itself {
			continue
		}
		for _, text := range line.slots {
			if err := v.claim(line, text); err != nil {
				return nil, err
			}
		}
	}
	var owners []*viewNode
	for slot, n := range v.owners {
		if n == nil {
			continue
		}
		if !slices.Contains(owners, n) {
			owners = append(owners, n)
			n.node.Slots = nil
		}
		if !v.moving[slot] {
			n.node.Slots = n.node.Slots.add(slot)
		}
	}
	answered := 0
	nodes := make([]Node, 0, len(owners))
	for _, n := range owners {
		if n.node.Addr != "" { // a node that is gone may have none
			nodes = append(nodes, n.node)
		}
		if n.answered {
			answered++
		}
	}
	if answered*2 <= len(owners) {
		return nil, fmt.Errorf("%w: %d of %d primaries", ErrFewAnswers, answered, len(owners))
	}
	return nodes, nil
}

// claim adds the claim of the node of a line: a slot, a range, or a slot on its
// way from or to another node, such as [93-<-ID] or [93->-ID].
func (v *view) claim(line viewLine, text string) error {
	onItsWay := strings.HasPrefix(text, "[")
	if onItsWay {
		text, _, _ = strings.Cut(text[1:], "-")
	}
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	first, err := strconv.ParseUint(from, 10, 16)
	last, err2 := strconv.ParseUint(to, 10, 16)
	if err != nil || err2 != nil || first > last || last >= SlotCount {
		return fmt.Errorf("feed: slots %q in CLUSTER NODES", text)
	}
	for slot := first; slot <= last; slot++ {
		switch owner := v.owners[slot]; {
		case onItsWay:
			v.moving[slot] = true
		case owner == nil || line.epoch > v.epochs[slot]:
			v.owners[slot], v.epochs[slot] = line.node, line.epoch
		case owner != line.node && line.epoch == v.epochs[slot]:
			v.moving[slot] = true // one of them does not know yet
		}
	}
	return nil
}
