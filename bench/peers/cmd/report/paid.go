package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// A row is a target for what a caller pays. If name is set, got must be at most
// most times the time of beside. Otherwise got must be at most most.
type row struct {
	what   string
	got    Cell
	unit   string // of got
	beside float64
	name   string // of beside
	most   float64
}

// value returns the measured value.
func (r row) value() float64 { return r.got.Least(r.unit) }

// measured reports whether the results hold both sides of the comparison.
func (r row) measured() bool {
	return !math.IsNaN(r.value()) && !math.IsNaN(r.limit())
}

// limit returns the largest value that meets the target.
func (r row) limit() float64 {
	if r.name == "" {
		return r.most
	}
	return r.most * r.beside
}

// Limits of the rows that compare with no other cell.
const (
	mostOfRoundTrip = 2000     // ns that a tap adds
	mostAtRest      = 12 << 10 // bytes of a connection
	mostForIdle     = 120      // MiB of 10,000 connections
)

// paidRows returns the targets for what a caller pays, from the benchmarks of
// all packages.
func paidRows(r *Results) []row {
	var rows []row
	at := func(what, got, beside, name string, most float64) {
		rows = append(rows, row{what, r.Get(got), "ns/op", r.Get(beside).Ns(), name, most})
	}
	for _, frame := range strings.Fields(walkedInFrames) {
		at(frame+", handler reads all through notify", "bench HandlerNotify/frame="+frame+"/impl=respush",
			"bench HandlerNotify/frame="+frame+"/impl=walk", "walk", 1)
	}
	for _, frame := range []string{"F1", "F7", "F8"} {
		at(frame+", handler reads all through Args and All", "bench HandlerValues/frame="+frame+"/impl=respush",
			"bench HandlerValues/frame="+frame+"/impl=walk", "walk", 1.2)
	}
	for _, frame := range []string{"F1", "F3", "F7", "F8"} {
		ours, theirs := "peers Push/frame="+frame+"/impl=respush-decoded", "peers Push/frame="+frame+"/impl=go-redis"
		at(frame+", go-redis style handler", ours, theirs, "go-redis", 0.8)
		rows = append(rows, row{frame + ", its allocations", r.Get(ours), "allocs/op", 0, "", r.Get(theirs).Allocs()})
	}
	const burst = "bench Process/frame=F1/impl=respush"
	for _, source := range []string{"own", "bufio", "source"} {
		for _, impl := range []string{"respush", "void"} {
			rows = append(rows, row{"waiting for a reply adds, " + source + ", " + impl, r.Get("bench Wait/source=" + source + "/impl=" + impl),
				"added-ns/op", r.Get(burst).Ns(), "F1 in a burst", 0.6})
		}
	}
	at("F1 alone in its read, handler reads all through notify", "peers Push/frame=L1/impl=respush",
		"peers Push/frame=F1/impl=respush", "F1 in a burst, read too", 2)
	for _, source := range []string{"own", "bufio"} {
		at("F1 alone in its read, "+source, "bench PushAlone/frame=F1/source="+source+"/then=push/impl=respush", burst, "F1 in a burst", 2)
	}
	const replies = "bench Replies/frame=F9/impl="
	for _, impl := range []string{"respush", "respush-next", "respush-scanner"} {
		at("F9, "+impl, replies+impl, replies+"walk", "walk", 1.5)
	}
	at("F9, respush", replies+"respush", "peers Push/frame=F9/impl=redcon", "redcon", 1)
	for _, reply := range []string{"64B", "status", "array-10x64B", "array-1000x16B", "1KiB", "16KiB", "1KiB-and-push"} {
		tcp := "bench Tap/conn=tcp/reply=" + reply + "/impl="
		at("tap, "+reply, tcp+"tap", tcp+"bare", "bare", 1/0.8)
	}
	rows = append(rows, row{"tap, time added to a lone reply", r.Get("bench TapRoundTrip/reply=status/impl=tap"),
		"added-ns/op", 0, "", mostOfRoundTrip})
	at("go-redis, a command", "goredis Command/impl=respush", "goredis Command/impl=builtin", "built-in", 1.01)
	adds := func(impl string) Cell { return r.Get("goredis PushAlone/frame=F1/impl=" + impl) }
	builtin := adds("builtin").Least("added-ns/op")
	rows = append(rows,
		row{"go-redis, F1 alone adds", adds("respush"), "added-ns/op", builtin, "built-in", 0.25},
		row{"go-redis, F1 alone adds, go-redis style handler", adds("respush-decoded"), "added-ns/op", builtin, "built-in", 1})
	for _, after := range []string{"nothing", "push", "burst-and-64-pushes"} {
		rows = append(rows, row{"at rest under Serve after " + after, r.Get("bench Rest/after=" + after + "/impl=respush"),
			"B/conn", 0, "", mostAtRest})
	}
	const all, few = "bench ServeMany/conns=10000/impl=respush", "bench ServeMany/conns=100/impl=respush"
	rows = append(rows, row{"10,000 connections under Serve", r.Get(all), "MiB", 0, "", mostForIdle})
	at("a push on one of 100 busy ones among them", all, few, "these alone", 1.05)
	return rows
}

// printPaid prints what a caller pays beside the targets. It leaves out what
// was not measured.
func printPaid(w io.Writer, r *Results) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "cost to a caller\trespush\tcompared with\tratio\tat most\t")
	measured, kept := 0, 0
	for _, row := range paidRows(r) {
		if !row.measured() {
			continue
		}
		ok := row.value() <= row.limit()
		measured++
		if ok {
			kept++
		}
		unit, _, _ := strings.Cut(strings.TrimPrefix(row.unit, "added-"), "/")
		beside, ratio, most := "", "", fmt.Sprintf("%.5g %s", row.most, unit)
		if row.name != "" {
			beside, ratio, most = row.name+" "+ns(row.beside), fmt.Sprintf("%.3f", row.value()/row.beside), fmt.Sprintf("%.3g", row.most)
		}
		fmt.Fprintf(t, "%s\t%s %s\t%s\t%s\t%s\t%s\n", row.what, ns(row.value()), unit, beside, ratio, most, held(ok))
	}
	if measured == 0 {
		return nil
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d of %d held\n\n", kept, measured)
	return err
}
