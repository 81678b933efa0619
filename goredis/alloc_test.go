//go:build !respushdebug

package goredis_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/workload"
)

func TestNothingIsAllocatedPerPush(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector drops what sync.Pool holds")
	}
	for _, id := range []string{"F1", "F2", "F7", "F8"} {
		for _, n := range []int{0, 1, 100} {
			var c counter
			stream := append(bytes.Repeat(workload.Find(id).Frame, n), "+OK\r\n"...)
			rd := bytes.NewReader(stream)
			l := newLink(t, impls[1].make(t, &c), 0, rd)
			run := func() {
				rd.Reset(stream)
				if err := l.process(); err != nil {
					t.Fatal(err)
				}
				l.rd.Reset(rd) // drops the reply
			}
			run()
			c.n = 0
			require.Zero(t, allocs.PerRun(100, run), "%s, %d pushes", id, n)
			require.Equal(t, 101*n, c.n)
		}
	}
}

// A push larger than the buffer goes through pooled memory.
func TestNothingIsAllocatedForALargePush(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector drops what sync.Pool holds")
	}
	var c counter
	stream := largePush + bulk(100<<10) + "+OK\r\n"
	rd := strings.NewReader(stream)
	l := newLink(t, impls[1].make(t, &c), 0, rd)
	run := func() {
		rd.Reset(stream)
		if err := l.process(); err != nil {
			t.Fatal(err)
		}
		l.rd.Reset(rd)
	}
	run()
	require.Less(t, allocs.PerRun(100, run), 1.0)
}
