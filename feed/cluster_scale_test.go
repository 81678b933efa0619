package feed_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/respserver"
)

// TestAFaultFlushesItsShare has a near cache of a million keys on three nodes. A
// lost node costs the keys of its slots, and a slot that moves those of the slot.
func TestAFaultFlushesItsShare(t *testing.T) {
	keys := 1_000_000
	if race.Enabled {
		keys = 100_000
	}
	one, two, three := respserver.Start(t), respserver.Start(t), respserver.Start(t)
	topology := &script{looks: make(chan struct{}, 1)}
	topology.set(nil, node(one.Addr, 1, 0, 5460), node(two.Addr, 2, 5461, 10922), node(three.Addr, 3, 10923, 16383))

	// The cache has the keys of each slot together, as a flush by slots needs.
	bySlot := make([]map[string]struct{}, feed.SlotCount)
	covers := make(map[string]feed.Coverage, keys)
	var mu sync.Mutex
	c := &feed.Cluster{Topology: topology, Probe: often}
	w := watchCluster(c)
	var flushed int
	c.OnFlush = func(_ context.Context, s feed.Slots) {
		mu.Lock()
		defer mu.Unlock()
		for slot := range s.All {
			flushed += len(bySlot[slot])
			bySlot[slot] = nil
		}
	}
	w.run(t)
	w.awaitArmed(t, feed.SlotCount, false)
	for i := range keys {
		key := "user:" + strconv.Itoa(i)
		slot := feed.Slot(key)
		if bySlot[slot] == nil {
			bySlot[slot] = make(map[string]struct{})
		}
		bySlot[slot][key] = struct{}{}
		covers[key] = c.CoverageOf(key)
	}
	stale := func() (n int) {
		for key, cover := range covers {
			if !c.CoverageOf(key).Continues(cover) {
				n++
			}
		}
		return n
	}
	require.Zero(t, stale())

	moved := len(bySlot[5460])
	topology.set(nil, node(one.Addr, 1, 0, 5459), node(two.Addr, 4, 5460, 10922), node(three.Addr, 3, 10923, 16383))
	w.Refresh()
	require.Equal(t, "5460", await(t, w.gaps).Slots.String())
	w.awaitArmed(t, feed.SlotCount, false)
	mu.Lock()
	require.Equal(t, moved, flushed)
	flushed = 0
	mu.Unlock()
	require.Equal(t, moved, stale())

	three.CloseAll()
	begun := time.Now()
	require.Equal(t, 5461, await(t, w.gaps).Slots.Len())
	took := time.Since(begun)
	w.awaitArmed(t, feed.SlotCount, false)
	mu.Lock()
	defer mu.Unlock()
	require.InDelta(t, keys/3, flushed, float64(keys)/100)
	require.InDelta(t, keys/3+moved, stale(), float64(keys)/100)
	t.Logf("of %d keys a slot that moved flushed %d, a lost node %d, within %v", keys, moved, flushed, took.Round(time.Millisecond))
}

// TestAClusterOfAHundred has 100 primaries, of which ten are lost at once.
func TestAClusterOfAHundred(t *testing.T) {
	const (
		primaries = 100
		lost      = 10
	)
	servers := make([]*respserver.Server, primaries)
	nodes := make([]feed.Node, primaries)
	for i := range servers {
		servers[i] = respserver.Start(t)
		nodes[i] = node(servers[i].Addr, uint64(i)+1, i*feed.SlotCount/primaries, (i+1)*feed.SlotCount/primaries-1)
	}
	topology := &script{looks: make(chan struct{}, 1)}
	topology.set(nil, nodes...)
	w := watchCluster(&feed.Cluster{Topology: topology})
	p := dispatch.NewProcessor()
	patient := feed.Probe{Within: time.Minute} // a set-up that a busy machine delays is not made twice
	w.New = func(feed.Node) *feed.Feed {
		return &feed.Feed{Tracking: &feed.Tracking{}, Processor: p, Probe: patient}
	}
	goroutines, memory := runtime.NumGoroutine(), inUse()
	begun := time.Now()
	w.run(t)
	w.awaitArmed(t, feed.SlotCount, false)
	armed := time.Since(begun)
	ours := runtime.NumGoroutine() - goroutines - primaries // each server has one for the connection
	used := inUse() - memory
	t.Logf("%d primaries armed after %v; %d goroutines, %d KiB, which includes that of the servers", primaries, armed.Round(time.Millisecond), ours, used>>10)
	require.LessOrEqual(t, ours, primaries+5)
	require.Less(t, armed, 10*time.Second)
	require.Less(t, used, int64(primaries)*32<<10+4<<20)
	w.drain()

	dials := 0
	for _, f := range w.Feeds() {
		dials += int(f.Stats().Dials)
	}
	require.Equal(t, primaries, dials)
	replacements := make([]*respserver.Server, lost)
	for i := range replacements {
		replacements[i] = respserver.Start(t)
	}
	begun = time.Now()
	for i := range lost {
		servers[i].Close()
	}
	slots := 0
	for range lost {
		slots += await(t, w.gaps).Slots.Len()
	}
	require.InDelta(t, feed.SlotCount*lost/primaries, slots, 1)
	noticed := time.Since(begun)
	for i := range lost {
		nodes[i].Addr, nodes[i].Epoch = replacements[i].Addr, uint64(primaries+1+i)
	}
	topology.set(nil, nodes...)
	promoted := time.Now()
	w.awaitArmed(t, feed.SlotCount, false)
	back := time.Since(promoted)
	after := 0
	for _, s := range servers[lost:] {
		after += s.Dials()
		require.Equal(t, 1, s.Dials(), "nobody else is dialled again")
	}
	for _, s := range replacements {
		require.Equal(t, 1, s.Dials())
	}
	t.Logf("%d lost: noticed after %v, %d slots flushed; armed %v after their promotion; %+v", lost, noticed.Round(time.Millisecond), slots, back.Round(time.Millisecond), w.Stats())
	require.Less(t, back, feed.DefaultEvery+feed.DefaultWithin)
	require.Equal(t, primaries, w.Stats().Nodes)
	require.Equal(t, primaries-lost, after)
}

// inUse returns the bytes of memory in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// BenchmarkCoverageOf is what each read of a near cache pays.
func BenchmarkCoverageOf(b *testing.B) {
	w, _, _, _ := startFleet(b, &feed.Cluster{Probe: feed.Probe{Every: time.Hour}})
	for _, key := range []string{"user:1000", "a longer key {of a tag} and more"} {
		b.Run(fmt.Sprintf("size=%d", len(key)), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !w.CoverageOf(key).Armed {
					b.Fatal("not armed")
				}
			}
		})
	}
}
