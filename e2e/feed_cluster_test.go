package e2e_test

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/internal/test/soak"
)

// clusterSystem is a cluster as the load sees it.
type clusterSystem struct {
	servers []*redistest.Server
	cut     atomic.Pointer[cutOff] // the last one
}

// cutOff is the time in which other nodes do not reach a node.
type cutOff struct {
	addr string
	end  time.Time // zero while it lasts
}

func (s *clusterSystem) nodes() (addrs []string) {
	for _, node := range s.servers {
		if node.Running() {
			addrs = append(addrs, node.Addr)
		}
	}
	return addrs
}
func (s *clusterSystem) primary() string { return "" }
func (s *clusterSystem) auth() []string  { return nil }

// sure is true except for a node that was cut off at that time. Any other node
// that has lost a slot redirects.
func (s *clusterSystem) sure(addr string, at time.Time) bool {
	cut := s.cut.Load()
	return cut == nil || cut.addr != addr || !cut.end.IsZero() && at.After(cut.end)
}

// safe is true for one replica, which is the only one to take its place. The
// primary in the place of one that is cut off has no replica.
func (s *clusterSystem) safe(addr string, replicas int) bool {
	if cut := s.cut.Load(); cut != nil && cut.end.IsZero() {
		return addr != cut.addr
	}
	return replicas >= 1
}

// clusterRun is a cluster whose faults an oracle watches.
type clusterRun struct {
	*redistest.Cluster
	t       testing.TB
	o       *oracle
	s       *clusterSystem
	gate    *gate
	primary [3]int // the node that is the primary of each third
	replica [3]int
}

func startClusterRun(t testing.TB, eager bool) *clusterRun {
	c := redistest.StartDivisibleCluster(t)
	c.SetNodeTimeout(t, time.Second)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()})
	t.Cleanup(func() { _ = client.Close() })
	r := &clusterRun{
		Cluster: c, t: t, s: &clusterSystem{servers: slices.Clone(c.Nodes)}, gate: newGate(goredis.ClusterTopology(client)),
		primary: [3]int{0, 1, 2}, replica: [3]int{3, 4, 5},
	}
	r.o = startOracle(t, r.s, r.gate, func(feed.Node) *feed.Feed { return &feed.Feed{} }, eager)
	return r
}

// fault breaks something and waits until all is covered again.
func (r *clusterRun) fault(name string, f func()) {
	r.t.Helper()
	r.noteRoles()
	r.o.fault(name, f)
}

// noteRoles notes which of a pair is the primary. On a busy machine a primary may
// seem dead, and its replica takes its place.
func (r *clusterRun) noteRoles() {
	r.t.Helper()
	for third := range r.primary {
		pair := []int{r.primary[third], r.replica[third]}
		if slices.ContainsFunc(pair, func(node int) bool { return !r.Nodes[node].Running() }) {
			continue
		}
		untilTrue(r.t, "one primary of two", func() bool {
			first, second := r.role(pair[0]), r.role(pair[1])
			if first == "slave" && second == "master" {
				r.promoted(third)
			}
			return first != second
		})
	}
}

// role returns the role of a node in its own eyes.
func (r *clusterRun) role(node int) string {
	c := &loadConn{addr: r.Nodes[node].Addr}
	defer c.close()
	v, err := c.do([]string{"ROLE"})
	require.NoError(r.t, err)
	for role := range v.All() {
		return role.String()
	}
	return ""
}

// promote makes the replica of a third its primary.
func (r *clusterRun) promote(third int, option ...string) {
	r.Promote(r.t, r.replica[third], option...)
	r.promoted(third)
}

// promoted notes that a primary and its replica have changed roles.
func (r *clusterRun) promoted(third int) {
	r.primary[third], r.replica[third] = r.replica[third], r.primary[third]
}

// do sends a command to a node.
func (r *clusterRun) do(node int, args ...string) string {
	client := r.Nodes[node].Dial(r.t)
	defer client.Conn.Close()
	return client.Do(args...).String()
}

