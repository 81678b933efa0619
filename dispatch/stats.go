package dispatch

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
)

// Stats counts what a [Processor] has done since it was made.
type Stats struct {
	Pushes    uint64 // pushes taken or given to Dispatch, nested ones too
	Bytes     uint64 // their bytes on the wire; those of a push inside another twice
	Unhandled uint64 // those of them without a handler or fallback
	Errors    uint64 // errors that handlers returned, and those given to ReportError
	Panics    uint64 // panics of handlers and of the error handler
	Oversize  uint64 // pushes dropped for their size; not among Pushes
	Nested    uint64 // pushes that were inside another frame
}

// A tally has a count for each field of Stats.
type tally [7]uint64

// The places in a tally.
const (
	pushes = iota
	bytesTaken
	unhandled
	errs
	panics
	oversize
	nested
)

// stripes is how many copies of the counters there are, a power of two. Calls
// that end at the same time on different cores are likely to use different ones.
const stripes = 8

// counters holds the running totals. A call counts for itself and adds its sums
// when it ends or is about to wait, so no line of memory is written per push.
type counters struct {
	stripe [stripes]struct {
		n [len(tally{})]atomic.Uint64
		_ [64 + 8]byte // to two cache lines, as they are fetched in pairs
	}
}

// add adds t to the totals.
func (c *counters) add(t *tally) {
	n := &c.stripe[rand.Uint32()%stripes].n
	for i, count := range t {
		if count != 0 {
			n[i].Add(count)
		}
	}
}

// Stats returns the counts so far. A call that is under way adds its own when it
// ends, and before it waits for the connection.
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

// Var returns the processor's counters as an expvar.Var, live, as a JSON object:
//
//	expvar.Publish("pushes", p.Var())
//
// This package does not import expvar itself, since that brings a HTTP server
// along.
func (p *Processor) Var() fmt.Stringer { return liveVar(func() any { return p.Stats() }) }

// Var returns the queue's counters as an expvar.Var, as that of [Processor] does.
func (q *Queue) Var() fmt.Stringer { return liveVar(func() any { return q.Stats() }) }

// liveVar is a function whose result is looked at when it is asked for.
type liveVar func() any

// String returns the result as JSON.
func (v liveVar) String() string {
	b, _ := json.Marshal(v()) // structs of numbers do not fail
	return string(b)
}
