package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// The test moves one channel to another node, and then fails over the master
// that has other channels.
func TestProgramFollowsAMoveAndAFailover(t *testing.T) {
	c := redistest.StartCluster(t)
	var stdout output
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, []string{"redis://" + c.Nodes[0].Addr}, &stdout) }()
	for i := range channels {
		stdout.await(t, name(i)+": message ", 1)
	}

	slots := map[int]int{} // slots of the channels that the first master has
	for i := range channels {
		if slot := slot(t, c, name(i)); slot < 16384/3 {
			slots[i] = slot
		}
	}
	require.Greater(t, len(slots), 1)
	for i, slot := range slots {
		c.Migrate(t, slot, 0, 1)
		stdout.await(t, name(i)+": unsubscribed by the server", 1)
		stdout.await(t, name(i)+": message ", 2)
		delete(slots, i)
		break
	}
	c.Failover(t)
	for i := range slots {
		stdout.await(t, name(i)+": unsubscribed by the server", 1)
		stdout.await(t, name(i)+": message ", 2)
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Equal(t, channels, strings.Count(stdout.String(), " messages\n"))
	for _, node := range c.Nodes[1:] { // the last is a master now
		require.Regexp(t, node.Addr+`: \d+ invalidations\n`, stdout.String())
		require.Equal(t, "0", node.Dial(t).Do("DBSIZE").String(), "nothing is left behind")
	}
}

func TestProgramWithoutAServerSaysSo(t *testing.T) {
	require.ErrorIs(t, run(t.Context(), nil, nil), program.ErrNoServer)
}

func TestProgramEndsWhenThereAreNoSlots(t *testing.T) {
	server := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t))
	var stdout bytes.Buffer
	require.ErrorIs(t, run(t.Context(), []string{"redis://" + server.Addr}, &stdout), errNoSlots)
	require.Empty(t, stdout.String())
}

func TestProgramEndsWhenTheServerIsNoCluster(t *testing.T) {
	server := redistest.Start(t)
	require.ErrorContains(t, run(t.Context(), []string{"redis://" + server.Addr}, new(bytes.Buffer)), "cluster support disabled")
}

func TestProgramEndsWhenInterrupted(t *testing.T) {
	server := redistest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, []string{"redis://" + server.Addr}, new(bytes.Buffer)), context.Canceled)
}

// freePort returns a port that nothing listened on a moment ago. The default
// cluster port is 10,000 above the other port and may be out of range.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

func slot(t *testing.T, c *redistest.Cluster, key string) int {
	t.Helper()
	n, err := strconv.Atoi(c.Nodes[0].Dial(t).Do("CLUSTER", "KEYSLOT", key).String())
	require.NoError(t, err)
	return n
}

// output holds what a program prints while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// await waits until text has been printed n times.
func (o *output) await(t *testing.T, text string, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Count(o.String(), text) >= n }, time.Minute, 5*time.Millisecond,
		fmt.Sprintf("want %d of %q", n, text))
}
