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

// slots is how many hash slots a Redis Cluster has (cluster specification, "Key distribution model").
const slots = 16384

// masters is how many masters a Cluster has: the fewest that can vote for a failover.
const masters = 3

// A Cluster is a Redis Cluster that a test has to itself: three masters, each with a third of the slots, and replicas.
// Its methods are for the goroutine of the test, as they may fail it.
type Cluster struct {
	Nodes []*Server // the masters in the order of their slots, then the replicas; a failover changes roles, not places
	ids   []string  // what CLUSTER MYID says, by place
	buses *buses
}

// StartCluster runs a Cluster with one replica, of the first master, until the end of the test; args go to the command
// line of every server. It returns when all of them agree on who has which slot and the replica follows. It skips or fails
// without redis-server as Start does.
func StartCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	return startCluster(tb, 1, args)
}

// StartReplicatedCluster is StartCluster with a replica of each master: Nodes[3+i] follows Nodes[i].
func StartReplicatedCluster(tb testing.TB, args ...string) *Cluster {
	tb.Helper()
	return startCluster(tb, masters, args)
}

func startCluster(tb testing.TB, replicas int, args []string) *Cluster {
	tb.Helper()
	c := &Cluster{buses: newBuses(tb)}
	var clients []*Client
	var ports []string
	for range masters + replicas {
		var port string
		bus := c.buses.listen(tb)
		s := startWith(tb, func(free string) []string {
			port = free // the default is 10,000 more than the other port, which may be no port
			return append([]string{
				"--cluster-enabled", "yes", "--cluster-port", port, "--cluster-announce-bus-port", bus.port, "--cluster-announce-ip", "127.0.0.1",
				"--repl-diskless-sync-delay", "0", "--cluster-node-timeout", "2000", // news travels at half of that
			}, args...)
		})
		client := s.Dial(tb)
		id := client.Do("CLUSTER", "MYID").String()
		bus.is(port, id)
		c.Nodes, clients, ports, c.ids = append(c.Nodes, s), append(clients, client), append(ports, bus.port), append(c.ids, id)
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
	c.SetNodeTimeout(tb, 30*time.Second) // a busy machine is no reason for a failover
	return c
}

// SetNodeTimeout sets cluster-node-timeout of the nodes that run: after how long a silent node is taken for dead. It is 30
// seconds at first, and 2 seconds for a node that was started again.
func (c *Cluster) SetNodeTimeout(tb testing.TB, timeout time.Duration) {
	tb.Helper()
	for _, s := range running(c.Nodes) {
		s.Dial(tb).Do("CONFIG", "SET", "cluster-node-timeout", strconv.FormatInt(timeout.Milliseconds(), 10))
	}
}

// ID returns the cluster's name for a node, as CLUSTER MYID gives it.
func (c *Cluster) ID(node int) string { return c.ids[node] }

// Addrs returns the addresses of all nodes.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, s := range c.Nodes {
		addrs = append(addrs, s.Addr)
	}
	return addrs
}

// WaitReady waits until every node knows of three masters, that have all slots between them, and of all replicas, and
// these are up to date. All nodes have to run.
func (c *Cluster) WaitReady(tb testing.TB) {
	tb.Helper()
	for _, s := range c.Nodes {
		client := s.Dial(tb)
		wait(tb, "a cluster that is complete", func() bool {
			info, nodes := client.Do("CLUSTER", "INFO").String(), client.Do("CLUSTER", "NODES").String()
			role := client.Do("INFO", "replication").String()
			return strings.Contains(info, "cluster_state:ok") && field(info, "cluster_slots_ok") == strconv.Itoa(slots) &&
				strings.Count(nodes, "\n") == len(c.Nodes) && !strings.Contains(nodes, "handshake") && !strings.Contains(nodes, "fail") &&
				strings.Count(nodes, "slave ") == len(c.Nodes)-masters && !strings.Contains(nodes, "slave -") && // "-": it follows nobody yet
				(field(role, "role") == "master" || field(role, "master_link_status") == "up")
		})
	}
}

