package feed_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/respserver"
	"github.com/seed79615202/respush/notify"
)

// TestAGapHasAnOrder writes down what happens in a gap, with the coverage of
// that moment.
func TestAGapHasAnOrder(t *testing.T) {
	s := respserver.Start(t)
	s.Handle("CLIENT TRACKING", func(c *respserver.Conn, cmd []string) {
		respserver.Default(c, cmd)
		c.Push("invalidate", []string{"early"}) // before the set-up is complete
	})
	var mu sync.Mutex
	var log []string
	p := dispatch.NewProcessor()
	f := &feed.Feed{Addr: s.Addr, Tracking: &feed.Tracking{}, Processor: p, Backoff: func() feed.Backoff { return noWait{} }}
	armed := make(chan struct{}, 10)
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		c := f.Coverage()
		log = append(log, fmt.Sprintf("%s, generation %d, armed %v", what, c.Gen, c.Armed))
	}
	require.NoError(t, p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			if i.FlushAll() {
				note("flush")
			}
			for key := range i.Keys() {
				note("key " + string(key))
			}
			return nil
		})))
	f.OnGap = func(_ context.Context, g feed.Gap) { note(fmt.Sprintf("gap %d: %v", g.Gen, g.Cause)) }
	f.OnArmed = func(context.Context, feed.Coverage) {
		note("armed")
		armed <- struct{}{}
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	await(t, armed)
	lastConn(s).Push("invalidate", []string{"last"})
	lastConn(s).Close()
	await(t, armed)
	stop()
	require.ErrorIs(t, await(t, ended), context.Canceled)
	require.Equal(t, []string{
		"flush, generation 1, armed false",
		"gap 1: feed: not armed yet, generation 1, armed false",
		"key early, generation 1, armed false",
		"flush, generation 1, armed false",
		"armed, generation 1, armed true",
		"key last, generation 1, armed true",
		"flush, generation 2, armed false",
		"gap 2: feed: server closed the connection, generation 2, armed false",
		"key early, generation 2, armed false",
		"flush, generation 2, armed false",
		"armed, generation 2, armed true",
	}, log)
	require.Equal(t, feed.Coverage{Gen: 3}, f.Coverage(), "shutting down is no gap, but nothing is vouched for")
}
