package feed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
)

// The slots are those that CLUSTER KEYSLOT of Redis 7.0.15 returns.
func TestSlot(t *testing.T) {
	for key, want := range map[string]int{
		"": 0, "123456789": 12739, "foo": 12182, "user1000": 3443, "{user1000}.following": 3443, "a{user1000}b{c}": 3443,
		"foo{}{bar}": 8363, "foo{{bar}}zap": 4015,
	} {
		require.Equal(t, want, feed.Slot(key), "%q", key)
	}
}

func TestSlotsAreASet(t *testing.T) {
	s := feed.Slots{{1, 3}, {5, 5}, {9, 16383}}
	require.Equal(t, "1-3 5 9-16383", s.String())
	require.Equal(t, 3+1+16375, s.Len())
	for slot, want := range map[int]bool{0: false, 1: true, 3: true, 4: false, 5: true, 6: false, 8: false, 9: true, 16383: true, 16384: false} {
		require.Equal(t, want, s.Contains(slot), slot)
	}
	require.True(t, s.ContainsKey("foo"))
	require.False(t, feed.Slots{}.ContainsKey("foo"))
	n := 0
	for slot := range s.All {
		require.True(t, s.Contains(slot))
		if n++; n == 5 {
			break
		}
	}
	require.Equal(t, feed.SlotCount, feed.AllSlots().Len())
}
