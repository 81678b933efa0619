package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
)

func TestSubscriberTakes25LinesBesideItsBusiness(t *testing.T) {
	source, err := os.ReadFile("sessions.go")
	require.NoError(t, err)
	lines := program.Region(string(source))
	t.Logf("%d lines", lines)
	require.LessOrEqual(t, lines, 25)
}

func TestProgramFollowsSessionsToTheirEnd(t *testing.T) {
	server := redistest.Start(t)
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"redis://" + server.Addr}, &stdout))
	require.Regexp(t, `^gap: feed: not armed yet
sessions now  100
sessions now  0
expired       \d+
gaps          1, 1 of them before the start
$`, stdout.String())
	admin := server.Dial(t)
	require.Equal(t, "0", admin.Do("DBSIZE").String())
	require.Contains(t, admin.Do("CONFIG", "GET", "notify-keyspace-events").String(), `""`, "as before")
}

func TestProgramWithoutAServerSaysSo(t *testing.T) {
	require.ErrorIs(t, run(t.Context(), nil, nil), program.ErrNoServer)
}

func TestProgramEndsWhenInterrupted(t *testing.T) {
	server := redistest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, []string{"redis://" + server.Addr}, io.Discard), context.Canceled)
}

// The server loses its keys, its settings, its connections, or its time.
func TestListIsRightAfterFaults(t *testing.T) {
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer client.Close()
	s := newSessions(program.Server{Addr: server.Addr}, client, prefix, io.Discard)
	s.feed.Probe = feed.Probe{Every: 100 * time.Millisecond, Within: 300 * time.Millisecond}
	ended := make(chan error, 1)
	go func() { ended <- s.run(t.Context()) }()
	gap := func() {
		gaps := s.feed.Stats().Gaps
		require.NoError(t, until(t.Context(), func() bool { return s.feed.Stats().Gaps > gaps }))
	}
	for i, fault := range []func(){
		func() {},
		func() { server.Restart(t) },
		func() {
			server.Stop(t)
			gap()
			server.Cont(t)
			server.WaitReady(t)
		},
		func() { server.Dial(t).Do("CLIENT", "KILL", "TYPE", "pubsub") },
	} {
		key := prefix + strconv.Itoa(i)
		fault()
		admin := server.Dial(t)
		admin.Do("SET", key, "")
		require.NoError(t, until(t.Context(), func() bool {
			now := s.now()
			return len(now) > 0 && now[0] == strconv.Itoa(i)
		}))
		admin.Do("DEL", key)
		require.NoError(t, until(t.Context(), func() bool { return len(s.now()) == 0 }))
	}
	require.NoError(t, s.end(t.Context()))
	require.NoError(t, <-ended)
	require.Equal(t, "0", server.Dial(t).Do("PUBSUB", "NUMPAT").String())
}
