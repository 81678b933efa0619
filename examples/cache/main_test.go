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
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"redis://" + server.Addr}, &stdout))
	require.Regexp(t, `^reads          40000, from the cache \d{4,}
not kept       \d+
writes         2200
invalidations  \d+: \d+ applied, [1-9]\d{2,} replaced by flushes of everything
flushes        [1-9]\d*
gaps           0
cached now     \d+, stale 0
$`, stdout.String())
	require.Equal(t, "0", server.Dial(t).Do("DBSIZE").String())
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
