package tap

import "sync/atomic"

// Stats counts what a Conn has done since it was made. The Stats of the
// processor tell what the handlers did with the pushes.
type Stats struct {
	Pushes   uint64 // pushes given to the processor
	Nested   uint64 // those of them that were inside a reply; the processor does not know that
	Kept     uint64 // pushes left to the client by KeepPubSub
	Oversize uint64 // pushes dropped by SkipOversize
}

// counters is a Stats that is written while others read it.
type counters struct {
	pushes, nested, kept, oversize atomic.Uint64
}

// add moves the counts of s to the totals.
func (c *counters) add(s *Stats) {
	if *s == (Stats{}) {
		return
	}
	c.pushes.Add(s.Pushes)
	c.nested.Add(s.Nested)
	c.kept.Add(s.Kept)
	c.oversize.Add(s.Oversize)
	*s = Stats{}
}

// Stats returns the counts so far. A Read adds its counts before it waits for the
// connection, and when it returns. So a handler does not find its own push among
// them.
func (c *Conn) Stats() Stats {
	return Stats{
		Pushes:   c.counters.pushes.Load(),
		Nested:   c.counters.nested.Load(),
		Kept:     c.counters.kept.Load(),
		Oversize: c.counters.oversize.Load(),
	}
}
