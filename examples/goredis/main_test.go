package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestProgramHandlesItsPushes(t *testing.T) {
	server := redistest.Start(t)
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"redis://" + server.Addr}, &stdout))
	require.Equal(t, `replies      20000, all as they should be
messages     10, through go-redis' PubSub
invalidated  9000 keys
processor    9000 pushes, 530010 bytes, 0 unhandled
handlers     of go-redis beside it: MOVING MIGRATING MIGRATED FAILING_OVER FAILED_OVER SMIGRATING SMIGRATED
`, stdout.String())
	require.Equal(t, "0", server.Dial(t).Do("DBSIZE").String(), "nothing is left behind")
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
