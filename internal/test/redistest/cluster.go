package redistest

import (
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// slots is the number of hash slots of a Redis Cluster (cluster specification, "Key distribution model").
const slots = 16384

// masters is the number of masters of a Cluster. Three is the least that can vote for a failover.
const masters = 3

// A Cluster is a Redis Cluster that a test has to itself: three masters, each with a third of the slots, and replicas.
// Its methods may fail the test, so they must run on its goroutine.
type Cluster struct {
	Nodes []*Server // the masters in the order of their slots, then the replicas; a failover changes roles, not places
	ids   []string  // the node IDs, in the order of Nodes

	buses       *buses        // nil if the Cluster is not divisible
	nodeTimeout time.Duration // what SetNodeTimeout has set
}

// StartCluster runs a Cluster until the end of the test. The first master has a replica, and the others have none. args
// are added to the command line of every server. StartCluster returns when all nodes agree on the owners of the slots
// and the replica follows its master. Without redis-server it skips or fails the test, as Start does.
func StartCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	return startCluster(tb, 1, nil, args)
}

// StartReplicatedCluster is like StartCluster, but every master has a replica: Nodes[3+i] follows Nodes[i].
func StartReplicatedCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	return startCluster(tb, masters, nil, args)
}

// StartDivisibleCluster is like StartReplicatedCluster, but what the nodes say to each other passes through the process of
// the test, so that CutOff can stop it.
func StartDivisibleCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	return startCluster(tb, masters, newBuses(tb), args)
}

func startCluster(tb testing.TB, replicas int, buses *buses, args []string) *Cluster {
	tb.Helper()
	c := &Cluster{buses: buses}
	var clients []*Client
	var ports []string
	for range masters + replicas {
		var port, announced string
		var bus *bus
		if buses != nil {
			bus = buses.listen(tb)
		}
		s := startWith(tb, func(free string) []string {
			port, announced = free, free // the default is 10,000 above the other port and may be out of range
			if bus != nil {
				announced = bus.port
			}
			return append([]string{
				"--cluster-enabled", "yes", "--cluster-port", port, "--cluster-announce-bus-port", announced, "--cluster-announce-ip", "127.0.0.1",
				"--repl-diskless-sync-delay", "0", "--cluster-node-timeout", "2000", // news travels at half of that
			}, args...)
		})
		client := s.Dial(tb)
		id := client.Do("CLUSTER", "MYID").String()
		if bus != nil {
			bus.is(port, id)
		}
		c.Nodes, clients, ports, c.ids = append(c.Nodes, s), append(clients, client), append(ports, announced), append(c.ids, id)
		client.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(len(clients)))
	}
	for i, client := range clients {
		for j, s := range c.Nodes[:i] {
			client.Do("CLUSTER", "MEET", "127.0.0.1", s.port(), ports[j])
		}
	}
	for i, client := range clients[:masters] {
		client.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1))
	}
	for i, replica := range clients[masters:] {
		wait(tb, "the replica to know its master", func() bool {
			nodes := replica.Do("CLUSTER", "NODES").String()
			return strings.Contains(nodes, c.ids[i]) && !strings.Contains(nodes, "handshake")
		})
		replica.Do("CLUSTER", "REPLICATE", c.ids[i])
	}
	c.WaitReady(tb)
	c.SetNodeTimeout(tb, 30*time.Second) // a busy machine must not cause a failover
	return c
}

// SetNodeTimeout sets cluster-node-timeout on the nodes that run. A node that is silent for that long is considered
// dead. The time is 30 seconds at first, and 2 seconds for a node that was started again.
func (c *Cluster) SetNodeTimeout(tb testing.TB, timeout time.Duration) {
	tb.Helper()
	c.nodeTimeout = timeout
	for _, s := range running(c.Nodes) {
		s.Dial(tb).Do("CONFIG", "SET", "cluster-node-timeout", strconv.FormatInt(timeout.Milliseconds(), 10))
	}
}

// ID returns the ID of a node, as CLUSTER MYID reports it.
func (c *Cluster) ID(node int) string { return c.ids[node] }

// Addrs returns the addresses of all nodes.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, s := range c.Nodes {
		addrs = append(addrs, s.Addr)
	}
	return addrs
}

