package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/seed79615202/respush/internal/test/workload"
)

// The targets that compare respush with its own figures of the same run.
const (
	mostAmong1000  = 1.10 // times F1, with 1000 names
	mostKeySpread  = 0.15 // relative distance of a key's least and most cost from their mean
	mostContention = 1.3  // times the processor time of one reader alone, for two readers and a writer
)

// printScaling prints the targets that say how the cost grows with the number
// of unused pushes, names, pieces, keys or readers. They come from the
// benchmarks of the root module; without those printScaling prints nothing.
func printScaling(w io.Writer, r *Results) error {
	cost := func(parts string) float64 { return r.Get("bench Process/" + parts + "/impl=respush").Ns() }
	f1 := cost("frame=F1")
	if math.IsNaN(f1) {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(what, got string, ok bool, target string) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", what, got, target, held(ok))
	}
	against := func(frame, what string, most float64) {
		v := cost("frame=" + frame)
		row(what, ns(v), v <= most*f1, fmt.Sprintf("at most %.3g of F1 (%s)", most, ns(f1)))
	}
	fmt.Fprintln(t, "scaling\tns\ttarget\t")
	row("N0, no push waiting", ns(cost("frame=N0")), cost("frame=N0") <= mostIdle, fmt.Sprintf("at most %d", mostIdle))
	against("N1", "N1, no handler", 1)
	against("N2", "N2, VoidProcessor", 1)
	against("N3", "N3, F1 among 1000 names", mostAmong1000)
	for _, piece := range []int{64, 7, 1} {
		v := cost(fmt.Sprintf("frame=N4/piece=%d", piece))
		pieces := math.Ceil(float64(len(workload.Find("F1").Frame)) / float64(piece))
		row(fmt.Sprintf("N4, F1 in pieces of %d", piece), ns(v), !math.IsNaN(v), "linear: "+ns((v-f1)/pieces)+" a piece")
	}
	least, most := math.Inf(1), math.Inf(-1)
	for keys := 100; keys <= 1_000_000; keys *= 10 {
		v := cost(fmt.Sprintf("frame=F8/keys=%d", keys)) / float64(keys)
		least, most = min(least, v), max(most, v)
	}
	spread := (most - least) / (most + least)
	row("F8 of 10^2 to 10^6 keys", ns(least)+" to "+ns(most)+" a key", spread <= mostKeySpread, fmt.Sprintf("within %.0f%% (%.0f%%)", 100*mostKeySpread, 100*spread))

	lookup := func(names, readers int, writer string) Cell {
		return r.Get(fmt.Sprintf("bench Lookup/names=%d/readers=%d/writer=%s/impl=respush", names, readers, writer))
	}
	for names := 1; names <= 10_000; names *= 10 {
		v := lookup(names, 1, "none").Ns()
		row(fmt.Sprintf("look-up, %d names", names), ns(v), v <= mostLookup, fmt.Sprintf("at most %d", mostLookup))
	}
	alone, busy := lookup(100, 1, "none").CPU(), lookup(100, 2, "flatout").CPU()
	row("look-up, two readers and a writer", ns(busy)+" of processor time", busy <= mostContention*alone, fmt.Sprintf("at most %.3g of one alone (%s)", mostContention, ns(alone)))
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return nil
}