// claimEverywhere makes a node claim a slot until every node says that it has it.
func (r *clusterRun) claimEverywhere(slot, node int) {
	r.t.Helper()
	_, port, _ := net.SplitHostPort(r.Nodes[node].Addr)
	for i := range r.Nodes {
		c := &loadConn{addr: r.Nodes[i].Addr}
		untilTrue(r.t, "the slot's owner", func() bool {
			r.Claim(r.t, slot, node)
			v, err := c.do([]string{"CLUSTER", "SLOTS"})
			if err != nil {
				return false
			}
			for entry := range v.All() {
				var fields []string
				for field := range entry.All() {
					fields = append(fields, field.String())
				}
				first, _ := strconv.Atoi(fields[0])
				last, _ := strconv.Atoi(fields[1])
				if first <= slot && slot <= last {
					return strings.Contains(fields[2], " "+port+" ")
				}
			}
			return false
		})
		c.close()
	}
}

// take gives a slot to another primary without a word to the one that has it,
// and its keys are lost.
func (r *clusterRun) take(slot, from, to int) {
	r.t.Helper()
	r.o.lose(slot, func() {
		r.do(from, "CLUSTER", "DELSLOTS", strconv.Itoa(slot))
		redistest.WaitEpoch(r.t, r.Nodes[to], r.Nodes[from])
		r.claimEverywhere(slot, to)
	})
}

// cutOff lets the other nodes not reach the primary of a third any more, while the
// load still does, and waits until the load has written to the one that takes its
// place.
func (r *clusterRun) cutOff(third int) {
	r.t.Helper()
	old := r.primary[third]
	cut := cutOff{addr: r.Nodes[old].Addr}
	r.s.cut.Store(&cut)
	r.CutOff(r.t, old, r.replica[third])
	r.promoted(third)
	require.True(r.t, strings.HasPrefix(r.do(old, "ROLE"), `["master"`), "the old one knows")
	r.o.awaitAcks()
	r.Join(r.t, old)
	r.Claim(r.t, moved, r.primary[third])
	r.s.cut.Store(&cutOff{cut.addr, time.Now()})
}

// addNode runs a new node that has one slot for a while, and is forgotten then.
func (r *clusterRun) addNode(slot int) {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(r.t, err)
	_, bus, _ := net.SplitHostPort(l.Addr().String())
	require.NoError(r.t, l.Close())
	node := redistest.Start(r.t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-announce-ip", "127.0.0.1", "--cluster-node-timeout", "1000",
		"--cluster-allow-replica-migration", "no")
	client := node.Dial(r.t)
	id := client.Do("CLUSTER", "MYID").String()
	_, port, _ := net.SplitHostPort(node.Addr)
	r.do(0, "CLUSTER", "MEET", "127.0.0.1", port, bus)
	for i := range r.Nodes {
		untilTrue(r.t, "the new node to be known", func() bool {
			for line := range strings.Lines(r.do(i, "CLUSTER", "NODES")) {
				if strings.HasPrefix(line, id) {
					return !strings.Contains(line, "handshake")
				}
			}
			return false
		})
	}
	untilTrue(r.t, "the new node to be ready", func() bool {
		return strings.Contains(client.Do("CLUSTER", "INFO").String(), "cluster_state:ok") &&
			strings.Count(client.Do("CLUSTER", "NODES").String(), "connected") == len(r.Nodes)+1
	})
	owner := r.primary[0]
	redistest.MoveSlot(r.t, slot, r.Nodes[owner], node)
	r.o.awaitCovered()
	untilTrue(r.t, "a Feed of the new node", func() bool { f := r.o.c.Feeds()[node.Addr]; return f != nil && f.Coverage().Armed })
	redistest.MoveSlot(r.t, slot, node, r.Nodes[owner])
	r.o.awaitCovered()
	untilTrue(r.t, "the Feed of the new node to end", func() bool { return r.o.c.Feeds()[node.Addr] == nil })
	for i := range r.Nodes {
		r.do(i, "CLUSTER", "FORGET", id)
	}
	node.Kill()
}

const (
	moved = 3300 // the slot of {b}, in the first third
	taken = 7365 // the slot of {c}, in the second third
)

