package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// alone returns what the root module's benchmarks print. The figures meet every
// target, except for those that changes replaces.
func alone(changes map[string]float64) string {
	times := []struct {
		name string
		ns   float64
	}{
		{"Process/frame=F1", 20}, {"Process/frame=N0", 5}, {"Process/frame=N1", 20}, {"Process/frame=N2", 10}, {"Process/frame=N3", 21.9},
		{"Process/frame=N4/piece=64", 40}, {"Process/frame=N4/piece=7", 80}, {"Process/frame=N4/piece=1", 300},
		{"Process/frame=F8/keys=100", 400}, {"Process/frame=F8/keys=1000", 4000}, {"Process/frame=F8/keys=10000", 40000},
		{"Process/frame=F8/keys=100000", 400000}, {"Process/frame=F8/keys=1000000", 5_400_000},
		{"Lookup/names=1/readers=1/writer=none", 10}, {"Lookup/names=10/readers=1/writer=none", 10},
		{"Lookup/names=100/readers=1/writer=none", 10}, {"Lookup/names=1000/readers=1/writer=none", 10},
		{"Lookup/names=10000/readers=1/writer=none", 10}, {"Lookup/names=100/readers=2/writer=flatout", 13},
	}
	var b strings.Builder
	b.WriteString("pkg: x/bench\n")
	for _, t := range times {
		v := t.ns
		if changed, ok := changes[t.name]; ok {
			v = changed
		}
		fmt.Fprintf(&b, "Benchmark%s/impl=respush-2 \t 10\t %v ns/op\t %v cpu-ns/op\n", t.name, v, v)
	}
	return b.String()
}

func TestScaling(t *testing.T) {
	scaling := func(in string) string {
		r, err := readResults(strings.NewReader(in), "x")
		require.NoError(t, err)
		var out strings.Builder
		require.NoError(t, printScaling(&out, r))
		return out.String()
	}
	met := scaling(alone(nil))
	require.NotContains(t, met, "missed")
	require.Equal(t, 14, strings.Count(met, "held\n"), met)
	require.Contains(t, met, "4.00 to 5.40 a key")
	for name, ns := range map[string]float64{
		"Process/frame=N0": 5.1, "Process/frame=N1": 20.1, "Process/frame=N2": 21, "Process/frame=N3": 22.1,
		"Process/frame=F8/keys=1000000": 5_500_000, "Lookup/names=10000/readers=1/writer=none": 10.1,
		"Lookup/names=100/readers=2/writer=flatout": 13.1,
	} {
		require.Equal(t, 1, strings.Count(scaling(alone(map[string]float64{name: ns})), "missed\n"), name)
	}
	require.Empty(t, scaling("pkg: x/peers\nBenchmarkPush/frame=F1/impl=respush-2 \t 10\t 12 ns/op\n"))
}
