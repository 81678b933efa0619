package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// results returns what go test prints for some times, in the given order.
func results(times map[string][]float64, order []string) string {
	var b strings.Builder
	b.WriteString("go: go1.99\ngoos: linux\npkg: x/peers\ncpu: Abacus\n")
	for _, name := range order {
		for _, ns := range times[name] {
			fmt.Fprintf(&b, "BenchmarkPush/%s-2 \t 10\t %v ns/op\t 7 cpu-ns/op\t 0 B/op\t 3 allocs/op\n", name, ns)
		}
	}
	return b.String()
}

func TestReadResults(t *testing.T) {
	r, err := readResults(strings.NewReader(results(map[string][]float64{
		"frame=F1/impl=respush":  {12, 10, 11},
		"frame=F1/impl=go-redis": {120},
	}, []string{"frame=F1/impl=respush", "frame=F1/impl=go-redis"})), "x")
	require.NoError(t, err)
	require.Equal(t, []string{"F1"}, r.Frames)
	require.Equal(t, []string{"respush", "go-redis"}, r.Impls)
	require.InDelta(t, 10, r.Ns("F1", "respush"), 1e-6)
	c := r.Cell("F1", "respush")
	require.Equal(t, 3, c.Runs)
	require.InDelta(t, 3, c.Allocs(), 1e-6)
	require.InDelta(t, 7, c.CPU(), 1e-6)
	require.Zero(t, r.Cell("F2", "respush").Runs)
	require.True(t, math.IsNaN(r.Ns("F2", "respush")))
	require.Contains(t, r.Provenance("make it"), "make it: least of 3 runs on Abacus (2 processors), go1.99.")
}

func TestReadResultsOfOneProcessor(t *testing.T) {
	const line = "BenchmarkPush/frame=F1/impl=go-redis \t 10\t 12 ns/op\n"
	r, err := readResults(strings.NewReader("go: go1.99\npkg: x/peers\ncpu: Abacus\n"+line), "x")
	require.NoError(t, err)
	require.Equal(t, []string{"go-redis"}, r.Impls)
	require.Contains(t, r.Provenance("make it"), "Abacus (1 processors)")
}

// The chart's ratios are relative to respush, wherever it appears in the file.
func TestBarsAreMultiplesOfOurs(t *testing.T) {
	order := []string{"frame=F1/impl=go-redis", "frame=F1/impl=respush"}
	r, err := readResults(strings.NewReader(results(map[string][]float64{order[0]: {120}, order[1]: {10}}, order)), "x")
	require.NoError(t, err)
	b := newBars(r, "F1")
	require.Equal(t, []string{"go-redis", "respush", "line walk + reads"}, b.names)
	require.InDelta(t, 10, b.unit, 1e-6)
}

func TestReadResultsOfNothing(t *testing.T) {
	_, err := readResults(strings.NewReader("PASS\n"), "x")
	require.Error(t, err)
}

func TestVerdict(t *testing.T) {
	good := map[string][]float64{
		"frame=F1/impl=respush":        {70},
		"frame=F1/impl=respush-counts": {10},
		"frame=F1/impl=go-redis":       {100},
		"frame=F1/impl=rueidis":        {50},
		"frame=F1/impl=radix":          {30},
		"frame=F1/impl=floor-lines":    {12},
		"frame=F1/impl=floor-copy":     {0.5},
	}
	order := []string{"frame=F1/impl=respush", "frame=F1/impl=respush-counts", "frame=F1/impl=go-redis", "frame=F1/impl=rueidis", "frame=F1/impl=radix",
		"frame=F1/impl=floor-lines", "frame=F1/impl=floor-copy"}
	verdictOf := func(name string, ns float64) string {
		times := map[string][]float64{}
		for k, v := range good {
			times[k] = v
		}
		times[name] = []float64{ns}
		r, err := readResults(strings.NewReader(strings.ReplaceAll(results(times, order), "3 allocs", "0 allocs")), "x")
		require.NoError(t, err)
		return verdict(r, "F1", counting(r, "F1"))
	}
	require.Equal(t, "held", verdictOf("frame=F1/impl=respush-counts", 10))
	require.Equal(t, "missed: the walk, go-redis, radix", verdictOf("frame=F1/impl=respush-counts", 10.1))
	require.Equal(t, "missed: go-redis", verdictOf("frame=F1/impl=go-redis", 99))
	require.Equal(t, "missed: rueidis", verdictOf("frame=F1/impl=rueidis", 29))
	delete(good, "frame=F1/impl=rueidis")
	delete(good, "frame=F1/impl=radix")
	require.Equal(t, "missed: the others", verdictOf("frame=F1/impl=respush", 10))
	require.Equal(t, "missed: the walk, the others", verdictOf("frame=F1/impl=floor-lines", 11.9))
}

func TestRun(t *testing.T) {
	var order []string
	times := map[string][]float64{}
	for _, frame := range []string{"F1", "F5", "F6", "N0"} {
		for i, impl := range []string{"respush", "respush-counts", "go-redis", "radix", "redcon", "floor-lines", "floor-copy"} {
			name := "frame=" + frame + "/impl=" + impl
			order = append(order, name)
			times[name] = []float64{float64(10 * (i + 1))}
		}
	}
	dir := t.TempDir()
	in, svg := filepath.Join(dir, "latest.txt"), filepath.Join(dir, "docs", "bench.svg")
	require.NoError(t, os.WriteFile(in, []byte(results(times, order)), 0o644))
	var out strings.Builder
	readme := filepath.Join(dir, "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("before\n"+tableBegins+"| old |\n"+tableEnds+"after\n"), 0o644))
	require.NoError(t, run(&out, in, svg, readme, "make it"))
	require.Contains(t, out.String(), "missed: allocations")
	require.Contains(t, out.String(), "| F1 invalidate, 1 key | 10.0 (3) | 20.0 (3) |")

	written, err := os.ReadFile(readme)
	require.NoError(t, err)
	require.Contains(t, string(written), "before\n"+tableBegins+"| frame | respush |")
	require.Contains(t, string(written), "|\n"+tableEnds+"after\n")
	require.NotContains(t, string(written), "old")
	require.NoError(t, os.WriteFile(readme, []byte("no place\n"), 0o644))
	require.ErrorContains(t, run(&out, in, "", readme, ""), "no place for the table")

	f, err := os.Open(svg)
	require.NoError(t, err)
	defer f.Close() // read only
	var text strings.Builder
	for d := xml.NewDecoder(f); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if c, ok := token.(xml.CharData); ok {
			text.Write(c)
		}
	}
	for _, want := range []string{"make it", "Abacus", "go1.99", "message, 16 KiB", "go-redis", "2.00x"} {
		require.Contains(t, text.String(), want)
	}
	require.Error(t, run(&out, filepath.Join(dir, "missing"), "", "", ""))
}
