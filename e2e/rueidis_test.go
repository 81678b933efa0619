package e2e_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/tap"
)

// newRueidis returns a rueidis client over observing taps.
func newRueidis(t *testing.T, addr string, ws *wires, options rueidis.ClientOption) rueidis.Client {
	t.Helper()
	p := newProcessor(t, dispatch.WithFallback(dispatch.HandlerFunc(tell)))
	options.InitAddress = []string{addr}
	options.ForceSingleClient = true
	options.DialCtxFn = func(ctx context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
		conn, err := ws.dial(ctx, "tcp", addr)
		if err != nil {
			return nil, err
		}
		return tap.NewConn(conn, p, tap.Observe()), nil
	}
	client, err := rueidis.NewClient(options)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// The test has rueidis drop what it caches by the invalidations that handlers
// see too.
func TestRueidisDropsWhatIsInvalidated(t *testing.T) {
	t.Parallel()
	const writes = 300
	server := redistest.Start(t)
	other := server.Dial(t)
	var ws wires
	var mu sync.Mutex
	var dropped []string // by rueidis
	client := newRueidis(t, server.Addr, &ws, rueidis.ClientOption{OnInvalidations: func(keys []rueidis.RedisMessage) {
		mu.Lock()
		defer mu.Unlock()
		for _, key := range keys {
			text, err := key.ToString()
			if err != nil {
				t.Error(err)
			}
			dropped = append(dropped, text)
		}
	}})
	ctx := t.Context()
	get := func(key string) (value string, hit bool) {
		reply := client.DoCache(ctx, client.B().Get().Key(key).Cache(), time.Minute)
		value, err := reply.ToString()
		require.NoError(t, err)
		return value, reply.IsCacheHit()
	}
	for i := range writes {
		key, want := fmt.Sprintf("k:%04d", i%10), strconv.Itoa(i)
		other.Do("SET", key, want)
		eventually(t, "the new value", func() bool { // the old one is as good until the invalidation comes
			value, _ := get(key)
			return value == want
		})
		value, hit := get(key)
		require.Equal(t, want, value)
		require.True(t, hit)
	}
	eventually(t, "all invalidations", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(dropped) == writes-10 // a key that nobody has read is not tracked
	})
	var told []string
	for _, w := range ws.list() {
		require.Equal(t, w.pushes(t), w.told.all())
		for _, match := range invalidated.FindAllStringSubmatch(fmt.Sprint(w.told.all()), -1) {
			told = append(told, match[1]+match[2])
		}
	}
	require.ElementsMatch(t, dropped, told) // in order for each of the connections
}

// The test has rueidis subscribe while it runs commands.
func TestRueidisSubscribesWhileItRunsCommands(t *testing.T) {
	t.Parallel()
	const n = 1000
	server := redistest.Start(t)
	other := server.Dial(t)
	var ws wires
	client := newRueidis(t, server.Addr, &ws, rueidis.ClientOption{})
	ctx, cancel := context.WithCancel(t.Context())
	subscribed := make(chan struct{})
	ended := make(chan error, 1)
	var got []string // until ended
	all := make(chan struct{})
	go func() {
		ctx := rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) { close(subscribed) })
		ended <- client.Receive(ctx, client.B().Subscribe().Channel("news").Build(), func(msg rueidis.PubSubMessage) {
			if got = append(got, messageLine("message", msg.Channel, msg.Message)); len(got) == n {
				close(all)
			}
		})
	}()
	<-subscribed
	for i := range n {
		other.Do("PUBLISH", "news", strconv.Itoa(i))
		reply, err := client.Do(ctx, client.B().Echo().Message(strconv.Itoa(i)).Build()).ToString()
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(i), reply)
	}
	select {
	case <-all:
	case <-time.After(patience):
		require.FailNow(t, "waited in vain for all messages")
	}
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	var told []string
	for _, w := range ws.list() {
		told = append(told, about(w.told.all(), "news")...)
	}
	require.Len(t, got, n)
	require.Equal(t, got, told[1:1+n]) // behind the confirmation
}
