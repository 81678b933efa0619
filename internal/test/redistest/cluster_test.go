package redistest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// The test moves slot 3300, which belongs to the hash tag b, through a cluster.
func TestClusterMovesASlotWithItsKeys(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	require.Len(t, c.Addrs(), 4)
	c.Nodes[0].Dial(t).Do("MSET", "{b}1", "x", "{b}2", "y")
	c.Migrate(t, 3300, 0, 1)
	require.Equal(t, `["x" "y"]`, c.Nodes[1].Dial(t).Do("MGET", "{b}1", "{b}2").String())
	c.Migrate(t, 3300, 1, 0)
	c.Failover(t)
	require.Equal(t, "2", c.Nodes[3].Dial(t).Do("DEL", "{b}1", "{b}2").String())
	c.WaitReady(t)
	require.Equal(t, "slave", c.Nodes[0].Dial(t).Do("ROLE").String()[2:7])
}

func TestClusterReplacesAMasterThatCrashes(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	c.Crash(t)
	c.WaitPromoted(t)
	require.Equal(t, "OK", c.Nodes[3].Dial(t).Do("SET", "{b}1", "x").String())
}

// The test causes each kind of failover that a replicated cluster can have.
func TestReplicatedClusterFailsOver(t *testing.T) {
	t.Parallel()
	c := redistest.StartReplicatedCluster(t)
	require.Len(t, c.Addrs(), 6)
	c.Nodes[0].Dial(t).Do("SET", "{b}1", "x")
	c.Promote(t, 3)
	require.Equal(t, "x", c.Nodes[3].Dial(t).Do("GET", "{b}1").String())
	c.Nodes[1].Kill()
	c.Promote(t, 4, "FORCE")
	c.Nodes[1].Restart(t)
	c.WaitReady(t) // the old master follows the new one
	c.SetNodeTimeout(t, time.Second)
	c.Nodes[2].Kill()
	c.WaitMaster(t, 5)
	require.Equal(t, c.ID(5), c.Nodes[5].Dial(t).Do("CLUSTER", "MYID").String())
}

func TestMasterThatIsCutOffIsReplacedAndKeepsItsClients(t *testing.T) {
	t.Parallel()
	c := redistest.StartDivisibleCluster(t)
	c.SetNodeTimeout(t, time.Second)
	old := c.Nodes[0].Dial(t)
	c.CutOff(t, 0, 3)
	require.Equal(t, "OK", old.Do("SET", "{b}1", "old").String())
	require.Equal(t, "OK", c.Nodes[3].Dial(t).Do("SET", "{b}1", "new").String())
	c.Join(t, 0)
	c.WaitReady(t)
}
