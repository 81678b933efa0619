package feed

import (
	"fmt"
	"time"

	"github.com/seed79615202/respush/internal/livevar"
)

// Stats holds the counts of a [Feed] since it was made.
//
// Invariant: Gaps is the sum of the fields GapsStart to GapsOther.
type Stats struct {
	Arms          uint64        // times that the Feed was armed
	Gaps          uint64        // gaps
	GapsStart     uint64        // gaps that preceded the first arming of a Run
	GapsClosed    uint64        // gaps because the server closed the connection
	GapsNoAnswer  uint64        // gaps because a probe was not answered in time
	GapsQueueLate uint64        // gaps because a Queue was late
	GapsRole      uint64        // gaps because the role of the server changed
	GapsStream    uint64        // gaps because the stream was malformed or over a limit
	GapsOther     uint64        // gaps because of anything else, such as an error of the network
	Dials         uint64        // connections that were tried
	Failures      uint64        // connections that failed before they were armed
	Moves         uint64        // connections that replaced another without a gap
	Probes        uint64        // probes that were sent
	Answers       uint64        // probes that were answered
	NotArmed      time.Duration // time within Run in which the Feed was not armed; in JSON nanoseconds
}

// Stats returns the counts so far. They are of one moment.
func (f *Feed) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stats
	if g := f.current.Load(); f.running && g != nil && !g.armed {
		s.NotArmed += time.Since(g.since)
	}
	return s
}

// Var returns an expvar.Var whose String method returns the current [Stats] as a
// JSON object.
func (f *Feed) Var() fmt.Stringer { return livevar.Func(func() any { return f.Stats() }) }
