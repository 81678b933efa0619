package peers_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/bench/peers"
	"github.com/seed79615202/respush/internal/test/workload"
)

// TestMain puts the Go version on top of the output of benchmarks, beside what the testing package says of the machine.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		fmt.Printf("go: %s\n", runtime.Version())
	}
	os.Exit(m.Run())
}

func TestPeersSeeEveryFrame(t *testing.T) {
	for _, p := range peers.All() {
		for _, w := range workload.Workloads {
			t.Run(p.Name+"/"+w.ID, func(t *testing.T) {
				run := open(t, p, w)
				s := run.Stream // shorter than for a benchmark
				frame := len(s.Bytes) / s.Count
				s.Count = max(2, s.Count/16)
				s.Bytes = s.Bytes[:s.Count*frame]
				requirePass(t, p, w, run)
				requirePass(t, p, w, run) // it can go on
			})
		}
	}
}

// open opens a run of p that ends with the test.
func open(tb testing.TB, p peers.Peer, w workload.Workload) *peers.Run {
	run, err := p.Open(w)
	require.NoError(tb, err)
	tb.Cleanup(run.Close)
	return run
}

// requirePass passes over the stream once. Every push must reach the handler of its name, and no other handler be called;
// a push that p has no handler for must be read all the same, so that nothing of the stream is left.
func requirePass(tb testing.TB, p peers.Peer, w workload.Workload, run *peers.Run) {
	name := peers.PushOf(w.ID)
	want := 0
	if p.Handles(name) {
		want = run.Stream.Count
	}
	*run.Tally = peers.Tally{}
	require.NoError(tb, run.Pass())
	require.Equal(tb, want, run.Tally.Of(name), name)
	require.Equal(tb, want, run.Tally.Total(), "in all")
}
