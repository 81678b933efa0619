package e2e_test

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/feed"
)

// finish ends the load, waits for quiet, and checks every invariant.
func (o *oracle) finish() {
	t := o.t
	t.Helper()
	o.awaitCovered()
	o.endLoad()
	quiet := time.Now()
	untilTrue(t, "freshness", func() bool {
		return !slices.ContainsFunc(oracleKeys, func(key string) bool { return !o.c.CoverageOf(key).AsOf.After(quiet) })
	})
	c := newLoadClient(o.s)
	defer c.close()
	o.checkCached(c)
	o.checkMarkers(c)
	o.checkConnections()
	require.NoError(t, o.c.Shutdown(t.Context()))
	require.NoError(t, <-o.ended)
	untilTrue(t, "E: no connection is left", func() bool { return len(connections(c)) == 0 })

	o.mu.Lock()
	defer o.mu.Unlock()
	o.checkServed()
	o.checkMessages()
	stats := o.c.Stats()
	t.Logf("eager=%t: %d served, %d of %d loads kept, %d gaps, %d messages sent, %d looks of which %d failed, %d slots moved, %d keys flushed",
		o.eager, len(o.serves), o.kept, o.loads, len(o.gaps)-1, len(o.sents), stats.Looks, stats.Failures, stats.Moved-feed.SlotCount, o.flushed)
	if n := len(o.problems); n > 0 {
		t.Errorf("%d problems, such as\n%s", n, strings.Join(o.problems[:min(n, 10)], "\n"))
	}
	require.NotEmpty(t, o.serves)
}

// stacks returns the stacks of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// connections returns the addresses of the nodes that have connections of the
// Cluster, one for each of them.
func connections(c *loadClient) (list []string) {
	for _, addr := range c.s.nodes() {
		v, err := c.at(addr).do([]string{"CLIENT", "LIST"})
		for range strings.Count(v.String(), "name="+oracleName+" ") {
			list = append(list, addr)
		}
		if err != nil {
			list = append(list, err.Error())
		}
	}
	slices.Sort(list)
	return list
}

// checkConnections waits until there is one connection for each primary.
func (o *oracle) checkConnections() {
	o.t.Helper()
	c := newLoadClient(o.s)
	defer c.close()
	untilTrue(o.t, "E: one connection for each primary", func() bool {
		var want []string
		for addr := range o.c.Feeds() {
			want = append(want, addr)
		}
		slices.Sort(want)
		return slices.Equal(want, connections(c))
	})
}

// checkCached checks invariant C.
func (o *oracle) checkCached(c *loadClient) {
	o.mu.Lock()
	cached := make(map[string]entry)
	for key, e := range o.cache {
		cached[key] = e
	}
	o.mu.Unlock()
	for key, e := range cached {
		if !o.continues(o.c.CoverageOf(key), e.cover) {
			continue
		}
		v, err := c.do(feed.Slot(key), []string{"GET", key})
		require.NoError(o.t, err)
		if got := v.String(); got != strconv.Itoa(e.version) && !(v.IsNull() && e.version == 0) {
			o.problem("C: %s is cached as %d, and is %s", key, e.version, got)
		}
	}
}

// checkMarkers checks invariant F.
func (o *oracle) checkMarkers(c *loadClient) {
	for i, channel := range slices.Concat(oracleShards, oracleChannels) {
		command := "SPUBLISH"
		if i >= len(oracleShards) {
			command = "PUBLISH"
		}
		_, err := c.do(feed.Slot(channel), []string{command, channel, "marker"})
		require.NoError(o.t, err)
		untilTrue(o.t, "F: a marker on "+channel, func() bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			return slices.Contains(o.received[channel], "marker")
		})
	}
}

// newest returns the newest event from before a moment, or none.
func newest(events []event, before time.Time) event {
	i, _ := slices.BinarySearchFunc(events, before, func(e event, at time.Time) int { return e.at.Compare(at) })
	if i == 0 {
		return event{}
	}
	return events[i-1]
}

// lostSince reports whether a version was lost between two moments.
func lostSince(events []event, from, to time.Time) bool {
	return slices.ContainsFunc(events, func(e event) bool { return e.n == 0 && e.at.After(from) && e.at.Before(to) })
}

