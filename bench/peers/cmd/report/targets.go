package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// ours is respush with handlers that read every element, as the handlers of the
// peers do. counts is respush with handlers that read none.
const (
	ours   = "respush"
	counts = "respush-counts"
)

// givesElements lists the other peers that read a stream and hand out the
// elements of a push.
var givesElements = []string{"rueidis", "radix", "hiredis"}

// The targets of respush with handlers that count. The ratios are within one
// run.
const (
	mostOfFloor     = 0.8 // times the walk from line to line and the reads
	mostOfCopy      = 1.3 // times the reads alone, for large messages
	leastOfGoRedis  = 10  // times faster
	leastOfOthers   = 3   // times faster than the fastest of givesElements
	mostIdle        = 5   // ns if no push is there
	mostLookup      = 10  // ns, however many names
	walkedInFrames  = "F1 F2 F3 F4 F7 F8"
	copiedInFrames  = "F5 F6"
	idleFrame       = "N0"
	allocationsOurs = 0
)

// printTargets prints the time that respush takes to find a push and call its
// handler, beside the targets for that time.
func printTargets(w io.Writer, r *Results) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "frame\t"+counts+"\tlines+reads\tratio\tgo-redis\tnext\tallocs\ttarget\t")
	for _, frame := range r.Frames {
		c := counting(r, frame)
		if c.Runs == 0 {
			continue
		}
		next, by := fastestOther(r, frame)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t%s\t\n", frame, ns(c.Ns()), ns(r.Floor(frame)), factor(c.Ns()/r.Floor(frame), ""),
			factor(r.Ns(frame, "go-redis")/c.Ns(), "x"), strings.TrimSpace(factor(next/c.Ns(), "x")+" "+by), c.Allocs(), verdict(r, frame, c))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nTargets: at most %v of the walk and the reads, %vx go-redis and %vx the next of %s (%s);\n"+
		"at most %v of the reads (%s); at most %v ns (%s); %d allocations.\n\n", mostOfFloor, leastOfGoRedis, leastOfOthers,
		strings.Join(givesElements, ", "), walkedInFrames, mostOfCopy, copiedInFrames, mostIdle, idleFrame, allocationsOurs)

	if len(r.Lookups) == 0 {
		return nil
	}
	fmt.Fprintln(t, "look-up\trespush\tcpu\tgo-redis\tcpu\t\t")
	for _, l := range r.Lookups {
		got, theirs := r.Lookup(l, ours), r.Lookup(l, "go-redis")
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", strings.ReplaceAll(l, "/", " "), ns(got.Ns()), ns(got.CPU()),
			ns(theirs.Ns()), ns(theirs.CPU()), factor(theirs.Ns()/got.Ns(), "x"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return nil
}

// counting returns the cell of a frame with handlers that count. The idle frame
// has no push and so no handler, and its cell is that of ours.
func counting(r *Results, frame string) Cell {
	if frame == idleFrame {
		return r.Cell(frame, ours)
	}
	return r.Cell(frame, counts)
}

// fastestOther returns the least time of givesElements, and the name of the
// peer that achieved it.
func fastestOther(r *Results, frame string) (float64, string) {
	least, by := math.NaN(), ""
	for _, impl := range givesElements {
		if v := r.Ns(frame, impl); v < least || by == "" && !math.IsNaN(v) {
			least, by = v, impl
		}
	}
	return least, by
}

// held returns the word for a target that is held or missed.
func held(ok bool) string {
	if ok {
		return "held"
	}
	return "missed"
}

// verdict returns a text that names the missed targets of a frame.
func verdict(r *Results, frame string, c Cell) string {
	var missed []string
	check := func(ok bool, what string) {
		if !ok {
			missed = append(missed, what)
		}
	}
	check(c.Allocs() == allocationsOurs, "allocations")
	switch {
	case in(walkedInFrames, frame):
		next, by := fastestOther(r, frame)
		if by == "" {
			by = "the others"
		}
		check(c.Ns() <= mostOfFloor*r.Floor(frame), "the walk")
		check(r.Ns(frame, "go-redis") >= leastOfGoRedis*c.Ns(), "go-redis")
		check(next >= leastOfOthers*c.Ns(), by)
	case in(copiedInFrames, frame):
		check(c.Ns() <= mostOfCopy*r.Ns(frame, "floor-copy"), "the copy ("+factor(c.Ns()/r.Ns(frame, "floor-copy"), "x")+")")
	case frame == idleFrame:
		check(c.Ns() <= mostIdle, "the time")
	}
	if len(missed) > 0 {
		return "missed: " + strings.Join(missed, ", ")
	}
	return held(true)
}

func in(list, frame string) bool { return slices.Contains(strings.Fields(list), frame) }

// ns formats a time with three significant digits.
func ns(v float64) string {
	switch {
	case math.IsNaN(v):
		return ""
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// factor formats a ratio, followed by unit.
func factor(v float64, unit string) string {
	switch {
	case math.IsNaN(v):
		return ""
	case v < 10:
		return fmt.Sprintf("%.2f%s", v, unit)
	}
	return fmt.Sprintf("%.1f%s", v, unit)
}
