package feed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// TestADeadServerIsNoticed freezes a server and measures how long a Feed takes
// to notice at the defaults, and how long to be armed after a restart.
func TestADeadServerIsNoticed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the defaults")
	}
	s := redistest.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}})
	s.Stop(t)
	frozen := time.Now()
	g := await(t, w.gaps)
	noticed := time.Since(frozen)
	require.ErrorIs(t, g.Cause, feed.ErrNoAnswer)
	require.Less(t, noticed, feed.DefaultEvery+feed.DefaultWithin)
	s.Cont(t)
	await(t, w.armed)

	s.Kill()
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrClosed)
	await(t, w.errors) // it is down
	s.Restart(t)
	restarted := time.Now()
	await(t, w.armed)
	t.Logf("noticed after %v, armed %v after the restart", noticed, time.Since(restarted))
	require.Less(t, time.Since(restarted), time.Second+slack)
}

func TestCredentialsAreAskedForAtEachDial(t *testing.T) {
	s := redistest.StartWith(t, redistest.Options{Password: "one"})
	password := make(chan string, 10)
	password <- "one"
	w := watch(t, &feed.Feed{Addr: s.Addr, Auth: func(context.Context) (string, string, error) { return "", <-password, nil }})
	w.run(t)
	await(t, w.armed)
	admin := s.Dial(t)
	admin.Do("CONFIG", "SET", "requirepass", "two")
	password <- "one"
	password <- "two"
	admin.Do("CLIENT", "KILL", "SKIPME", "yes", "TYPE", "normal")
	require.ErrorContains(t, await(t, w.errors), "WRONGPASS", "after the first arming a refusal is repeated")
	await(t, w.armed)
}

func TestTLSAndUnixSockets(t *testing.T) {
	t.Run("unix", func(t *testing.T) {
		s := redistest.StartWith(t, redistest.Options{Unix: true})
		start(t, &feed.Feed{Addr: s.Socket})
	})
	t.Run("tls", func(t *testing.T) {
		s := redistest.StartWith(t, redistest.Options{TLS: true})
		start(t, &feed.Feed{Addr: s.TLSAddr, Dial: feed.DialTLS(s.TLS)})
		w := watch(t, &feed.Feed{Addr: s.TLSAddr, Dial: feed.DialTLS(nil)})
		w.run(t)
		require.ErrorContains(t, await(t, w.errors), "certificate")
	})
}

func TestFlushesOfTheServerReachTheCache(t *testing.T) {
	s := redistest.Start(t)
	admin := s.Dial(t)
	for _, command := range []string{"FLUSHALL", "FLUSHDB"} {
		flushes := make(chan bool, 10)
		p := dispatch.NewProcessor()
		require.NoError(t, p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
			func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
				flushes <- i.FlushAll()
				return nil
			})))
		start(t, &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}, Processor: p})
		require.True(t, await(t, flushes), "at the start")
		require.True(t, await(t, flushes), "before arming")
		admin.Do(command)
		require.True(t, await(t, flushes))
	}
}

func TestFieldsThatContradictEachOtherAreRefused(t *testing.T) {
	drops := dispatch.NewQueueFunc(notify.OnInvalidate(
		func(context.Context, dispatch.NotificationHandlerContext, notify.Invalidation) error { return nil }),
		dispatch.QueueOverflow(dispatch.DropOldest))
	t.Cleanup(func() { _ = drops.Close(context.Background()) })
	for name, f := range map[string]*feed.Feed{
		"no address": {},
		"overlap":    {Addr: "x", Tracking: &feed.Tracking{Prefixes: []string{"user:", "u", "v"}}},
		"drops":      {Addr: "x", Tracking: &feed.Tracking{}, Queues: []*dispatch.Queue{drops}},
	} {
		require.Error(t, f.Run(t.Context()), name)
		require.Zero(t, f.Stats().Dials, name)
	}
}

// TestAFeedThatIsTooSlowIsCutOff has the server close the connection of a Feed
// whose handler does not return, at the limit of its output.
func TestAFeedThatIsTooSlowIsCutOff(t *testing.T) {
	s := redistest.Start(t)
	admin := s.Dial(t)
	admin.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 100kb 0 0")
	proceed := make(chan struct{})
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("message", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		<-proceed
		return nil
	}))
	w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"c"}, Tracking: &feed.Tracking{}, Processor: p, Probe: feed.Probe{Within: patience}})
	until(t, "the limit", func() bool {
		admin.Do("PUBLISH", "c", string(make([]byte, 100<<10)))
		return admin.Do("PUBSUB", "CHANNELS").Len() == 0
	})
	close(proceed)
	require.NotErrorIs(t, await(t, w.gaps).Cause, feed.ErrNoAnswer)
	await(t, w.armed)
}

// TestAHandlerThatBlocksCostsTheCoverageAtOnce has Coverage end while the
// goroutine of Run is still in a handler.
func TestAHandlerThatBlocksCostsTheCoverageAtOnce(t *testing.T) {
	s := redistest.Start(t)
	proceed := make(chan struct{})
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc("message", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		<-proceed
		return nil
	}))
	w := start(t, &feed.Feed{
		Addr: s.Addr, Channels: []string{"c"}, Processor: p,
		Probe: feed.Probe{Every: 10 * time.Millisecond, Within: 50 * time.Millisecond},
	})
	s.Dial(t).Do("PUBLISH", "c", "x")
	until(t, "the end of the coverage", func() bool { return !w.Coverage().Armed })
	require.Empty(t, w.gaps, "OnGap waits for the handler")
	close(proceed)
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrNoAnswer)
	await(t, w.armed)
}

func TestAThousandReconnectsLeaveNothing(t *testing.T) {
	s := redistest.Start(t)
	admin := s.Dial(t)
	w := start(t, &feed.Feed{
		Addr: s.Addr, ClientName: "again", Channels: []string{"c"}, Tracking: &feed.Tracking{},
		Backoff: func() feed.Backoff { return noWait{} },
	})
	n := rounds(t, 100)
	before := resources(t)
	for range n {
		admin.Do("CLIENT", "KILL", "TYPE", "pubsub")
		await(t, w.gaps)
		await(t, w.armed)
	}
	until(t, "goroutines and descriptors as before", func() bool { return resources(t) == before })
	require.Equal(t, uint64(n)+1, w.Stats().Arms)
}
