package docs

import (
	"context"
	"log"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
)

// keepFeed is the README's connection that heals itself.
func keepFeed(ctx context.Context, invalidate func(context.Context, dispatch.NotificationHandlerContext, notify.Invalidation) error) error {
	p := dispatch.NewProcessor()
	err := p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(invalidate)) // guard first, cache second
	if err != nil {
		return err
	}
	f := &feed.Feed{
		Addr:      "localhost:6379",
		Tracking:  &feed.Tracking{Prefixes: []string{"user:"}},
		Channels:  []string{"news"},
		Processor: p,
		OnGap:     func(ctx context.Context, g feed.Gap) { log.Printf("since %v: %v", g.Since, g.Cause) },
	}
	err = f.Run(ctx) // until ctx ends
	return err
}

func TestREADMEFeedFlushesBeforeItIsArmed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := keepFeed(ctx, func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
		require.True(t, i.FlushAll())
		cancel()
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
}
