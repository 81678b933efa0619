package peers_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/bench/peers"
	"github.com/seed79615202/respush/parser"
)

// TestMain prints the Go version before the output of benchmarks, next to what
// the testing package prints about the machine.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		fmt.Printf("go: %s\n", runtime.Version())
	}
	os.Exit(m.Run())
}

func TestPeersSeeEveryFrame(t *testing.T) {
	for _, p := range peers.All() {
		for _, sc := range peers.Scenes {
			if !p.In(sc) {
				continue
			}
			t.Run(p.Name+"/"+sc.ID, func(t *testing.T) {
				run := open(t, p, sc)
				run.Stream.Shorten(16)
				requirePass(t, p, sc, run)
				requirePass(t, p, sc, run) // a run can pass more than once
			})
		}
	}
}

// open opens a run of p that is closed at the end of the test.
func open(tb testing.TB, p peers.Peer, sc peers.Scene) *peers.Run {
	run, err := p.Open(sc)
	require.NoError(tb, err)
	tb.Cleanup(run.Close)
	return run
}

// requirePass passes over the stream once. Every push must reach the handler
// for its name and no other handler, and the handler must read every element. A
// push that p has no handler for must still be read, and nothing of the stream
// may be left.
func requirePass(tb testing.TB, p peers.Peer, sc peers.Scene, run *peers.Run) {
	name := peers.PushOf(sc.ID)
	var want peers.Tally
	if p.Handles(name) && sc.HasPush() {
		for i := range want.Pushes {
			if peers.Names[i] == name {
				want.Pushes[i] = run.Stream.Count
			}
		}
		if !p.Counts {
			want.Elements = elements(tb, sc) * run.Stream.Count
		}
	}
	*run.Tally = peers.Tally{}
	require.NoError(tb, run.Pass())
	require.Equal(tb, want, *run.Tally)
}

// elements returns the sum of the elements of the push in a scene.
func elements(tb testing.TB, sc peers.Scene) int {
	for rest := sc.Frame; ; {
		f, n, err := parser.Parse(rest)
		require.NoError(tb, err)
		if !f.IsPush() {
			rest = rest[n:]
			continue
		}
		sum := 0
		for v := range f.Args() {
			switch {
			case v.Type() == parser.TypeInteger:
				i, err := v.Int64()
				require.NoError(tb, err)
				sum += int(i)
			case v.Type() == parser.TypeArray:
				for key := range v.All() {
					sum += len(key.Bytes())
				}
			default:
				sum += len(v.Bytes())
			}
		}
		return sum
	}
}
