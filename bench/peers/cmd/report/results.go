package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/seed79615202/respush/bench/peers"
)

// A Cell is what one implementation needs for one frame: the least of all runs, since everything else on a machine can
// only add to it. Each number is that of the run in which it was least.
type Cell struct {
	Ns     float64 // per frame
	CPU    float64 // ns per frame of processor time; NaN: not known
	Allocs float64 // per frame; NaN: not known
	Runs   int
}

// Results are those of one run of the benchmarks.
//
// Invariant: every frame and implementation with a Cell is in Frames and Impls, in the order of the file.
type Results struct {
	Frames, Impls []string // of BenchmarkPush
	Lookups       []string // cases of BenchmarkLookup
	cells         map[[2]string]Cell
	config        map[string]string // what the file says of the machine
	procs         string            // GOMAXPROCS
}

// Cell returns what impl needs for frame, or a look-up.
func (r *Results) Cell(frame, impl string) (Cell, bool) {
	c, ok := r.cells[[2]string{frame, impl}]
	return c, ok
}

// Ns returns the time of a Cell, or NaN.
func (r *Results) Ns(frame, impl string) float64 {
	if c, ok := r.Cell(frame, impl); ok {
		return c.Ns
	}
	return math.NaN()
}

// Floor returns the time that the walk from line to line takes together with the reads of the stream.
func (r *Results) Floor(frame string) float64 {
	return r.Ns(frame, "floor-lines") + r.Ns(frame, "floor-copy")
}

// Provenance says where the results come from.
func (r *Results) Provenance(command string) string {
	runs := 0
	for _, frame := range r.Frames {
		for _, impl := range r.Impls {
			c, _ := r.Cell(frame, impl)
			runs = max(runs, c.Runs)
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

// readResults reads the output of go test.
func readResults(rd io.Reader, name string) (*Results, error) {
	r := &Results{cells: make(map[[2]string]Cell), config: make(map[string]string)}
	br := benchfmt.NewReader(rd, name)
	for br.Scan() {
		res, ok := br.Result().(*benchfmt.Result)
		if !ok {
			continue // a line of another kind
		}
		for _, c := range res.Config {
			r.config[c.Key] = string(c.Value)
		}
		r.procs = "1" // of which a name says nothing
		base, parts := res.Name.Parts()
		key := map[string]string{}
		var others []string
		for _, p := range parts {
			k, v, ok := strings.Cut(strings.TrimPrefix(string(p), "/"), "=")
			if !ok {
				r.procs = strings.TrimPrefix(k, "-")
				continue
			}
			key[k] = v
			if k != "impl" {
				others = append(others, k+"="+v)
			}
		}
		frame, impl := key["frame"], key["impl"]
		switch string(base) {
		case "Push":
			r.Frames = appendNew(r.Frames, frame)
			r.Impls = appendNew(r.Impls, impl)
		case "Lookup":
			frame = strings.Join(others, " ")
			r.Lookups = appendNew(r.Lookups, frame)
		case "Process":
			frame = processKey(strings.Join(others, "/"))
		default:
			continue
		}
		r.add([2]string{frame, impl}, res)
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
func (r *Results) add(key [2]string, res *benchfmt.Result) {
	c, ok := r.cells[key]
	if !ok {
		c.Ns, c.CPU, c.Allocs = math.NaN(), math.NaN(), math.NaN()
	}
	least := func(of *float64, unit string, factor float64) {
		if v, ok := res.Value(unit); ok && !(*of <= v*factor) {
			*of = v * factor
		}
	}
	least(&c.Ns, "sec/op", 1e9)
	least(&c.CPU, "cpu-sec/op", 1e9)
	least(&c.Allocs, "allocs/op", 1)
	c.Runs++
	r.cells[key] = c
}

func appendNew(s []string, v string) []string {
	if slices.Contains(s, v) {
		return s
	}
	return append(s, v)
}
