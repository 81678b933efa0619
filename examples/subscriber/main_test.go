package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
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

func TestProgramFollowsSessions(t *testing.T) {
	server := redistest.Start(t)
	requireFollowed(t, "redis://"+server.Addr, server)
}

func TestProgramIsTheSameWithACluster(t *testing.T) {
	nodes := redistest.StartCluster(t).Nodes
	requireFollowed(t, "redis://"+nodes[1].Addr+"?cluster=true", nodes...)
}

// requireFollowed runs the program. None of its keys may be left on the servers.
func requireFollowed(t *testing.T, url string, servers ...*redistest.Server) {
	t.Helper()
	var stdout bytes.Buffer
	require.NoError(t, run(t.Context(), []string{url}, &stdout))
	require.Equal(t, "gap: feed: not armed yet\nsessions now  60\nlater gaps    0\n", stdout.String())
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
	require.ErrorIs(t, run(ctx, []string{"redis://" + server.Addr}, io.Discard), context.Canceled)
}

// requireRight lets sessions begin and end during each fault. Afterwards the list
// must equal the sessions on the servers, and must follow the next sessions.
func requireRight(t *testing.T, server program.Server, faults []func(*sessions)) {
	t.Helper()
	client := server.Client()
	defer client.Close()
	s := newSessions(server, server.Topology(client), keys(), io.Discard)
	s.feed.Probe = feed.Probe{Every: 100 * time.Millisecond, Within: 300 * time.Millisecond}
	ended := make(chan error, 1)
	go func() { ended <- s.run(t.Context()) }()
	require.NoError(t, program.Until(t.Context(), func() bool { return covered(s) }))
	next := 0
	for _, fault := range faults {
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for ; ; next++ {
				select {
				case <-stop:
					return
				default:
				}
				// Faults cause errors.
				_ = change(t.Context(), client, next, "+")
				if next%3 > 0 {
					_ = change(t.Context(), client, next-1, "-")
				}
			}
		}()
		fault(s)
		require.NoError(t, program.Until(t.Context(), func() bool { return covered(s) }))
		close(stop)
		<-stopped
		require.NoError(t, settle(t.Context(), client, s))
		for i := next; i < next+groups; i++ {
			name := strconv.Itoa(i)
			require.NoError(t, change(t.Context(), client, i, "+"))
			require.NoError(t, program.Until(t.Context(), func() bool { return slices.Contains(s.now(), name) }))
			require.NoError(t, change(t.Context(), client, i, "-"))
			require.NoError(t, program.Until(t.Context(), func() bool { return !slices.Contains(s.now(), name) }))
		}
		require.NoError(t, settle(t.Context(), client, s))
		t.Logf("%d gaps, %d sessions", s.feed.Stats().Gaps-1, len(s.now()))
	}
	require.NoError(t, s.end(t.Context()))
	require.NoError(t, <-ended)
}

// covered reports whether all groups are covered.
func covered(s *sessions) bool {
	return !slices.ContainsFunc(keys(), func(key string) bool { return !s.feed.CoverageOf(key).Armed })
}

// awaitGap waits for a gap.
func awaitGap(t *testing.T, s *sessions) {
	t.Helper()
	gaps := s.feed.Stats().Gaps
	require.NoError(t, program.Until(t.Context(), func() bool { return s.feed.Stats().Gaps > gaps }))
}

// The server loses its keys, is frozen, or loses its connections.
func TestListIsRightAfterFaults(t *testing.T) {
	server := redistest.Start(t)
	requireRight(t, program.Server{Addr: server.Addr}, []func(*sessions){
		func(*sessions) {},
		func(*sessions) { server.Restart(t) },
		func(s *sessions) { server.Stop(t); awaitGap(t, s); server.Cont(t) },
		func(*sessions) { server.Dial(t).Do("CLIENT", "KILL", "TYPE", "pubsub") },
	})
}

// A primary is frozen, loses its connections or a slot, is replaced, or is killed.
func TestListIsRightAfterFaultsOfACluster(t *testing.T) {
	c := redistest.StartReplicatedCluster(t)
	moved := 0
	for feed.Slot(key(moved))*3/feed.SlotCount != 2 {
		moved++
	}
	awaitPrimary := func(s *sessions, node *redistest.Server) {
		require.NoError(t, program.Until(t.Context(), func() bool {
			primary, _ := s.feed.Primary(key(moved))
			return primary.Addr == node.Addr
		}))
	}
	requireRight(t, program.Server{Addr: c.Nodes[0].Addr, Cluster: true}, []func(*sessions){
		func(*sessions) {},
		func(s *sessions) { c.Nodes[1].Stop(t); awaitGap(t, s); c.Nodes[1].Cont(t) },
		func(*sessions) { c.Nodes[2].Dial(t).Do("CLIENT", "KILL", "TYPE", "pubsub") },
		func(s *sessions) { c.Migrate(t, feed.Slot(key(moved)), 2, 0); awaitPrimary(s, c.Nodes[0]) },
		func(s *sessions) { c.Promote(t, 3); awaitPrimary(s, c.Nodes[3]) },
		func(*sessions) { c.Nodes[1].Kill(); c.Promote(t, 4, "FORCE") },
	})
}

// A group is read from the primary that sends its messages, because an old
// primary may still have sessions that its successor does not have.
func TestGroupWithoutAPrimaryIsNotRead(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "localhost:1"})
	defer client.Close()
	s := newSessions(program.Server{Addr: "localhost:1"}, program.Server{Addr: "localhost:1"}.Topology(client), keys(), io.Discard)
	require.ErrorIs(t, s.readAll(t.Context(), key(0)), errNoPrimary)
}
