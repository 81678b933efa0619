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

// A Cell holds the results of one benchmark. For each unit it keeps the least
// value of all runs, because other work on the machine can only add to it.
type Cell struct {
	Runs  int
	least map[string]float64 // by unit, as go test prints the unit
}

// Least returns the least value of a unit, or NaN if there is none.
func (c Cell) Least(unit string) float64 {
	if v, ok := c.least[unit]; ok {
		return v
	}
	return math.NaN()
}

// Ns returns the time of an op in nanoseconds, or NaN if it is unknown.
func (c Cell) Ns() float64 { return c.Least("ns/op") }

// CPU returns the processor time of an op in nanoseconds, or NaN if it is
// unknown.
func (c Cell) CPU() float64 { return c.Least("cpu-ns/op") }

// Allocs returns the allocations of an op, or NaN if they are unknown.
func (c Cell) Allocs() float64 { return c.Least("allocs/op") }

// Results holds the results of one run of the benchmarks of several packages.
//
// Invariant: every frame and implementation of the peers' BenchmarkPush is in
// Frames and Impls, in the order of the file.
type Results struct {
	Frames, Impls []string
	Lookups       []string // cases of the peers' BenchmarkLookup, without the implementation
	cells         map[string]Cell
	config        map[string]string // the file's configuration lines, which describe the machine
	procs         string            // GOMAXPROCS
}

// Get returns the cell of a benchmark. Its name is the last part of its
// package's path, followed by the benchmark's name without the prefix Benchmark
// and the number of processors, as in "peers Push/frame=F1".
func (r *Results) Get(name string) Cell { return r.cells[name] }

// Cell returns the cell of impl for a frame.
func (r *Results) Cell(frame, impl string) Cell {
	return r.Get("peers Push/frame=" + frame + "/impl=" + impl)
}

// Lookup returns the cell of impl for one of Lookups.
func (r *Results) Lookup(which, impl string) Cell {
	return r.Get("peers Lookup/" + which + "/impl=" + impl)
}

// Ns returns the time in nanoseconds that impl needs for a frame, or NaN if it
// is unknown.
func (r *Results) Ns(frame, impl string) float64 { return r.Cell(frame, impl).Ns() }

// Floor returns the time in nanoseconds of the walk from line to line together
// with the reads of the stream.
func (r *Results) Floor(frame string) float64 {
	return r.Ns(frame, "floor-lines") + r.Ns(frame, "floor-copy")
}

// Provenance describes where the results come from.
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

// readResults reads the output of go test for one or more packages.
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
		var others []string // all parts but the implementation
		full := string(base)
		for _, p := range parts {
			k, v, ok := strings.Cut(strings.TrimPrefix(string(p), "/"), "=")
			if !ok {
				r.procs = strings.TrimPrefix(k, "-") // go test omits it if it is 1
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

// add merges one result into the cell called name.
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
