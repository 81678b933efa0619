package bufpool_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/internal/test/race"
)

func TestGetHasRoom(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 4096, 4097, 16 << 20, 16<<20 + 1} {
		b := bufpool.Get(n)
		require.Empty(t, b.B)
		require.GreaterOrEqual(t, cap(b.B), n)
		b.B = append(b.B, 1)
		bufpool.Put(b)
		require.Empty(t, bufpool.Get(n).B)
	}
}

func TestGrowKeepsTheContent(t *testing.T) {
	b := bufpool.Get(10)
	b.B = append(b.B, "content"...)
	require.Same(t, b, bufpool.Grow(b, 50))
	for n := 100; n < 1<<20; n *= 3 {
		was := cap(b.B)
		b = bufpool.Grow(b, n)
		require.Equal(t, "content", string(b.B))
		require.GreaterOrEqual(t, cap(b.B)-len(b.B), n)
		require.GreaterOrEqual(t, cap(b.B), was)
	}
}

func TestLargeBuffersAmongManySmallOnesAreKept(t *testing.T) {
	if race.Enabled {
		t.Skip("the pools drop at random")
	}
	use := func(n int) { bufpool.Put(bufpool.Get(n)) }
	cycle := func() {
		for range 100_000 { // bytebufferpool adapts after 42,000
			use(100)
		}
		use(1 << 20)
	}
	cycle()
	require.Less(t, testing.AllocsPerRun(3, cycle), 5.0) // what a garbage collection takes away
}