// Migrate moves a slot and its keys from one master to another. When it returns all masters know.
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
// reconfiguration"). A target that imports a slot learns nothing more about who has it. So it has to know that first, which
// takes a moment after a failover.
func MoveSlot(tb testing.TB, slot int, from, to *Server) {
	tb.Helper()
	source, target, number := from.Dial(tb), to.Dial(tb), strconv.Itoa(slot)
	sourceID, targetID := source.Do("CLUSTER", "MYID").String(), target.Do("CLUSTER", "MYID").String()
	wait(tb, "the target to know who has the slot", func() bool { return hasSlot(target, sourceID, slot) })
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

// WaitEpoch waits until a node knows the config epoch of another. Then an epoch that it takes for itself is the higher one.
// Without that a slot that has come back to a node is claimed by neither: the others believe in the higher epoch of the one
// that has given it back.
func WaitEpoch(tb testing.TB, node, of *Server) {
	tb.Helper()
	client, other := node.Dial(tb), of.Dial(tb)
	id := other.Do("CLUSTER", "MYID").String()
	wait(tb, "an epoch to be known", func() bool { return nodeLine(client, id)[6] == nodeLine(other, id)[6] })
}

// nodeLine returns the line of a node in CLUSTER NODES, as a client's server knows it: at least 8 fields, and the slots.
func nodeLine(c *Client, id string) []string {
	for line := range strings.Lines(c.Do("CLUSTER", "NODES").String()) {
		if fields := strings.Fields(line); fields[0] == id {
			return fields
		}
	}
	return make([]string, 8)
}

// hasSlot reports whether a client's server knows a node as the owner of a slot.
func hasSlot(c *Client, id string, slot int) bool {
	return slices.ContainsFunc(nodeLine(c, id)[8:], func(text string) bool {
		var first, last int
		switch n, _ := fmt.Sscanf(text, "%d-%d", &first, &last); n {
		case 1:
			return slot == first
		case 2:
			return first <= slot && slot <= last
		}
		return false // on its way
	})
}

// Failover makes the first replica a master, and its master the replica, and returns when every node knows.
func (c *Cluster) Failover(tb testing.TB) {
	tb.Helper()
	c.Promote(tb, masters)
}

// CutOff lets the other nodes and this one, a master, hear nothing of each other until Join. Clients and replicas still reach
// it. It goes on as a master in its own eyes. It returns when its replica has taken its place.
func (c *Cluster) CutOff(tb testing.TB, node, replica int) {
	tb.Helper()
	// Otherwise it refuses all commands when it has heard of no other master for that long.
	c.Nodes[node].Dial(tb).Do("CONFIG", "SET", "cluster-node-timeout", "600000")
	c.buses.cutOff(c.ids[node])
	others := slices.DeleteFunc(running(c.Nodes), func(s *Server) bool { return s == c.Nodes[node] })
	c.waitPromoted(tb, others, replica)
}

// Join lets a node that was cut off back in. It returns when that follows the master in its place.
func (c *Cluster) Join(tb testing.TB, node int) {
	tb.Helper()
	client := c.Nodes[node].Dial(tb)
	c.buses.join(c.ids[node])
	wait(tb, "the old master to be a replica", func() bool {
		return field(client.Do("INFO", "replication").String(), "role") == "slave"
	})
}

// Promote makes a node that is a replica the master of its slots, and returns when every node that runs knows. The option
// is one of CLUSTER FAILOVER: FORCE where the master is down, TAKEOVER where most of them are.
func (c *Cluster) Promote(tb testing.TB, node int, option ...string) {
	tb.Helper()
	c.Nodes[node].Dial(tb).Do(append([]string{"CLUSTER", "FAILOVER"}, option...)...)
	c.waitPromoted(tb, running(c.Nodes), node)
}

// Crash ends the first master, whose replica is to take its place: see WaitPromoted.
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

// WaitPromoted waits until every node but the first knows the first replica as a master.
func (c *Cluster) WaitPromoted(tb testing.TB) {
	tb.Helper()
	c.waitPromoted(tb, c.Nodes[1:], masters)
}

// WaitMaster waits until every node that runs knows this one as a master.
func (c *Cluster) WaitMaster(tb testing.TB, node int) {
	tb.Helper()
	c.waitPromoted(tb, running(c.Nodes), node)
}

// waitPromoted waits until nodes know this one as a master.
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
			require.FailNow(tb, fmt.Sprintf("waited in vain for %s", what))
		}
	}
}
