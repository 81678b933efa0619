package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestProgramLosesNoReplyInAMove(t *testing.T) {
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &stdout))
	got := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(stdout.String(), "ADDR")
	got = regexp.MustCompile(`after \d.*`).ReplaceAllString(got, "after")
	require.Equal(t, `no server: playing two of them
connected to ADDR
CLIENT               OK after
PING                 PONG after
  push  MIGRATING  seq 1  in 2s  shards 1,2
        a reply may now take 10s
PING                 PONG after
  push  MIGRATED  seq 2  shards 1,2
        a reply may now take 500ms
PING                 PONG after
  push  FAILING_OVER  seq 3  in 1s  shards 2
        a reply may now take 10s
PING                 PONG after
  push  FAILED_OVER  seq 4  shards 2
        a reply may now take 500ms
  push  CHECKING_DISKS  5
        no handler
PING                 PONG after
  push  SMIGRATING  seq 6  slots 123,789-1000
        a reply may now take 10s
PING                 PONG after
  push  SMIGRATED  seq 7  10.0.0.1:6379 to 10.0.0.2:6379 slots 123,789-1000
        a reply may now take 500ms
PING                 PONG after
  push  MOVING  seq 8  in 2s  to ADDR
        the next command goes to ADDR
PING                 PONG after
connected to ADDR
CLIENT               OK after
PING                 PONG after
`, got)
	addrs := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindAllString(stdout.String(), -1)
	require.Len(t, addrs, 4)
	require.NotEqual(t, addrs[0], addrs[1])
	require.Equal(t, []string{addrs[1], addrs[1]}, addrs[2:])
}

// A late reply without an announcement is an error.
func TestUnannouncedIsTooLate(t *testing.T) {
	server, err := play(t.Context(), []step{{takes: busy}})
	require.NoError(t, err)
	err = ping(t.Context(), program.Server{Addr: server}, io.Discard, 1, time.Second)
	var timeout interface{ Timeout() bool }
	require.True(t, errors.As(err, &timeout) && timeout.Timeout(), "%v", err)
}

// Without an endpoint the client connects to the same address again.
func TestMovingToTheSameAddressReconnects(t *testing.T) {
	server, err := play(t.Context(), []step{{pushes: ">4\r\n+MOVING\r\n:1\r\n:2\r\n_\r\n"}})
	require.NoError(t, err)
	var stdout bytes.Buffer
	require.NoError(t, ping(t.Context(), program.Server{Addr: server}, &stdout, 2, time.Millisecond))
	require.Equal(t, 2, strings.Count(stdout.String(), "connected to "+server+"\n"))
}

// A plain Redis server sends no maintenance notifications and refuses the
// request.
func TestProgramTellsOfARefusal(t *testing.T) {
	server := redistest.Start(t)
	var stdout bytes.Buffer
	err := run(t.Context(), []string{"redis://" + server.Addr}, &stdout)
	require.ErrorContains(t, err, "no maintenance notifications here: the server refused: \"ERR ")
	require.Equal(t, "connected to "+server.Addr+"\n", stdout.String())
}

func TestProgramRefusesAMalformedURL(t *testing.T) {
	require.ErrorIs(t, run(t.Context(), []string{"localhost"}, nil), program.ErrNoServer)
}

// Ctrl-C does not wait for a reply.
func TestProgramEndsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server, err := play(t.Context(), []step{{pushes: ">2\r\n+FAILING_OVER\r\n:1\r\n", takes: time.Minute}})
	require.NoError(t, err)
	stdout, written := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- ping(ctx, program.Server{Addr: server}, written, 1, time.Second)
		_ = written.Close()
	}()
	var seen strings.Builder
	for !strings.Contains(seen.String(), "10s\n") { // it now waits for the reply
		n, err := io.CopyN(&seen, stdout, 1)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}
