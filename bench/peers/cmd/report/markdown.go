package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/seed79615202/respush/bench/peers"
)

// titles describes the frames.
var titles = map[string]string{
	"F1": "invalidate, 1 key",
	"F2": "invalidate, null",
	"F3": "message, 64 B",
	"F4": "message, 1 KiB",
	"F5": "message, 16 KiB",
	"F6": "message, 1 MiB",
	"F7": "MOVING",
	"F8": "invalidate, 1000 keys",
	"F9": "nine replies, one push",
	"L1": "invalidate, alone in its read",
	"W0": "reply, alone in its read",
	"N0": "no push, reply buffered",
}

// printMarkdown prints a table of all implementations and frames. A cell holds
// the nanoseconds and, if there are any, the allocations in parentheses.
func printMarkdown(w io.Writer, r *Results) {
	fmt.Fprintf(w, "| frame | %s |\n|---|%s\n", strings.Join(r.Impls, " | "), strings.Repeat("--:|", len(r.Impls)))
	for _, frame := range r.Frames {
		fmt.Fprintf(w, "| %s |", strings.TrimSpace(frame+" "+titles[frame]))
		for _, impl := range r.Impls {
			c := r.Cell(frame, impl)
			switch {
			case c.Runs == 0:
				fmt.Fprint(w, " |")
			case math.IsNaN(c.Allocs()):
				fmt.Fprintf(w, " %s (?) |", ns(c.Ns()))
			case c.Allocs() > 0:
				fmt.Fprintf(w, " %s (%.0f) |", ns(c.Ns()), c.Allocs())
			default:
				fmt.Fprintf(w, " %s |", ns(c.Ns()))
			}
		}
		fmt.Fprintln(w)
	}

}

// printNotes prints how the implementations differ.
func printNotes(w io.Writer, r *Results) {
	for _, p := range peers.All() {
		if p.Note != "" && slices.Contains(r.Impls, p.Name) {
			fmt.Fprintf(w, "- %s: %s\n", strings.TrimSpace(p.Name+" "+p.Version()), p.Note)
		}
	}
}
