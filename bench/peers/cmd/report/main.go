// Command report reads the output of the peers' benchmarks and, if there is
// any, of the other modules' benchmarks. It prints the results of respush
// beside its targets, and a Markdown table of all peers. With -readme it writes
// that table into a file, and with -svg it draws the results as a chart.
//
//	go run ./cmd/report -svg ../../docs/bench.svg -readme ../../README.md latest.txt
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	svg := flag.String("svg", "", "write a chart to this `file`")
	readme := flag.String("readme", "", "write the table into this `file`, between the lines that mark its place")
	command := flag.String("command", "make bench-peers", "name this `command` in the chart as the source of the results")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: report [-svg FILE] [-readme FILE] [-command TEXT] RESULTS")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(os.Stdout, flag.Arg(0), *svg, *readme, *command); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, path, svg, readme, command string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // read only
	r, err := readResults(f, path)
	if err != nil {
		return err
	}
	for _, print := range []func(io.Writer, *Results) error{printTargets, printScaling, printPaid} {
		if err := print(w, r); err != nil {
			return err
		}
	}
	printMarkdown(w, r)
	fmt.Fprintln(w)
	printNotes(w, r)
	if readme != "" {
		if err := writeTable(readme, r); err != nil {
			return err
		}
	}
	if svg == "" {
		return nil
	}
	return drawChart(svg, r, r.Provenance(command))
}
