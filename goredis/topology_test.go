package goredis_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/internal/test/respserver"
)

// look asks a topology, for a second at most.
func look(t *testing.T, topology feed.Topology) ([]feed.Node, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return topology.Look(ctx)
}

// owner returns the node that has a slot.
func owner(t *testing.T, nodes []feed.Node, slot int) feed.Node {
	t.Helper()
	for _, n := range nodes {
		if n.Slots.Contains(slot) {
			return n
		}
	}
	require.FailNow(t, "nobody has the slot")
	return feed.Node{}
}

func TestClusterTopologyFindsThePrimaries(t *testing.T) {
	t.Parallel()
	c := redistest.StartReplicatedCluster(t)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()})
	defer client.Close()
	topology := goredis.ClusterTopology(client)
	nodes, err := look(t, topology)
	require.NoError(t, err)
	require.Len(t, nodes, 3)
	slots := 0
	for _, n := range nodes {
		slots += n.Slots.Len()
		require.NotZero(t, n.Epoch)
		require.NotEmpty(t, n.ID)
	}
	require.Equal(t, feed.SlotCount, slots)
	require.Equal(t, c.Nodes[0].Addr, owner(t, nodes, 0).Addr)

	c.Promote(t, 3)
	nodes, err = look(t, topology)
	require.NoError(t, err)
	require.Equal(t, c.Nodes[3].Addr, owner(t, nodes, 0).Addr)
	c.Migrate(t, 0, 3, 1)
	nodes, err = look(t, topology)
	require.NoError(t, err)
	require.Equal(t, c.Nodes[1].Addr, owner(t, nodes, 0).Addr)

	c.Nodes[1].Stop(t)
	for range 2 {
		nodes, err = look(t, topology)
		require.NoError(t, err, "a node that is silent")
		require.Equal(t, c.Nodes[1].Addr, owner(t, nodes, 0).Addr)
	}
	c.Nodes[2].Stop(t)
	_, err = look(t, topology)
	require.ErrorIs(t, err, feed.ErrFewAnswers)
	c.Nodes[1].Cont(t)
	c.Nodes[2].Cont(t)

	nobody := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, MaxRetries: -1})
	defer nobody.Close()
	_, err = look(t, goredis.ClusterTopology(nobody))
	require.Error(t, err)
}

func TestSentinelTopologyFindsThePrimary(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t)
	var sentinels []*redis.SentinelClient
	for _, addr := range s.Addrs() {
		client := redis.NewSentinelClient(&redis.Options{Addr: addr})
		defer client.Close()
		sentinels = append(sentinels, client)
	}
	topology := goredis.SentinelTopology(redistest.Name, sentinels...)
	nodes, err := look(t, topology)
	require.NoError(t, err)
	require.Equal(t, []feed.Node{{Addr: s.Nodes[0].Addr, Epoch: nodes[0].Epoch, Slots: feed.AllSlots()}}, nodes)

	fresh := s.Failover(t)
	after, err := look(t, topology)
	require.NoError(t, err)
	require.Equal(t, fresh.Addr, after[0].Addr)
	require.Greater(t, after[0].Epoch, nodes[0].Epoch)

	s.Sentinels[0].Stop(t)
	after, err = look(t, topology)
	require.NoError(t, err, "a sentinel that is silent")
	require.Equal(t, fresh.Addr, after[0].Addr)
	s.Sentinels[1].Stop(t)
	_, err = look(t, topology)
	require.ErrorIs(t, err, feed.ErrFewAnswers)
	s.Sentinels[0].Cont(t)
	s.Sentinels[1].Cont(t)

	_, err = look(t, goredis.SentinelTopology("another", sentinels...))
	require.ErrorIs(t, err, feed.ErrFewAnswers)
}

// sentinel is what a server that plays one says.
type sentinel struct {
	named, watched string // addresses
	epoch          int
	flags          string
}

func (s sentinel) play(t *testing.T, server *respserver.Server) {
	t.Helper()
	host, port, err := net.SplitHostPort(s.named)
	require.NoError(t, err)
	server.Handle("SENTINEL GET-MASTER-ADDR-BY-NAME", func(c *respserver.Conn, _ []string) {
		c.Write(respserver.Format([]string{host, port}))
	})
	host, watched, err := net.SplitHostPort(s.watched)
	require.NoError(t, err)
	server.Handle("SENTINEL MASTER", func(c *respserver.Conn, _ []string) {
		c.Write(respserver.Format([]string{"ip", host, "port", watched, "flags", s.flags, "config-epoch", strconv.Itoa(s.epoch)}))
	})
}

// TestSentinelTopologyDoubtsAPrimaryThatIsDown has sentinels that say so, while
// the one that may have promoted another is not heard.
func TestSentinelTopologyDoubtsAPrimaryThatIsDown(t *testing.T) {
	const old, fresh = "127.0.0.1:1", "127.0.0.1:2"
	sound := sentinel{old, old, 5, "master"}
	servers := make([]*respserver.Server, 3)
	clients := make([]*redis.SentinelClient, 3)
	for i := range servers {
		servers[i] = respserver.Start(t)
		sound.play(t, servers[i])
		clients[i] = redis.NewSentinelClient(&redis.Options{Addr: servers[i].Addr, MaxRetries: -1})
		defer clients[i].Close()
	}
	topology := goredis.SentinelTopology("main", clients...)
	nodes, err := look(t, topology)
	require.NoError(t, err)
	require.Equal(t, []feed.Node{{Addr: old, Epoch: 5, Slots: feed.AllSlots()}}, nodes)

	sentinel{old, old, 5, "s_down,master,disconnected"}.play(t, servers[1])
	_, err = look(t, topology)
	require.NoError(t, err, "one sentinel alone does not make a failover")
	sentinel{old, old, 5, "s_down,o_down,master,disconnected"}.play(t, servers[1])
	_, err = look(t, topology)
	require.ErrorContains(t, err, "the primary is down")

	sentinel{fresh, old, 6, "s_down,o_down,master,disconnected,failover_in_progress"}.play(t, servers[0])
	nodes, err = look(t, topology)
	require.NoError(t, err)
	require.Equal(t, []feed.Node{{Addr: fresh, Epoch: 6, Slots: feed.AllSlots()}}, nodes)
}

// A look whose context has no end does not wait for a sentinel that cannot be
// reached.
func TestALookDoesNotWaitForTheLast(t *testing.T) {
	released := make(chan struct{})
	defer close(released)
	unreachable := redis.NewSentinelClient(&redis.Options{MaxRetries: -1, Dialer: func(context.Context, string, string) (net.Conn, error) {
		<-released
		return nil, net.ErrClosed
	}})
	defer unreachable.Close()
	clients := []*redis.SentinelClient{unreachable}
	for range 2 {
		server := respserver.Start(t)
		sentinel{"127.0.0.1:1", "127.0.0.1:1", 5, "master"}.play(t, server)
		client := redis.NewSentinelClient(&redis.Options{Addr: server.Addr, MaxRetries: -1})
		defer client.Close()
		clients = append(clients, client)
	}
	looked := make(chan error, 1)
	go func() {
		_, err := goredis.SentinelTopology("main", clients...).Look(context.Background())
		looked <- err
	}()
	require.NoError(t, await(t, looked))
}
