package feed_test

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/allocs"
)

// keep ends a load and reports whether its value was stored, which has to be
// what Keep reports.
func keep(t *testing.T, l feed.Load) bool {
	t.Helper()
	stored := false
	kept := l.Keep(func() { stored = true })
	require.Equal(t, kept, stored)
	return kept
}

func TestKeepTellsWhatHappenedSinceBegin(t *testing.T) {
	var g feed.Guard
	for _, tt := range []struct {
		name string
		then func()
		kept bool
	}{
		{"nothing", func() {}, true},
		{"its key", func() { g.Invalidate([]byte("k")) }, false},
		{"its key twice", func() { g.Invalidate([]byte("k")); g.Invalidate([]byte("k")) }, false},
		{"another key", func() { g.Invalidate([]byte("other")) }, true},
		{"all other keys of its shard", func() {
			for i := range 1000 {
				g.Invalidate(strconv.AppendInt(nil, int64(i), 10))
			}
		}, true},
		{"a flush", func() { g.Flush() }, false},
		{"the end of another load", func() { g.Begin("k").Abandon() }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			load := g.Begin("k")
			tt.then()
			require.Equal(t, tt.kept, keep(t, load))
			require.Zero(t, g.Loading())
			require.True(t, keep(t, g.Begin("k"))) // what is over concerns no later load
		})
	}
}

func TestEachLoadOfAKeyIsTold(t *testing.T) {
	var g feed.Guard
	var before, after []feed.Load
	for range 10 {
		before = append(before, g.Begin("k"))
	}
	other := g.Begin("other")
	g.Invalidate([]byte("k"))
	for range 10 {
		after = append(after, g.Begin("k"))
	}
	require.Equal(t, 21, g.Loading())
	for i := range before { // in turns, so that they leave their chain from everywhere
		require.False(t, keep(t, before[(i*7+3)%10]))
		require.True(t, keep(t, after[(i*3+5)%10]))
	}
	require.True(t, keep(t, other))
	require.Zero(t, g.Loading())
}

func TestALoadEndsOnce(t *testing.T) {
	var g feed.Guard
	require.False(t, keep(t, feed.Load{}))
	feed.Load{}.Abandon()

	kept, abandoned := g.Begin("k"), g.Begin("k")
	require.True(t, keep(t, kept))
	abandoned.Abandon()
	later := []feed.Load{g.Begin("k"), g.Begin("k")} // in the memory of the first two
	kept.Abandon()
	abandoned.Abandon()
	require.False(t, keep(t, kept))
	require.False(t, keep(t, abandoned))
	require.Equal(t, 2, g.Loading())
	require.True(t, keep(t, later[0]))
	require.True(t, keep(t, later[1]))

	load := g.Begin("k")
	require.True(t, load.Keep(func() {
		require.False(t, keep(t, load))
		load.Abandon()
		require.Equal(t, 1, g.Loading())
	}))
	require.Zero(t, g.Loading())
}

func TestStoreMayUseTheGuardForOtherLoads(t *testing.T) {
	var g feed.Guard
	outer := g.Begin("k")
	require.True(t, outer.Keep(func() {
		for i := range 1000 { // every shard
			key := strconv.Itoa(i)
			load := g.Begin(key)
			g.Invalidate([]byte(key))
			require.False(t, keep(t, load))
		}
		require.True(t, keep(t, g.Begin("k")))
	}))
}

// The test has a store that lasts, and an invalidation and a flush that meet it.
// Loads that begin when these have come are of no concern to them.
func TestStoreIsNotOvertaken(t *testing.T) {
	for name, invalidate := range map[string]func(*feed.Guard){
		"Invalidate": func(g *feed.Guard) { g.Invalidate([]byte("k")) },
		"Flush":      func(g *feed.Guard) { g.Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			var g feed.Guard
			handled, release := make(chan struct{}), make(chan struct{})
			first, second, third := g.Begin("k"), g.Begin("k"), feed.Load{}
			kept := make(chan bool)
			require.True(t, first.Keep(func() {
				go func() {
					invalidate(&g)
					close(handled)
				}()
				for !second.Stale() {
					runtime.Gosched()
				}
				for range 1000 { // it has come, and does not return
					runtime.Gosched()
					select {
					case <-handled:
						require.Fail(t, "an invalidation has overtaken a store")
					default:
					}
				}
				g.Invalidate([]byte("another key is not held up"))
				third = g.Begin("k")
				storing := make(chan struct{})
				go func() {
					kept <- third.Keep(func() {
						close(storing)
						<-release
					})
				}()
				<-storing
			}))
			<-handled // while the third is being stored
			require.False(t, keep(t, second))
			close(release)
			require.True(t, <-kept)
			require.Zero(t, g.Loading())
		})
	}
}

func TestAStoreThatPanicsEndsItsLoad(t *testing.T) {
	var g feed.Guard
	require.PanicsWithValue(t, "no memory", func() { g.Begin("k").Keep(func() { panic("no memory") }) })
	require.Zero(t, g.Loading())
	g.Invalidate([]byte("k"))
	g.Flush()
	require.True(t, keep(t, g.Begin("k")))
}

func TestAGuardForgetsABurst(t *testing.T) {
	var g feed.Guard
	loads := make([]feed.Load, feed.GuardShards*feed.BigShard*2)
	for i := range loads {
		loads[i] = g.Begin(strconv.Itoa(i))
	}
	require.Equal(t, len(loads), g.Loading())
	kept := 0
	for _, load := range loads {
		load.Keep(func() { kept++ })
	}
	require.Equal(t, len(loads), kept)
	require.Zero(t, g.Loading())
	spare, maps := g.Remembers()
	require.LessOrEqual(t, spare, feed.GuardShards*feed.FreeLoads)
	require.Zero(t, maps)
}

func TestGuardDoesNotAllocate(t *testing.T) {
	var g feed.Guard
	keys := make([]string, 1000)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	key, stored := []byte("k"), 0
	store := func() { stored++ }
	for name, body := range map[string]func(){
		"a load": func() {
			for _, key := range keys {
				g.Begin(key).Keep(store)
			}
		},
		"an invalidation": func() { g.Invalidate(key) },
		"an invalidation of a key that is loaded": func() {
			first, second := g.Begin("k"), g.Begin("k")
			g.Invalidate(key)
			g.Flush()
			first.Keep(store)
			second.Abandon()
		},
	} {
		body() // makes the maps
		require.Zero(t, allocs.PerRun(100, body), name)
	}
	require.NotZero(t, stored)
}
