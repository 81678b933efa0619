package feed_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// patience bounds every wait; a test that runs into it fails.
const patience = 30 * time.Second

// await returns the next value of c.
func await[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}

// watched is a Feed whose events a test waits for.
type watched struct {
	*feed.Feed
	gaps   chan feed.Gap
	armed  chan feed.Coverage
	errors chan error
	pushes chan string // the text of each push
	ended  chan error
	stop   context.CancelFunc
}

// watch gives f a Processor and functions that send what happens.
func watch(t testing.TB, f *feed.Feed) *watched {
	t.Helper()
	w := &watched{
		Feed: f,
		gaps: make(chan feed.Gap, 1000), armed: make(chan feed.Coverage, 1000), errors: make(chan error, 1000),
		pushes: make(chan string, 100000), ended: make(chan error, 1),
	}
	if f.Processor == nil {
		f.Processor = dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
			func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
				w.pushes <- push.Value().String()
				return nil
			})))
	}
	f.OnGap = func(_ context.Context, g feed.Gap) { w.gaps <- g }
	f.OnArmed = func(_ context.Context, c feed.Coverage) { w.armed <- c }
	f.OnError = func(_ context.Context, err error) { w.errors <- err }
	return w
}

// run runs the Feed until the end of the test.
func (w *watched) run(t testing.TB) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	var once sync.WaitGroup
	once.Add(1)
	go func() {
		defer once.Done()
		w.ended <- w.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		once.Wait()
	})
}

// start is watch, run, and the wait until the Feed is armed.
func start(t testing.TB, f *feed.Feed) *watched {
	t.Helper()
	w := watch(t, f)
	w.run(t)
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrStart)
	require.True(t, await(t, w.armed).Armed)
	return w
}

func TestAFeedIsArmedAndReportsChanges(t *testing.T) {
	s := redistest.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, ClientName: "feed", Tracking: &feed.Tracking{Prefixes: []string{"user:"}}, Channels: []string{"news"}})
	c := w.Coverage()
	require.True(t, c.Armed)
	require.Equal(t, uint64(1), c.Gen)
	require.WithinDuration(t, time.Now(), c.AsOf, patience)

	client := s.Dial(t)
	require.Contains(t, client.Do("CLIENT", "LIST").String(), " name=feed ")
	client.Do("SET", "user:1", "x")
	client.Do("SET", "other", "x")
	client.Do("PUBLISH", "news", "hello")
	got := []string{await(t, w.pushes), await(t, w.pushes), await(t, w.pushes), await(t, w.pushes), await(t, w.pushes)}
	require.Equal(t, []string{
		`["invalidate" null]`, `["subscribe" "news" 1]`, `["invalidate" null]`, `["invalidate" ["user:1"]]`, `["message" "news" "hello"]`,
	}, got)

	client.Do("CLIENT", "KILL", "TYPE", "pubsub")
	g := await(t, w.gaps)
	require.ErrorIs(t, g.Cause, feed.ErrClosed)
	require.Equal(t, uint64(2), g.Gen)
	c = await(t, w.armed)
	require.Equal(t, feed.Coverage{Gen: 2, Armed: true, AsOf: c.AsOf}, c)
	w.stop()
	require.ErrorIs(t, await(t, w.ended), context.Canceled)
	require.False(t, w.Coverage().Armed)
	require.Empty(t, w.gaps)
}

func TestSubscriptionsChangeWhileAFeedRuns(t *testing.T) {
	s := redistest.Start(t)
	w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"old"}})
	client := s.Dial(t)
	require.NoError(t, w.Subscribe(t.Context(), feed.Channel, "a", "b"))
	require.NoError(t, w.Subscribe(t.Context(), feed.Pattern, "p*"))
	require.NoError(t, w.Subscribe(t.Context(), feed.ShardChannel, "s1", "s2"))
	require.NoError(t, w.Unsubscribe(t.Context(), feed.Channel, "old", "b"))
	client.Do("CLIENT", "KILL", "TYPE", "pubsub")
	require.ErrorIs(t, await(t, w.gaps).Cause, feed.ErrClosed)
	await(t, w.armed)
	require.Equal(t, `["a"]`, client.Do("PUBSUB", "CHANNELS").String())
	require.Equal(t, "1", client.Do("PUBSUB", "NUMPAT").String())
	require.Equal(t, int64(2), int64(client.Do("PUBSUB", "SHARDCHANNELS").Len()))
	require.NoError(t, w.Shutdown(t.Context()))
	require.NoError(t, await(t, w.ended))
}

func TestARefusalBeforeTheFirstArmingEndsRun(t *testing.T) {
	s := redistest.Start(t)
	s.Dial(t).Do("CONFIG", "SET", "requirepass", "secret")
	f := &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}}
	err := f.Run(t.Context())
	var refused *feed.SetupError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "HELLO", refused.Command)
	require.Contains(t, err.Error(), "NOAUTH")
	require.False(t, f.Coverage().Armed)

	f.Auth = func(context.Context) (string, string, error) { return "", "wrong", nil }
	require.ErrorContains(t, f.Run(t.Context()), "WRONGPASS")
	f.Auth = func(context.Context) (string, string, error) { return "", "secret", nil }
	start(t, f)
}

func TestAHandlerCanEndAFeed(t *testing.T) {
	s := redistest.Start(t)
	failure := errors.New("enough")
	p := dispatch.NewProcessor()
	f := &feed.Feed{Addr: s.Addr, Channels: []string{"c"}, Processor: p}
	require.NoError(t, p.HandleFunc("message", notify.OnMessage(func(context.Context, dispatch.NotificationHandlerContext, notify.Message) error {
		f.Stop(failure)
		return nil
	})))
	w := start(t, f)
	s.Dial(t).Do("PUBLISH", "c", "x")
	require.ErrorIs(t, await(t, w.ended), failure)
}

// A Processor that drops pushes over a limit would leave a stale value in a cache.
func TestAPushOverALimitIsAGap(t *testing.T) {
	s := redistest.Start(t)
	for name, p := range map[string]*dispatch.Processor{
		"as it is": nil, "skipped elsewhere": dispatch.NewProcessor(dispatch.WithSkipOversize()),
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, &feed.Feed{Addr: s.Addr, Channels: []string{"c"}, Limits: parser.Limits{MaxBulk: 1000}, Processor: p})
			s.Dial(t).Do("PUBLISH", "c", strings.Repeat("x", 1001))
			var limit *parser.LimitError
			require.ErrorAs(t, await(t, w.gaps).Cause, &limit)
			require.True(t, await(t, w.armed).Armed)
			require.Zero(t, w.Processor.Stats().Oversize)
		})
	}
}
