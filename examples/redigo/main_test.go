package main

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestProgramHearsOfChangesBesideRedigo(t *testing.T) {
	server := redistest.Start(t)
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"redis://" + server.Addr}, &stdout))
	require.Equal(t, `replies      10000, all correct, and a null for a missing key
invalidated  10001 times, on the connection beside redigo's
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

func TestServerThatRefusesTheFeedIsAnError(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Dial(t)
	admin.Do("ACL", "SETUSER", "ada", "on", ">sesame", "~*", "+@all", "-client|tracking")
	err := run(t.Context(), []string{"redis://ada:sesame@" + server.Addr}, io.Discard)
	var refused *feed.SetupError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "CLIENT TRACKING", refused.Command)
}
