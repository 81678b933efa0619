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

// patience bounds every wait; a test that runs into it fails. How often a
// condition is looked at meanwhile is poll.
const (
	patience = 30 * time.Second
	poll     = 5 * time.Millisecond
)

// TestMain has go-redis log nothing: connections that break are what these
// tests are about.
func TestMain(m *testing.M) {
	redis.SetLogger(new(logging.VoidLogger))
	os.Exit(m.Run())
}

// A dialer opens connections, as go-redis wants it.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// newProcessor returns a processor of which any error of a handler fails the
// test.
func newProcessor(tb testing.TB, opts ...dispatch.Option) *dispatch.Processor {
	return dispatch.NewProcessor(append(opts, dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		tb.Errorf("handler of %s: %v", name, err)
	}))...)
}

// handle registers f for a name.
func handle(tb testing.TB, p *dispatch.Processor, name string, f dispatch.HandlerFunc) {
	tb.Helper()
	require.NoError(tb, p.Handle(name, f))
}

// newClusterClient returns a go-redis client of a cluster that ends with the
// test. Each node's connections have p, but for pub/sub, which is go-redis' own
// to read.
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
		ReadTimeout:              patience, // a message that may have been sent is not to be sent again
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

// spawn runs f on a goroutine that wg counts.
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

// eventuallyEqual waits until what came and what was told of it are the same.
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

// broken reports whether err says plainly that a connection has ended.
func broken(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// lost is broken for who may also have closed the connection, or not have got
// one.
func lost(err error) bool {
	return broken(err) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNREFUSED)
}
