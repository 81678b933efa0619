package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestProgramOverflowsAndLeavesNothingStale(t *testing.T) {
	server := redistest.Start(t)
	requireNothingIsLeft(t, "redis://"+server.Addr, server)
}

func TestProgramIsTheSameWithACluster(t *testing.T) {
	nodes := redistest.StartCluster(t).Nodes
	requireNothingIsLeft(t, "redis://"+nodes[1].Addr+"?cluster=true", nodes...)
}

// requireNothingIsLeft runs the program. Nothing may be stale in its cache, and
// none of its keys may be left on the servers.
func requireNothingIsLeft(t *testing.T, url string, servers ...*redistest.Server) {
	t.Helper()
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{url}, &stdout))
	require.Regexp(t, `^reads          40000, from the cache \d{4,}
not kept       \d+
writes         2200
invalidations  \d+: \d+ applied, [1-9]\d{2,} replaced by flushes of everything
flushes        [1-9]\d*
later gaps     0
cached now     \d+, stale 0
$`, stdout.String())
	for _, server := range servers {
		server.WaitEmpty(t)
	}
}

func TestProgramWithoutAServerSaysSo(t *testing.T) {
	require.ErrorIs(t, run(t.Context(), nil, nil), program.ErrNoServer)
}

func TestProgramEndsWhenInterrupted(t *testing.T) {
	server := redistest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, []string{"redis://" + server.Addr}, nil), context.Canceled)
}
