package feed

import (
	"sync/atomic"
	"time"
)

// Coverage says what a Feed vouches for at one moment.
type Coverage struct {
	// Gen is the generation. It grows with each gap and never shrinks.
	Gen uint64
	// Armed reports whether the server reports every change to this Feed now.
	// While it is false, a near cache must not answer.
	Armed bool
	// AsOf is the moment up to which nothing is missing: every push that the
	// server had sent before it has been handled, behind the Feed's Queues as
	// well. AsOf never goes back within a generation. It is the zero Time when
	// the Feed is not armed.
	AsOf time.Time
}

// Continues reports whether coverage has been without a gap since begun, which
// is an earlier result of the same Feed. A value that was loaded after begun may
// be kept only if it has.
func (c Coverage) Continues(begun Coverage) bool {
	return c.Armed && begun.Armed && c.Gen == begun.Gen
}

// generation is what Coverage reads. Its gen and armed never change; asOf grows
// while the generation is armed.
type generation struct {
	gen   uint64
	armed bool
	begun int64        // the first asOf, which is after its connection was made
	asOf  atomic.Int64 // a moment, see now
	since time.Time    // when it began
}

// epoch is what moments are counted from. Its monotonic clock does not jump.
var epoch = time.Now()

// now returns the moment of the call, in nanoseconds since epoch.
func now() int64 { return int64(time.Since(epoch)) }

// Coverage returns the coverage of this moment. It does not lock, and it may be
// called at any time, also before Run and after it.
func (f *Feed) Coverage() Coverage {
	c, _ := f.coverage()
	return c
}

// coverage returns the coverage, and a moment after the connection was made with
// which its generation has begun.
func (f *Feed) coverage() (c Coverage, begun int64) {
	g := f.current.Load()
	if g == nil {
		return Coverage{}, 0
	}
	if !g.armed {
		return Coverage{Gen: g.gen}, 0
	}
	return Coverage{Gen: g.gen, Armed: true, AsOf: epoch.Add(time.Duration(g.asOf.Load()))}, g.begun
}

// CoverageOf returns [Feed.Coverage], as a Feed covers every key that it tracks.
// A Cluster has the same method.
func (f *Feed) CoverageOf(key string) Coverage { return f.Coverage() }

// advance moves asOf forward to a moment. The caller holds the Feed's mutex.
func (g *generation) advance(moment int64) {
	if moment > g.asOf.Load() {
		g.asOf.Store(moment)
	}
}

// replace begins a generation and returns it. The caller holds f.mu.
func (f *Feed) replace(gen uint64, armed bool, asOf int64) *generation {
	g := &generation{gen: gen, armed: armed, begun: asOf, since: time.Now()}
	g.asOf.Store(asOf)
	if old := f.current.Swap(g); old != nil && !old.armed && f.running {
		f.stats.NotArmed += g.since.Sub(old.since)
	}
	return g
}

// disarm begins the next generation, which is not armed, and returns it together
// with the moment up to which the old one was complete, or the zero Time. The
// caller holds f.mu.
func (f *Feed) disarm() (g *generation, since time.Time) {
	before := f.Coverage()
	return f.replace(before.Gen+1, false, 0), before.AsOf
}