// checkServed checks invariants A and B.
func (o *oracle) checkServed() {
	for _, s := range o.serves {
		acks := o.acks[s.key]
		if lostSince(acks, s.at.Add(-o.bound-oracleSlack), s.at) {
			continue
		}
		if want := newest(acks, s.cover.AsOf); s.version < want.n {
			o.stale("A", s, want)
		}
		if want := newest(acks, s.at.Add(-o.bound-oracleSlack)); s.version < want.n {
			o.stale("B", s, want)
		}
	}
}

// stale is problem for a value that was served although want was written before.
// The caller holds o.mu.
func (o *oracle) stale(invariant string, s served, want event) {
	o.problems = append(o.problems, fmt.Sprintf("%s: %s was served at %s as %d, from %s, in generation %d, as of %s; %s had acknowledged %d at %s",
		invariant, oracleKeys[s.key], o.clock(s.at), s.version, s.from, s.cover.Gen, o.clock(s.cover.AsOf), want.node, want.n, o.clock(want.at)))
}

// clock returns a moment as seconds since the start.
func (o *oracle) clock(t time.Time) string { return fmt.Sprintf("%.3fs", t.Sub(o.begun).Seconds()) }

// checkMessages checks invariant G. A node passes a message on to others, which
// may have it later. So one that was under way when a subscription moved to
// another node may arrive there again.
func (o *oracle) checkMessages() {
	accepted := make(map[string]sent)
	for _, m := range o.sents {
		accepted[m.text] = m
	}
	for channel, texts := range o.received {
		last, seen := 0, make(map[string]bool)
		for _, text := range texts {
			m, ok := accepted[text] // a client that gave up does not know when it is carried out
			if !ok || o.inGap(m, oracleSlack) {
				continue
			}
			n, err := strconv.Atoi(text)
			require.NoError(o.t, err)
			if seen[text] || m.promised && n <= last {
				o.problems = append(o.problems, fmt.Sprintf("G: %s: message %q after %d", channel, text, last)+o.around(m))
			}
			if seen[text] = true; m.promised {
				last = n
			}
		}
	}
	for _, m := range o.sents {
		if m.promised && !slices.Contains(o.received[m.channel], m.text) && !o.inGap(m, 0) {
			o.problems = append(o.problems, fmt.Sprintf("G: %s: message %s was lost outside of a gap", m.channel, m.text)+o.around(m))
		}
	}
}

// concerns reports whether a channel is among those of a part.
func concerns(p feed.Part, channel string) bool {
	if slices.Contains(oracleChannels, channel) {
		return p.Channels
	}
	return p.Slots.Contains(feed.Slot(channel))
}

// inGap reports whether a message was under way between the Since of a gap of
// its channel and the next arming. A message may be under way for longer than it
// takes to accept it: so long that it reaches all nodes.
func (o *oracle) inGap(m sent, longer time.Duration) bool {
	for _, g := range o.gaps {
		if !concerns(g.part, m.channel) {
			continue
		}
		end := time.Now()
		for _, a := range o.arms {
			if concerns(a.part, m.channel) && a.at.After(g.at) {
				end = a.at
				break
			}
		}
		if !m.at.Add(longer).Before(g.since) && m.begun.Before(end) {
			return true
		}
	}
	return false
}

// around returns what happened to a slot around a message.
func (o *oracle) around(m sent) string {
	text := fmt.Sprintf(" sent for %v", m.at.Sub(m.begun))
	for _, g := range o.gaps {
		if d := g.at.Sub(m.begun); concerns(g.part, m.channel) && d.Abs() < 5*time.Second {
			text += fmt.Sprintf("\n\tgap at %v since %v of %d slots: %v", d, g.since.Sub(m.begun), g.part.Slots.Len(), g.cause)
		}
	}
	for _, a := range o.arms {
		if d := a.at.Sub(m.begun); concerns(a.part, m.channel) && d.Abs() < 5*time.Second {
			text += fmt.Sprintf("\n\tarmed at %v: %d slots", d, a.part.Slots.Len())
		}
	}
	return text
}
