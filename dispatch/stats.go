package dispatch

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"

	"github.com/seed79615202/respush/internal/livevar"
	"github.com/seed79615202/respush/parser"
)

// Stats holds the counts of a [Processor] since it was made.
type Stats struct {
	Pushes    uint64 // pushes taken or given to Dispatch, including nested ones
	Bytes     uint64 // wire size of Pushes; a push nested in a push counts twice
	Unhandled uint64 // pushes among Pushes without a handler or fallback
	Errors    uint64 // errors that handlers returned or ReportError received
	Panics    uint64 // panics of handlers and of the error handler
	Oversize  uint64 // pushes dropped for their size; not among Pushes
	Nested    uint64 // pushes among Pushes that were nested in another frame
}

// tally holds a count for each field of Stats, in the same order.
type tally [7]uint64

// The indices of a tally.
const (
	pushes = iota
	bytesTaken
	unhandled
	errs
	panics
	oversize
	nested
)

// stripes is the number of copies of the counters, a power of two. Calls that
// end at the same time on different cores are likely to use different copies.
const stripes = 8

// counters holds the running totals. A call counts in a tally of its own, which
// it adds when it ends or is about to wait. So a push does not write to shared
// memory.
type counters struct {
	stripe [stripes]struct {
		n [len(tally{})]atomic.Uint64
		_ [64 + 8]byte // pads to two cache lines, which are fetched in pairs
	}
}

// any returns one of the copies.
func (c *counters) any() *[len(tally{})]atomic.Uint64 {
	return &c.stripe[rand.Uint32()%stripes].n
}

// count counts a push in one of the copies, and returns that.
func (c *counters) count(push parser.Frame) *[len(tally{})]atomic.Uint64 {
	n := c.any()
	n[pushes].Add(1)
	n[bytesTaken].Add(uint64(len(push.Raw())))
	return n
}

// stripe is the index of a copy of the counters, plus stripes. It is 0 before
// it has been chosen.
type stripe uint32

// add moves the counts of t to the totals, in the stripe that s says. If none
// has been chosen, add chooses one. That takes as long as an atomic addition, so
// a call keeps its stripe (BenchmarkPushAlone/then=push).
func (c *counters) add(t *tally, s *stripe) {
	if *s == 0 {
		*s = stripes + stripe(rand.Uint32()%stripes)
	}
	n := &c.stripe[*s%stripes].n
	for i, count := range t {
		if count != 0 {
			n[i].Add(count)
		}
	}
	*t = tally{}
}

// Stats returns the counts so far. A call that is under way adds its counts
// when it ends and before it waits for the connection.
func (p *Processor) Stats() Stats {
	var t tally
	for i := range p.counters.stripe {
		for j := range t {
			t[j] += p.counters.stripe[i].n[j].Load()
		}
	}
	return Stats{
		Pushes: t[pushes], Bytes: t[bytesTaken], Unhandled: t[unhandled], Errors: t[errs],
		Panics: t[panics], Oversize: t[oversize], Nested: t[nested],
	}
}

// Var returns an expvar.Var whose String method returns the current [Stats] as
// a JSON object:
//
//	expvar.Publish("pushes", p.Var())
//
// This package does not import expvar itself, because expvar imports an HTTP
// server.
func (p *Processor) Var() fmt.Stringer { return livevar.Func(func() any { return p.Stats() }) }

// Var returns an expvar.Var whose String method returns the current
// [QueueStats] as a JSON object.
func (q *Queue) Var() fmt.Stringer { return livevar.Func(func() any { return q.Stats() }) }
