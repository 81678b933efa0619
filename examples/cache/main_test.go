package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

func TestProgramOverflowsAndLeavesNothingStale(t *testing.T) {
	server := redistest.Start(t)
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"redis://" + server.Addr}, &stdout))
	require.Regexp(t, `^reads          40000, from the cache \d{4,}
loaded again   \d+, because they were invalidated meanwhile
writes         2200
invalidations  \d+: \d+ applied, [1-9]\d{2,} replaced by flushes of everything
flushes        [1-9]\d*
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

// The cache is on from the server's reply to CLIENT TRACKING to the end of the
// connection.
func TestCacheIsOnFromTheServersReplyToTheEndOfTheConnection(t *testing.T) {
	for _, end := range []string{"", "-ERR no\r\n", ">1\r\n+inval"} {
		_, c := newTestCache()
		on := make(chan bool, 1)
		queue := dispatch.NewQueue(dispatch.HandlerFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
			on <- c.current.Load() != nil
			return nil
		}))
		conn, server := net.Pipe()
		ended := make(chan error, 1)
		go func() { ended <- (&tracking{conn: conn}).run(t.Context(), queue, c) }()

		command, err := parser.NewReader(server).Next()
		require.NoError(t, err)
		require.Equal(t, `["CLIENT" "TRACKING" "ON" "BCAST" "PREFIX" "respush-example-cache:"]`, command.Value().String())
		require.Nil(t, c.current.Load())
		_, err = io.WriteString(server, "+OK\r\n"+invalidateK)
		require.NoError(t, err)
		require.True(t, <-on)
		_, err = io.WriteString(server, end)
		require.NoError(t, err)
		require.NoError(t, server.Close())
		require.Error(t, <-ended)
		require.Nil(t, c.current.Load())
		require.NoError(t, queue.Close(t.Context()))
		require.NoError(t, conn.Close())
	}
}
