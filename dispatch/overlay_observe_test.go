package dispatch_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

func TestAnObserverGetsAPushBesideItsHandlerOrTheFallback(t *testing.T) {
	var got []string
	record := func(who string) dispatch.HandlerFunc {
		return func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			got = append(got, who+" "+string(push.Name()))
			return nil
		}
	}
	p := dispatch.NewProcessor(dispatch.WithFallback(record("fallback")))
	require.NoError(t, p.Handle("known", record("handler")))
	o := p.Overlay()
	require.NoError(t, o.Observe("known", record("observer")))
	require.NoError(t, o.Observe("subscribe", record("observer")))
	require.ErrorIs(t, o.Observe("none", nil), dispatch.ErrHandlerNil)
	require.True(t, dispatch.IsHandlerExistsError(o.Observe("known", record("another"))))

	want := []string{"handler known", "observer known", "fallback subscribe", "observer subscribe", "fallback other"}
	wire := push("known", "1") + push("subscribe", "2") + push("other", "3")
	rd := parser.NewReader(strings.NewReader(wire))
	require.NoError(t, o.Serve(t.Context(), dispatch.NotificationHandlerContext{}, rd, nil))
	require.Equal(t, want, got)
}
