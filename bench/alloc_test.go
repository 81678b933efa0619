//go:build !respushdebug

package bench_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// After a first pass the benchmarks' bodies allocate nothing. They rely on
// pooled memory for a Reader's buffer and for frames larger than the buffer.

// skipUnderRace skips a test under the race detector, which makes a sync.Pool
// drop some of the values put into it at random.
func skipUnderRace(t *testing.T) {
	t.Helper()
	if race.Enabled {
		t.Skip("under the race detector, sync.Pool drops some values")
	}
}

func TestProcessDoesNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, r := range runs() {
		t.Run(r.name, func(t *testing.T) {
			if strings.HasSuffix(r.name, "/keys=1000000") {
				t.Skip("a frame of 22 MB is larger than any pooled buffer")
			}
			s := r.stream()
			pass := r.start(t, r.frame, s)
			pass()
			require.Zero(t, allocs.PerRun(2, func() {
				s.Rewind()
				pass()
			}), "in %d frames", s.Count)
		})
	}
}

func TestIdleDoesNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, c := range idles {
		n := c.make(t)
		require.Zero(t, allocs.PerRun(1000, func() {
			if err := n.process(); err != nil {
				t.Fatal(err)
			}
		}), c.name)
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	skipUnderRace(t)
	r, keys := registered(t, 1000)
	i := 0
	require.Zero(t, allocs.PerRun(1000, func() {
		if _, ok := r.Lookup(keys[i%len(keys)]); !ok {
			t.Fatal("a name is missing")
		}
		if _, ok := r.Lookup(keys[i%len(keys)][1:]); ok {
			t.Fatal("found a name that is not registered")
		}
		i++
	}))
}

func TestValueDoesNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, a := range accesses {
		f := frame(t, a.wire)
		allocs := allocs.PerRun(100, func() { sink += a.do(f) })
		require.Equal(t, a.allocs, allocs > 0, "%s: %v allocations", a.name, allocs)
		require.NotZero(t, sink, a.name)
	}
}

func TestNotifyDoesNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, n := range notifications() {
		f := frame(t, n.wire)
		for _, do := range []func(parser.Frame) error{n.parse, n.use} {
			require.Zero(t, allocs.PerRun(3, func() {
				if err := do(f); err != nil {
					t.Fatal(err)
				}
			}), n.frame)
		}
	}
}

func TestHandlersThatReadElementsDoNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, h := range append(byNotify(), byValues()...) {
		s := shortened(h.frame, reads)
		requireNoAllocations(t, s, h.start(t, s), h.frame.ID)
	}
}

func TestRepliesDoNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, r := range replyRuns {
		s := shortened(workload.Find("F9"), reads)
		requireNoAllocations(t, s, r.start(t, s), r.impl)
	}
}

func TestWaitingDoesNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, at := range places {
		for _, by := range waits {
			w := newWaiter(by.make(t), at, status)
			require.Zero(t, allocs.PerRun(100, func() { w.command(t) }), "%s, %s", at.name, by.impl)
		}
	}
}

func TestPushAloneDoesNotAllocate(t *testing.T) {
	skipUnderRace(t)
	for _, at := range places {
		w := workload.Find("F1")
		s := shortened(w, len(w.Frame))
		requireNoAllocations(t, s, alone(t, at, s), at.name)

		p, _ := counting(t)
		reply := newWaiter(p, at, w.Frame, status)
		require.Zero(t, allocs.PerRun(100, func() { reply.command(t) }), at.name)
	}
}

// shortened returns a stream of w that is just long enough for a test.
func shortened(w workload.Workload, piece int) *workload.Stream {
	s := workload.NewStream(w, piece)
	s.Shorten(16)
	return s
}

// requireNoAllocations requires that passes over s allocate nothing once a
// first pass has warmed up.
func requireNoAllocations(t *testing.T, s *workload.Stream, pass func(), name string) {
	t.Helper()
	pass()
	require.Zero(t, allocs.PerRun(2, func() {
		s.Rewind()
		pass()
	}), name)
}
