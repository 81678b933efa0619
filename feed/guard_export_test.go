package feed

// Stale reports whether a load that is under way would not be kept.
func (l Load) Stale() bool {
	l.entry.shard.mu.Lock()
	defer l.entry.shard.mu.Unlock()
	return l.entry.seq == l.seq && l.entry.state == loadStale
}

// Remembers returns how many ended loads g has kept for reuse, and for how many
// shards it has a map.
func (g *Guard) Remembers() (spare, maps int) {
	for i := range g.shards {
		s := &g.shards[i]
		s.mu.Lock()
		spare += int(s.spare)
		if s.loads != nil {
			maps++
		}
		s.mu.Unlock()
	}
	return spare, maps
}

// The sizes of a Guard, for tests.
const (
	GuardShards = guardShards
	FreeLoads   = freeLoads
	BigShard    = bigShard
)