func TestClusterFeedServesNothingStale(t *testing.T) {
	serveNothingStale(t, func(t *testing.T, eager bool) (round func(), o *oracle) {
		r := startClusterRun(t, eager)
		return r.round, r.o
	})
}

// roundsAtOnce is how many rounds of faults an oracle watches before it checks
// what it has seen. A soak then begins anew.
const roundsAtOnce = 8

// serveNothingStale runs rounds of faults once, or for as long as a soak takes, with
// a cache that compares coverages and with one that is flushed.
func serveNothingStale(t *testing.T, start func(t *testing.T, eager bool) (round func(), o *oracle)) {
	t.Cleanup(func() { // when both have ended
		untilTrue(t, "E: no goroutine is left", func() bool { return !strings.Contains(stacks(), "respush/feed.(*") })
	})
	for _, eager := range []bool{false, true} {
		t.Run(fmt.Sprintf("eager=%t", eager), func(t *testing.T) {
			t.Parallel()
			end := time.Now().Add(soak.For(t))
			for first := true; first || time.Now().Before(end) && !t.Failed(); first = false {
				t.Run("", func(t *testing.T) {
					round, o := start(t, eager)
					for n := 1; ; n++ {
						round()
						if n == roundsAtOnce || !time.Now().Before(end) {
							break
						}
					}
					o.finish()
				})
			}
		})
	}
}

// round is one of each fault.
func (r *clusterRun) round() {
	r.fault("CLUSTER FAILOVER", func() { r.promote(0) })
	r.fault("CLUSTER FAILOVER FORCE", func() { r.promote(0, "FORCE") })
	r.fault("a slot migrates", func() { r.Migrate(r.t, moved, r.primary[0], r.primary[1]) })
	r.fault("it comes back", func() { r.Migrate(r.t, moved, r.primary[1], r.primary[0]) })
	before := r.o.c.CoverageOfSlot(moved)
	r.fault("out and back between two looks", func() {
		r.gate.holdUp(func() {
			r.Migrate(r.t, moved, r.primary[0], r.primary[1])
			r.Migrate(r.t, moved, r.primary[1], r.primary[0])
		})
		untilTrue(r.t, "a gap", func() bool { return !r.o.c.CoverageOfSlot(moved).Continues(before) })
	})
	r.fault("a slot is taken with its keys", func() { r.take(taken, r.primary[1], r.primary[2]) })
	r.fault("it is taken back", func() { r.take(taken, r.primary[2], r.primary[1]) })
	r.fault("a node is added and forgotten", func() { r.addNode(moved) })
	r.fault("SIGSTOP and SIGCONT", func() {
		node := r.primary[1]
		r.Nodes[node].Stop(r.t)
		r.waitMaster(r.replica[1], node)
		r.promoted(1)
		r.Nodes[node].Cont(r.t)
	})
	r.fault("SIGKILL", func() {
		node := r.primary[2]
		r.Nodes[node].Kill()
		r.waitMaster(r.replica[2], node)
		r.promoted(2)
	})
	r.fault("restart as a replica", func() {
		r.Nodes[r.replica[2]].Restart(r.t)
		r.Nodes[r.replica[2]].WaitReady(r.t)
	})
	r.WaitReady(r.t)
	r.SetNodeTimeout(r.t, time.Second)
	r.fault("an old primary is cut off", func() { r.cutOff(0) })
	r.WaitReady(r.t)
	r.SetNodeTimeout(r.t, time.Second)
}

// waitMaster waits until every node but one that does not answer knows node as a
// master.
func (r *clusterRun) waitMaster(node, except int) {
	r.t.Helper()
	for i := range r.Nodes {
		if i == except || !r.Nodes[i].Running() {
			continue
		}
		c := &loadConn{addr: r.Nodes[i].Addr}
		untilTrue(r.t, "a promotion", func() bool {
			v, err := c.do([]string{"CLUSTER", "NODES"})
			for line := range strings.Lines(v.String()) {
				if strings.HasPrefix(line, r.ID(node)) {
					return err == nil && strings.Contains(line, "master ")
				}
			}
			return false
		})
		c.close()
	}
}
