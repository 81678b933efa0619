package dispatch_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// deliver gives the pushes in wire to o, one by one.
func deliver(t *testing.T, o *dispatch.Overlay, wire string) {
	t.Helper()
	for b := []byte(wire); len(b) > 0; {
		f, n, err := parser.Parse(b)
		require.NoError(t, err)
		o.Deliver(context.Background(), new(dispatch.NotificationHandlerContext), f.Name(), f)
		b = b[n:]
	}
}

func TestDeliverDoesWhatProcessBufferedDoes(t *testing.T) {
	wire := push("both", "1") + push("both", "2") + push("shared", "3") + push("own", "4") + push("nobody", "5")
	for name, conduct := range map[string]func() error{
		"return": func() error { return nil },
		"fail":   func() error { return errors.New("failure") },
		"panic":  func() error { panic("panic") },
	} {
		for _, fallback := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				run := func(deliver func(o *dispatch.Overlay)) ([]string, []string, dispatch.Stats) {
					var j journal
					var failed []string
					opts := []dispatch.Option{dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
						failed = append(failed, string(name)+": "+err.Error())
					})}
					if fallback {
						opts = append(opts, dispatch.WithFallback(dispatch.HandlerFunc(
							func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
								return j.shared(f)
							})))
					}
					p := dispatch.NewProcessor(opts...)
					act := func(f parser.Frame) error { _ = j.shared(f); return conduct() }
					handle(t, p, "both", act)
					handle(t, p, "shared", act)
					o := p.Overlay()
					for _, name := range []string{"both", "own"} {
						require.NoError(t, o.RegisterHandler(name, handler(func(notification []any) error {
							_ = j.own("own").HandlePushNotification(context.Background(), dispatch.NotificationHandlerContext{}, notification)
							return conduct()
						}), false))
					}
					deliver(o)
					return j.entries, failed, p.Stats()
				}
				entries, failed, stats := run(func(o *dispatch.Overlay) { require.Equal(t, 5, ownBuffer()(t, wire).overlaid(t, o)) })
				gotEntries, gotFailed, gotStats := run(func(o *dispatch.Overlay) { deliver(t, o, wire) })
				require.Equal(t, entries, gotEntries)
				require.Equal(t, failed, gotFailed)
				require.Equal(t, stats, gotStats)
			})
		}
	}
}

func TestDeliverOutlivesThePanicOfAnErrorHandler(t *testing.T) {
	p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(context.Context, []byte, error) { panic("error handler") }))
	handle(t, p, "a", func(parser.Frame) error { return errors.New("failure") })
	deliver(t, p.Overlay(), push("a", "1")+push("a", "2"))
	require.Equal(t, dispatch.Stats{Pushes: 2, Bytes: uint64(2 * len(push("a", "1"))), Errors: 2, Panics: 2}, p.Stats())
}

func TestDeliverLetsAHandlerEndItsGoroutine(t *testing.T) {
	p, _, failed := recording()
	handle(t, p, "a", func(parser.Frame) error { runtime.Goexit(); return nil })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		deliver(t, p.Overlay(), push("a", "1"))
		t.Error("the goroutine goes on")
	}()
	<-ended
	require.Empty(t, *failed)
	require.EqualValues(t, 1, p.Stats().Pushes)
	require.Zero(t, p.Stats().Panics)
}
