package feed_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// newest returns the newest version in events from before a moment, or 0.
func newest(events []event, before time.Time) int {
	i, _ := slices.BinarySearchFunc(events, before, func(e event, at time.Time) int { return e.at.Compare(at) })
	if i == 0 {
		return 0
	}
	return events[i-1].n
}

// finish ends the load, waits for quiet, and checks every invariant.
func (o *oracle) finish() {
	t := o.t
	t.Helper()
	close(o.stop)
	o.load.Wait()
	quiet := time.Now()
	until(t, "freshness", func() bool { return o.f.Coverage().AsOf.After(quiet) })

	admin := o.server.Dial(t)
	o.mu.Lock()
	cached := make(map[string]int, len(o.cache))
	for key, version := range o.cache {
		cached[key] = version
	}
	o.mu.Unlock()
	for key, version := range cached {
		v := admin.Do("GET", key)
		if got := v.String(); !v.IsNull() && got != strconv.Itoa(version) {
			o.problem("C: %s is cached as %d, and is %s", key, version, got)
		}
	}
	for i := range oracleChannels {
		admin.Do("PUBLISH", channelOf(i), "marker")
		until(t, "F: a marker on every channel", func() bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			n := len(o.received[i])
			return n > 0 && o.texts[o.received[i][n-1].n] == "marker"
		})
	}
	require.NoError(t, o.f.Shutdown(t.Context()))
	until(t, "E: no connection is left", func() bool {
		return !slices.Contains(clientNames(admin), "oracle")
	})
	if o.queue != nil {
		require.NoError(t, o.queue.Close(t.Context()))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checkServed()
	o.checkGaps()
	o.checkMessages()
	stats := o.f.Stats()
	t.Logf("%d served, %d of %d loads kept, %d gaps, %d messages, not armed for %v",
		o.hits, o.kept, o.loads, len(o.gaps), len(o.texts), stats.NotArmed.Round(time.Millisecond))
	if n := len(o.problems); n > 0 {
		t.Errorf("%d problems, such as\n%v", n, o.problems[:min(n, 10)])
	}
	require.NotZero(t, o.hits)
}

// checkServed checks invariants A and B for what has been served since the last
// call. The caller holds o.mu.
func (o *oracle) checkServed() {
	defer func() { o.served = o.served[:0] }()
	for _, s := range o.served {
		if want := newest(o.acks[s.key], s.asOf); s.version < want {
			o.problems = append(o.problems, fmt.Sprintf("A: %s served as %d, AsOf has %d", keyOf(s.key), s.version, want))
		}
		if want := newest(o.acks[s.key], s.at.Add(-o.bound-slack)); s.version < want {
			o.problems = append(o.problems, fmt.Sprintf("B: %s served as %d, %v ago it was %d", keyOf(s.key), s.version, o.bound, want))
		}
	}
}

// checkGaps checks the generations of invariant D.
func (o *oracle) checkGaps() {
	for i, g := range o.gaps {
		if g.Gen != uint64(i)+1 {
			o.problems = append(o.problems, fmt.Sprintf("D: gap %d has generation %d", i, g.Gen))
		}
	}
}

// checkMessages checks invariant G.
func (o *oracle) checkMessages() {
	outages := o.outages()
	for i, received := range o.received {
		got := make(map[string]bool)
		last := make(map[int]int) // by connection
		for _, e := range received {
			text := o.texts[e.n]
			if text == "marker" {
				continue
			}
			if got[text] {
				o.problems = append(o.problems, "G: a message came twice")
			}
			got[text] = true
			var conn, n int
			if _, err := fmt.Sscanf(text, "%d:%d", &conn, &n); err != nil || n <= last[conn] {
				o.problems = append(o.problems, fmt.Sprintf("G: message %q after %d", text, last[conn]))
			}
			last[conn] = n
		}
		for _, m := range o.published[i] {
			if !got[m.text] && !m.during(outages) {
				o.problems = append(o.problems, fmt.Sprintf("G: message %q was lost outside of a gap", m.text))
			}
		}
	}
}

// outage is a time in which messages may have been lost.
type outage struct{ since, end time.Time }

// outages returns the times between the Since of a gap and the arming after it.
func (o *oracle) outages() []outage {
	var list []outage
	next := 0 // of o.arms
	for _, g := range o.gaps {
		for next < len(o.arms) && o.arms[next].n < int(g.Gen) {
			next++
		}
		end := time.Now()
		if next < len(o.arms) {
			end = o.arms[next].at
		}
		list = append(list, outage{g.Since, end})
	}
	return list
}

// during reports whether a message was under way in one of the outages.
func (m published) during(outages []outage) bool {
	return slices.ContainsFunc(outages, func(o outage) bool { return !m.at.Before(o.since) && m.sent.Before(o.end) })
}

// clientNames returns the names of the server's connections.
func clientNames(admin *redistest.Client) []string {
	var names []string
	for _, line := range strings.Split(admin.Do("CLIENT", "LIST").String(), "\n") {
		for _, field := range strings.Fields(line) {
			if name, ok := strings.CutPrefix(field, "name="); ok {
				names = append(names, name)
			}
		}
	}
	return names
}