// WaitReady waits until every node knows all replicas and three masters that have all slots between them, and until the
// replicas are up to date. All nodes must run.
func (c *Cluster) WaitReady(tb testing.TB) {
	tb.Helper()
	for _, s := range c.Nodes {
		client := s.Dial(tb)
		wait(tb, "a cluster that is complete", func() bool {
			info, nodes := client.Do("CLUSTER", "INFO").String(), client.Do("CLUSTER", "NODES").String()
			role := client.Do("INFO", "replication").String()
			return strings.Contains(info, "cluster_state:ok") && field(info, "cluster_slots_ok") == strconv.Itoa(slots) &&
				strings.Count(nodes, "\n") == len(c.Nodes) && !strings.Contains(nodes, "handshake") && !strings.Contains(nodes, "fail") &&
				strings.Count(nodes, "slave ") == len(c.Nodes)-masters && !strings.Contains(nodes, "slave -") && // "-" means that it follows no master yet
				(field(role, "role") == "master" || field(role, "master_link_status") == "up")
		})
	}
}

// Migrate moves a slot and its keys from one master to another. It returns when all masters know the new owner.
func (c *Cluster) Migrate(tb testing.TB, slot int, from, to int) {
	tb.Helper()
	MoveSlot(tb, slot, c.Nodes[from], c.Nodes[to])
	for i, s := range c.Nodes {
		client := s.Dial(tb)
		if i != from && i != to && field(client.Do("INFO", "replication").String(), "role") == "master" {
			client.Do("CLUSTER", "SETSLOT", strconv.Itoa(slot), "NODE", c.ids[to])
		}
	}
}

// MoveSlot moves a slot and its keys from one master to another, in the steps of the cluster specification ("Live
// reconfiguration"). A target that imports a slot learns nothing more about its owner. MoveSlot therefore waits until
// the target knows the owner, which takes a moment after a failover.
func MoveSlot(tb testing.TB, slot int, from, to *Server) {
	tb.Helper()
	source, target, number := from.Dial(tb), to.Dial(tb), strconv.Itoa(slot)
	sourceID, targetID := source.Do("CLUSTER", "MYID").String(), target.Do("CLUSTER", "MYID").String()
	wait(tb, "the target to know the owner of the slot", func() bool { return hasSlot(target, sourceID, slot) })
	target.Do("CLUSTER", "SETSLOT", number, "IMPORTING", sourceID)
	source.Do("CLUSTER", "SETSLOT", number, "MIGRATING", targetID)
	for {
		var keys []string
		for key := range source.Do("CLUSTER", "GETKEYSINSLOT", number, "100").All() {
			keys = append(keys, key.String())
		}
		if len(keys) == 0 {
			break
		}
		source.Do(append([]string{"MIGRATE", "127.0.0.1", to.port(), "", "0", "60000", "KEYS"}, keys...)...)
	}
	WaitEpoch(tb, to, from)
	target.Do("CLUSTER", "SETSLOT", number, "NODE", targetID) // first, so that the slot always has an owner
	source.Do("CLUSTER", "SETSLOT", number, "NODE", targetID)
}

// WaitEpoch waits until a node knows the config epoch of another. A new epoch that the node then takes for itself is
// higher. Without the wait a slot that the other node gives back may end up claimed by neither: the rest of the cluster
// believes the node with the higher epoch, which is the one that gave the slot back.
func WaitEpoch(tb testing.TB, node, of *Server) {
	tb.Helper()
	client, other := node.Dial(tb), of.Dial(tb)
	id := other.Do("CLUSTER", "MYID").String()
	wait(tb, "an epoch to be known", func() bool { return nodeLine(client, id)[6] == nodeLine(other, id)[6] })
}

// nodeLine returns the fields of a node's line in the CLUSTER NODES of a client's server. There are at least 8 fields;
// the slots follow them.
func nodeLine(c *Client, id string) []string {
	for line := range strings.Lines(c.Do("CLUSTER", "NODES").String()) {
		if fields := strings.Fields(line); len(fields) >= 8 && fields[0] == id {
			return fields
		}
	}
	return make([]string, 8)
}

// hasSlot reports whether a client's server considers a node the owner of a slot.
func hasSlot(c *Client, id string, slot int) bool {
	return slices.ContainsFunc(nodeLine(c, id)[8:], func(text string) bool {
		var first, last int
		switch n, _ := fmt.Sscanf(text, "%d-%d", &first, &last); n {
		case 1:
			return slot == first
		case 2:
			return first <= slot && slot <= last
		}
		return false // a slot that is being migrated
	})
}

// Failover makes the first replica a master and its master a replica. It returns when every node knows the new master.
func (c *Cluster) Failover(tb testing.TB) {
	tb.Helper()
	c.Promote(tb, masters)
}

