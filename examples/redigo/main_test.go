package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
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

func TestTrackingThatEndsIsAnError(t *testing.T) {
	for _, end := range []string{"", "-ERR no\r\n", "+OK\r\n", "+OK\r\n>1\r\n+inval"} {
		conn, server := net.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- (&tracking{conn: conn, on: make(chan struct{})}).run(t.Context()) }()
		command, err := parser.NewReader(server).Next()
		require.NoError(t, err)
		require.Equal(t, `["CLIENT" "TRACKING" "ON" "BCAST" "PREFIX" "respush-example-redigo:"]`, command.Value().String())
		_, err = io.WriteString(server, end)
		require.NoError(t, err)
		require.NoError(t, server.Close())
		require.Error(t, <-ended)
		require.NoError(t, conn.Close())
	}
}
