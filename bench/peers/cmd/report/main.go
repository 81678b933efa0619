// Command report reads the output of the peers' benchmarks and prints what it says: respush beside its targets, and a
// Markdown table of all peers. With -svg it draws the same as a chart.
//
//	go run ./cmd/report -svg ../../docs/bench.svg latest.txt
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	svg := flag.String("svg", "", "write a chart to this `file`")
	command := flag.String("command", "make bench-peers", "what made the results, as the chart tells it")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: report [-svg FILE] [-command TEXT] RESULTS")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(os.Stdout, flag.Arg(0), *svg, *command); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, path, svg, command string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // read only
	r, err := readResults(f, path)
	if err != nil {
		return err
	}
	if err := printTargets(w, r); err != nil {
		return err
	}
	if err := printScaling(w, r); err != nil {
		return err
	}
	printMarkdown(w, r)
	if svg == "" {
		return nil
	}
	return drawChart(svg, r, r.Provenance(command))
}
