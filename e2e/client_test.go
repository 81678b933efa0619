package e2e_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/tap"
)

// patience bounds every wait, and a test that exceeds it fails. poll is the
// time between two looks at a condition.
const (
	patience = 30 * time.Second
	poll     = 5 * time.Millisecond
)

// TestMain silences the log of go-redis, because these tests break connections
// on purpose.
func TestMain(m *testing.M) {
	redis.SetLogger(new(logging.VoidLogger))
	os.Exit(m.Run())
}

// A dialer is a Dialer of go-redis.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// newProcessor returns a processor that fails the test when a handler returns
// an error other than errUnruly.
func newProcessor(tb testing.TB, opts ...dispatch.Option) *dispatch.Processor {
	return dispatch.NewProcessor(append(opts, dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		if !errors.Is(err, errUnruly) {
			tb.Errorf("handler of %s: %v", name, err)
		}
	}))...)
}

// handle registers f for a name.
func handle(tb testing.TB, p *dispatch.Processor, name string, f dispatch.HandlerFunc) {
	tb.Helper()
	require.NoError(tb, p.Handle(name, f))
}

// newClusterClient returns a go-redis client of a cluster that ends with the
// test. The connections of every node use p, except those for pub/sub, which
// go-redis reads itself.
func newClusterClient(tb testing.TB, addrs []string, dial dialer, p *dispatch.Processor, options ...func(*redis.ClusterOptions)) *redis.ClusterClient {
	tb.Helper()
	o := &redis.ClusterOptions{
		Addrs:                     addrs,
		Protocol:                  3,
		PushNotificationProcessor: goredis.NewProcessor(p),
		Dialer:                    dial,
		// One processor has room for the handlers of one client, and each node
		// has a client.
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ReadTimeout:              patience, // a message that may have been sent must not be sent again
		// Commands make go-redis look again at who has which slot; a client
		// that has none to send has this alone.
		ClusterStateReloadInterval: time.Second,
	}
	for _, option := range options {
		option(o)
	}
	client := redis.NewClusterClient(o)
	tb.Cleanup(func() { require.NoError(tb, client.Close()) })
	return client
}

// observed returns a dialer of connections with an observing tap on them.
func observed(dial dialer, p *dispatch.Processor) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return tap.NewConn(conn, p, tap.Observe()), nil
	}
}

// spawn runs f on a goroutine and counts it in wg.
func spawn(wg *sync.WaitGroup, f func()) {
	wg.Add(1)
	go func() {
		defer wg.Done()
		f()
	}()
}

// eventually waits until done returns true.
func eventually(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	again := time.NewTicker(poll)
	defer again.Stop()
	for timeout := time.After(patience); !done(); {
		select {
		case <-again.C:
		case <-timeout:
			require.FailNow(tb, "waited in vain for "+what)
		}
	}
}

// eventuallyEqual waits until the pushes that arrived and those that handlers
// received are the same.
func eventuallyEqual(tb testing.TB, lists func() (came, told []string)) {
	tb.Helper()
	again := time.NewTicker(poll)
	defer again.Stop()
	for deadline := time.Now().Add(patience); ; <-again.C {
		came, told := lists()
		if slices.Equal(came, told) {
			return
		}
		if time.Now().After(deadline) {
			require.Equal(tb, came, told)
		}
	}
}

// broken reports whether err clearly means that a connection has ended.
func broken(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// lost is like broken, but also accepts the errors of a connection that the
// test closed or could not open.
func lost(err error) bool {
	return broken(err) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNREFUSED)
}