// CutOff cuts a master of a divisible Cluster off from the other nodes until Join. Clients and replicas still reach the master, and it still
// considers itself a master. CutOff returns when the given replica has replaced it.
func (c *Cluster) CutOff(tb testing.TB, node, replica int) {
	tb.Helper()
	// A master that hears nothing from the other masters for the node time-out would refuse all commands.
	c.Nodes[node].Dial(tb).Do("CONFIG", "SET", "cluster-node-timeout", "600000")
	c.buses.cutOff(c.ids[node])
	others := slices.DeleteFunc(running(c.Nodes), func(s *Server) bool { return s == c.Nodes[node] })
	c.waitPromoted(tb, others, replica)
}

// Join reconnects a node that was cut off. It returns when every node that runs knows it as a replica.
func (c *Cluster) Join(tb testing.TB, node int) {
	tb.Helper()
	c.buses.join(c.ids[node])
	for _, s := range running(c.Nodes) {
		client := s.Dial(tb)
		wait(tb, "the old master to be a replica", func() bool {
			return strings.Contains(nodeLine(client, c.ids[node])[2], "slave")
		})
	}
	c.SetNodeTimeout(tb, c.nodeTimeout)
}

// Claim makes a slot a master's own in its own eyes, unless it is already, and raises the master's config epoch, so that the
// others hear of it. A message that was under way when the slot changed hands may take it away from its new owner again: rare,
// on a busy machine, and for good (Redis 7.0.15).
func (c *Cluster) Claim(tb testing.TB, slot, node int) {
	tb.Helper()
	client := c.Nodes[node].Dial(tb)
	defer client.Conn.Close()
	if !hasSlot(client, c.ids[node], slot) {
		client.Do("CLUSTER", "SETSLOT", strconv.Itoa(slot), "NODE", c.ids[node])
		client.Do("CLUSTER", "BUMPEPOCH")
	}
}

// Promote makes a replica the master of its slots. It returns when every node that runs knows the new master. The option
// is one of CLUSTER FAILOVER: FORCE if the master is down, TAKEOVER if most masters are down.
func (c *Cluster) Promote(tb testing.TB, node int, option ...string) {
	tb.Helper()
	c.Nodes[node].Dial(tb).Do(append([]string{"CLUSTER", "FAILOVER"}, option...)...)
	c.waitPromoted(tb, running(c.Nodes), node)
}

// Crash ends the first master. To wait until its replica has replaced it, call WaitPromoted.
func (c *Cluster) Crash(tb testing.TB) {
	tb.Helper()
	for _, s := range c.Nodes[1:] {
		s.Dial(tb).Do("CONFIG", "SET", "cluster-node-timeout", "1000")
	}
	victim := c.Nodes[0].Dial(tb)
	victim.Send([]string{"SHUTDOWN", "NOSAVE", "NOW", "FORCE"})
	_, err := victim.Reader.Next()
	require.ErrorIs(tb, err, io.EOF) // any reply would be a refusal
}

// WaitPromoted waits until every node but the first considers the first replica a master.
func (c *Cluster) WaitPromoted(tb testing.TB) {
	tb.Helper()
	c.waitPromoted(tb, c.Nodes[1:], masters)
}

// WaitMaster waits until every node that runs considers the given node a master.
func (c *Cluster) WaitMaster(tb testing.TB, node int) {
	tb.Helper()
	c.waitPromoted(tb, running(c.Nodes), node)
}

// waitPromoted waits until all nodes consider the given node a master.
func (c *Cluster) waitPromoted(tb testing.TB, nodes []*Server, node int) {
	tb.Helper()
	for _, s := range nodes {
		client := s.Dial(tb)
		wait(tb, "the replica to be master", func() bool {
			for line := range strings.Lines(client.Do("CLUSTER", "NODES").String()) {
				if strings.HasPrefix(line, c.ids[node]) {
					return strings.Contains(line, "master ")
				}
			}
			return false
		})
	}
}

// running returns the servers that run.
func running(all []*Server) []*Server {
	var list []*Server
	for _, s := range all {
		if s.Running() {
			list = append(list, s)
		}
	}
	return list
}

// port returns the port that s listens on.
func (s *Server) port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// wait polls until done returns true.
func wait(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for timeout := time.After(patience); !done(); {
		select {
		case <-again.C:
		case <-timeout:
			require.FailNow(tb, fmt.Sprintf("timed out waiting for %s", what))
		}
	}
}
