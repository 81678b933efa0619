package main

import (
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/seed79615202/respush/bench/peers"
)

// A Cell is what one benchmark has measured: of each unit the least of all
// runs, since everything else on a machine can only add to it.
type Cell struct {
	Runs  int
	least map[string]float64 // by unit, as go test prints it
}

// Least returns the least of a unit, or NaN.
func (c Cell) Least(unit string) float64 {
	if v, ok := c.least[unit]; ok {
		return v
	}
	return math.NaN()
}

// Ns returns the time of an op in nanoseconds, or NaN.
func (c Cell) Ns() float64 { return c.Least("ns/op") }

// CPU returns the processor time of an op in nanoseconds, or NaN.
func (c Cell) CPU() float64 { return c.Least("cpu-ns/op") }

// Allocs returns the allocations of an op, or NaN.
func (c Cell) Allocs() float64 { return c.Least("allocs/op") }

// Results are those of one run of the benchmarks of several packages.
//
// Invariant: every frame and implementation of the peers' BenchmarkPush is in
// Frames and Impls, in the order of the file.
type Results struct {
	Frames, Impls []string
	Lookups       []string // cases of the peers' BenchmarkLookup, without the implementation
	cells         map[string]Cell
	config        map[string]string // what the file says of the machine
	procs         string            // GOMAXPROCS
}

// Get returns what a benchmark has measured, by the last part of its package's
// path and its name without Benchmark and the number of processors: peers
// Push/frame=F1.
func (r *Results) Get(name string) Cell { return r.cells[name] }

// Cell returns what impl needs for a frame.
func (r *Results) Cell(frame, impl string) Cell {
	return r.Get("peers Push/frame=" + frame + "/impl=" + impl)
}

// Lookup returns what impl needs for one of Lookups.
func (r *Results) Lookup(which, impl string) Cell {
	return r.Get("peers Lookup/" + which + "/impl=" + impl)
}

// Ns returns the time that impl needs for a frame, or NaN.
func (r *Results) Ns(frame, impl string) float64 { return r.Cell(frame, impl).Ns() }

// Floor returns the time that the walk from line to line takes together with
// the reads of the stream.
func (r *Results) Floor(frame string) float64 {
	return r.Ns(frame, "floor-lines") + r.Ns(frame, "floor-copy")
}

// Provenance says where the results come from.
func (r *Results) Provenance(command string) string {
	runs := 0
	for _, frame := range r.Frames {
		for _, impl := range r.Impls {
			runs = max(runs, r.Cell(frame, impl).Runs)
		}
	}
	var versions []string
	for _, p := range peers.All() {
		if v := p.Version(); v != "" && slices.Contains(r.Impls, p.Name) {
			versions = append(versions, p.Name+" "+v)
		}
	}
	return fmt.Sprintf("%s: least of %d runs on %s (%s processors), %s. %s.",
		command, runs, r.config["cpu"], r.procs, r.config["go"], strings.Join(versions, ", "))
}

// readResults reads the output of go test, of one package or of several.
func readResults(rd io.Reader, name string) (*Results, error) {
	r := &Results{cells: make(map[string]Cell), config: make(map[string]string), procs: "1"}
	br := benchfmt.NewReader(rd, name)
	for br.Scan() {
		res, ok := br.Result().(*benchfmt.Result)
		if !ok {
			continue // a line of another kind
		}
		for _, c := range res.Config {
			r.config[c.Key] = string(c.Value)
		}
		base, parts := res.Name.Parts()
		key := map[string]string{}
		var others []string // than the implementation
		full := string(base)
		for _, p := range parts {
			k, v, ok := strings.Cut(strings.TrimPrefix(string(p), "/"), "=")
			if !ok {
				r.procs = strings.TrimPrefix(k, "-") // absent if there is one
				continue
			}
			full += string(p)
			key[k] = v
			if k != "impl" {
				others = append(others, k+"="+v)
			}
		}
		pkg := path.Base(r.config["pkg"])
		if pkg == "peers" {
			switch string(base) {
			case "Push":
				r.Frames = appendNew(r.Frames, key["frame"])
				r.Impls = appendNew(r.Impls, key["impl"])
			case "Lookup":
				r.Lookups = appendNew(r.Lookups, strings.Join(others, "/"))
			}
		}
		r.add(pkg+" "+full, res)
	}
	if err := br.Err(); err != nil {
		return nil, err
	}
	if len(r.cells) == 0 {
		return nil, fmt.Errorf("no results in %s", name)
	}
	return r, nil
}

// add takes one result into the least so far.
func (r *Results) add(name string, res *benchfmt.Result) {
	c, ok := r.cells[name]
	if !ok {
		c.least = make(map[string]float64)
	}
	for _, v := range res.Values {
		value, unit := v.Value, v.Unit
		if v.OrigUnit != "" {
			value, unit = v.OrigValue, v.OrigUnit
		}
		if least, ok := c.least[unit]; !ok || value < least {
			c.least[unit] = value
		}
	}
	c.Runs++
	r.cells[name] = c
}

func appendNew(s []string, v string) []string {
	if slices.Contains(s, v) {
		return s
	}
	return append(s, v)
}
