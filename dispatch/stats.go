package dispatch

import (
	"fmt"
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

// stripes is the number of copies of the counters, a power of two. Calls on
// different cores are likely to use different copies.
const stripes = 8

// counters holds the running totals. A call of many pushes counts in a tally of
// its own, which it adds when it ends or is about to wait. So a push among many
// does not write to shared memory, and one that comes alone does.
type counters struct {
	stripe [stripes]struct {
		n totals
		_ [64 + 8]byte // pads to two cache lines, which are fetched in pairs
	}
}

// totals are the sums of tallies.
type totals [len(tally{})]atomic.Uint64

// count counts a push.
func (t *totals) count(push parser.Frame) {
	t[pushes].Add(1)
	t[bytesTaken].Add(uint64(len(push.Raw())))
}

// of returns the copy for the Reader rd, or for a push of a connection that is not
// known, if rd is nil. Connections have theirs in turn, so that the memory tends to
// stay with one core. Among pushes the last letter of a key or payload says which,
// as a random number takes as long as the additions (BenchmarkPushAlone in goredis).
func (c *counters) of(rd *parser.Reader, push parser.Frame) *totals {
	var i uint32
	if rd != nil {
		i = rd.Driver().ID()
	} else if raw := push.Raw(); len(raw) > 2 {
		i = uint32(raw[len(raw)-3])
	}
	return &c.stripe[i%stripes].n
}

// add moves the counts of t to the totals, in the copy for rd.
func (c *counters) add(t *tally, rd *parser.Reader) {
	n := c.of(rd, parser.Frame{})
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
