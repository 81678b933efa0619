package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// slotOf has the slots of the tags that channels begin with. In a new cluster
// the first node has {b} and {f}, the second has {c}.
var slotOf = map[string]int{"{b}": 3300, "{f}": 3168, "{c}": 7365}

func TestClusterMessagesArriveWhileASlotMoves(t *testing.T) {
	t.Parallel()
	b := startBroadcast(t)
	b.cluster.Migrate(t, slotOf["{b}"], 0, 1)
	b.finish(t, map[string]change{"{b}": unsubscribed})
	require.Empty(t, b.publisher.errs)
}

func TestClusterMessagesArriveAcrossAFailover(t *testing.T) {
	t.Parallel()
	b := startBroadcast(t)
	b.cluster.Failover(t)
	b.finish(t, map[string]change{"{b}": unsubscribed, "{f}": unsubscribed})
	require.Empty(t, b.publisher.errs)
}

// The test has no message under way when the node ends: go-redis would send it
// again, to the next master, and the subscriber might have had it.
func TestClusterMessagesArriveAfterACrash(t *testing.T) {
	t.Parallel()
	b := startBroadcast(t)
	b.publisher.between(func() { b.cluster.Crash(t) })
	b.cluster.WaitPromoted(t)
	b.finish(t, map[string]change{"{b}": disconnected, "{f}": disconnected})
	for _, err := range b.publisher.errs {
		var refusal redis.Error // by a node that knows of the crash
		require.True(t, lost(err) || errors.As(err, &refusal), err)
	}
}

// The test has one processor handle the invalidations of all nodes.
func TestClusterNodesShareOneProcessor(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t)
	var ws wires
	client := newClusterClient(t, c.Addrs(), ws.dial, newProcessor(t, dispatch.WithFallback(dispatch.HandlerFunc(tell))), func(o *redis.ClusterOptions) {
		o.PoolSize = 1
		o.OnConnect = func(ctx context.Context, conn *redis.Conn) error { return conn.Process(ctx, command(ctx, setUp)) }
	})
	writer := newClusterClient(t, c.Addrs(), nil, newProcessor(t))
	tags := []string{"{a}", "{b}", "{c}"} // of the three masters
	get := func(key, want string) {
		value, err := client.Get(t.Context(), key).Result()
		require.NoError(t, err)
		require.Equal(t, want, value)
	}
	for _, tag := range tags {
		require.NoError(t, writer.Set(t.Context(), tag, "x", 0).Err())
		get(tag, "x") // there is a connection now that has tracking on
	}
	var keys []string
	for i := range 200 {
		for _, tag := range tags {
			key := fmt.Sprintf("k:%s%d", tag, i)
			keys = append(keys, key)
			require.NoError(t, writer.Set(t.Context(), key, i, 0).Err())
			get(key, strconv.Itoa(i)) // the push stands before the reply
		}
	}
	var told []string
	replica := c.Nodes[len(c.Nodes)-1].Addr
	for _, w := range ws.list() {
		eventuallyEqual(t, func() (came, told []string) { return w.pushes(t), w.told.all() })
		if w.RemoteAddr().String() != replica { // go-redis may have asked it for the slots; it sends what its master does
			told = append(told, w.told.all()...)
		}
	}
	var want []string
	for _, key := range keys {
		want = append(want, fmt.Sprintf(`["invalidate" [%q]]`, key))
	}
	require.ElementsMatch(t, want, told)
}

// change is what happens to the subscription to a channel.
type change int

const (
	none         change = iota
	unsubscribed        // the server sends a sunsubscribe that nobody asked for
	disconnected        // the connection ends
)

// A broadcast is a cluster with a publisher and with subscribers of every kind,
// each of which follows three channels of its own: two on the first node, one
// on the second.
type broadcast struct {
	cluster     *redistest.Cluster
	publisher   *publisher
	subscribers map[string]subscriber
	stop        func() // ends the publisher
}

// startBroadcast returns when each channel has had some messages.
func startBroadcast(t *testing.T) *broadcast {
	t.Helper()
	c := redistest.StartCluster(t)
	probe := c.Nodes[0].Dial(t)
	for tag, slot := range slotOf {
		require.Equal(t, strconv.Itoa(slot), probe.Do("CLUSTER", "KEYSLOT", tag).String())
	}
	b := &broadcast{
		cluster:   c,
		publisher: &publisher{client: newClusterClient(t, c.Addrs(), nil, newProcessor(t)), sent: map[string][]int64{}},
		subscribers: map[string]subscriber{
			"own":      newOwnSubscriber(t, c.Addrs()),
			"go-redis": newGoRedisSubscriber(t, c.Addrs()),
			"tapped":   newTappedSubscriber(t, c.Addrs()),
		},
	}
	var following, publishing sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		publishing.Wait()
		following.Wait()
	})
	for kind, s := range b.subscribers {
		s.follow(ctx, &following, "{b}"+kind, "{f}"+kind)
		s.follow(ctx, &following, "{c}"+kind)
		b.publisher.channels = append(b.publisher.channels, "{b}"+kind, "{f}"+kind, "{c}"+kind)
	}
	ctx, stop := context.WithCancel(ctx)
	spawn(&publishing, func() { b.publisher.run(ctx) })
	b.stop = func() {
		stop()
		publishing.Wait()
	}
	b.each(func(s subscriber, channel string) { awaitMessages(t, s, channel) })
	return b
}

// finish waits until every subscriber has gone through what it has to, and has
// had further messages after that. Then it stops the publisher and checks what
// each has been given.
func (b *broadcast) finish(t *testing.T, changes map[string]change) {
	t.Helper()
	b.each(func(s subscriber, channel string) {
		if changes[tagOf(channel)] != none {
			eventually(t, "a new subscription to "+channel, func() bool { return count(told(s, channel), "ssubscribe") > 1 })
		}
		awaitMessages(t, s, channel)
	})
	b.stop()
	b.each(func(s subscriber, channel string) {
		eventually(t, "the last messages of "+channel, func() bool { return b.publisher.complete(channel, told(s, channel)) })
		for _, j := range s.journals() {
			eventuallyEqual(t, func() (came, told []string) {
				return about(s.connections().pushes(t), channel), about(j.all(), channel)
			})
			lines := about(j.all(), channel)
			b.publisher.check(t, channel, lines)
			switch changes[tagOf(channel)] {
			case none:
				require.Equal(t, 1, count(lines, "ssubscribe"), channel)
				require.Equal(t, 0, count(lines, "sunsubscribe"), channel)
			case unsubscribed:
				require.Equal(t, 1, count(lines, "sunsubscribe"), channel)
			case disconnected:
				require.Equal(t, 0, count(lines, "sunsubscribe"), channel)
			}
		}
	})
}

// each calls f for each subscriber and channel.
func (b *broadcast) each(f func(s subscriber, channel string)) {
	for kind, s := range b.subscribers {
		for tag := range slotOf {
			f(s, tag+kind)
		}
	}
}

// awaitMessages waits until the subscriber has had some more messages of a
// channel.
func awaitMessages(t *testing.T, s subscriber, channel string) {
	t.Helper()
	before := count(told(s, channel), "smessage")
	eventually(t, "messages of "+channel, func() bool { return count(told(s, channel), "smessage") >= before+20 })
}

// told returns what a subscriber has been given about a channel.
func told(s subscriber, channel string) []string {
	return about(s.journals()[0].all(), channel)
}

// tagOf returns the tag that a channel begins with.
func tagOf(channel string) string { return channel[:len("{b}")] }
