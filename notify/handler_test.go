package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// oneOfEach has a push of each known name.
var oneOfEach = []string{
	">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n",
	">3\r\n+message\r\n+c\r\n+m\r\n",
	">4\r\n+pmessage\r\n+c*\r\n+c\r\n+m\r\n",
	">3\r\n+smessage\r\n+c\r\n+m\r\n",
	">3\r\n+subscribe\r\n+c\r\n:1\r\n",
	">3\r\n+psubscribe\r\n+c\r\n:1\r\n",
	">3\r\n+ssubscribe\r\n+c\r\n:1\r\n",
	">3\r\n+unsubscribe\r\n_\r\n:0\r\n",
	">3\r\n+punsubscribe\r\n_\r\n:0\r\n",
	">3\r\n+sunsubscribe\r\n_\r\n:0\r\n",
	">4\r\n+MOVING\r\n:1\r\n:30\r\n+h:1\r\n",
	">4\r\n+MIGRATING\r\n:1\r\n:30\r\n+1\r\n",
	">3\r\n+MIGRATED\r\n:1\r\n+1\r\n",
	">4\r\n+FAILING_OVER\r\n:1\r\n:30\r\n+1\r\n",
	">3\r\n+FAILED_OVER\r\n:1\r\n+1\r\n",
	">3\r\n+SMIGRATING\r\n:1\r\n+1-2\r\n",
	">3\r\n+SMIGRATED\r\n:1\r\n*1\r\n*3\r\n+a:1\r\n+b:1\r\n+1-2\r\n",
	">2\r\n+tracking-redir-broken\r\n:7\r\n",
	">2\r\n+server-cpu-usage\r\n:42\r\n",
}

// from is the handler context of the processors here.
type from = dispatch.NotificationHandlerContext

// newProcessor returns a processor with the handler of its family for each known name.
func newProcessor(t *testing.T, handlers map[notify.Family]dispatch.HandlerFunc, opts ...dispatch.Option) *dispatch.Processor {
	t.Helper()
	p := dispatch.NewProcessor(append(opts, dispatch.WithPubSub())...)
	for family, names := range namesOf {
		for _, name := range strings.Fields(names) {
			require.NoError(t, p.HandleFunc(name, handlers[family]))
		}
	}
	return p
}

// handle makes a handler with one of the On functions from a function that reads a view.
func handle[T any](on func(func(context.Context, from, T) error) func(context.Context, from, parser.Frame) error, look func(T)) dispatch.HandlerFunc {
	return on(func(_ context.Context, _ from, v T) error {
		look(v)
		return nil
	})
}

func TestHandlersAreCalledWithTheViewOfTheirPush(t *testing.T) {
	var got []string
	take := func(v view) { got = append(got, v.dump()) }
	p := newProcessor(t, map[notify.Family]dispatch.HandlerFunc{
		notify.FamilyInvalidation:        handle(notify.OnInvalidate[from], func(i notify.Invalidation) { take(invalidationView{i}) }),
		notify.FamilyMessage:             handle(notify.OnMessage[from], func(m notify.Message) { take(messageView{m}) }),
		notify.FamilySubscription:        handle(notify.OnSubscription[from], func(s notify.Subscription) { take(subscriptionView{s}) }),
		notify.FamilyMoving:              handle(notify.OnMoving[from], func(m notify.Moving) { take(movingView{m}) }),
		notify.FamilyMigration:           handle(notify.OnMigration[from], func(m notify.Migration) { take(migrationView{m}) }),
		notify.FamilySlotMigration:       handle(notify.OnSlotMigration[from], func(m notify.SlotMigration) { take(slotMigrationView{m}) }),
		notify.FamilyTrackingRedirBroken: handle(notify.OnTrackingRedirBroken[from], func(r notify.TrackingRedirBroken) { take(redirectionView{r}) }),
		notify.FamilyServerCPUUsage:      handle(notify.OnServerCPUUsage[from], func(u notify.ServerCPUUsage) { take(usageView{u}) }),
	}, dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		t.Errorf("%s: %v", name, err)
	}))
	var want []string
	for _, wire := range oneOfEach {
		f := parse(t, []byte(wire))
		v, err := views[notify.FamilyOf(f.Name())](f)
		require.NoError(t, err)
		want = append(want, v.dump())
	}
	rd := parser.NewReader(strings.NewReader(strings.Join(oneOfEach, "")))
	require.NoError(t, p.Serve(t.Context(), from{}, rd, nil))
	require.Equal(t, want, got)
	require.EqualValues(t, 19, p.Stats().Pushes)
}

// The error handler receives the error for a push of another shape, and the error of the function. The next push is
// handled.
func TestHandlerErrorsAreReportedAndTheNextPushDelivered(t *testing.T) {
	var names []string
	var errs []error
	failure := errors.New("failure")
	p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		names = append(names, string(name))
		errs = append(errs, err)
	}))
	calls := 0
	type key struct{}
	require.NoError(t, p.HandleFunc("MOVING", notify.OnMoving(func(ctx context.Context, h from, m notify.Moving) error {
		calls++
		require.Equal(t, "value", ctx.Value(key{}))
		require.Equal(t, "conn", h.Conn)
		require.EqualValues(t, 5, m.Seq)
		return failure
	})))
	require.NoError(t, p.HandleFunc("invalidate", notify.OnMessage(func(context.Context, from, notify.Message) error {
		t.Error("called for another push")
		return nil
	})))
	wire := ">3\r\n+MOVING\r\n:5\r\n+soon\r\n" + ">2\r\n+invalidate\r\n_\r\n" + ">3\r\n+MOVING\r\n:5\r\n:30\r\n"
	ctx := context.WithValue(t.Context(), key{}, "value")
	require.NoError(t, p.Serve(ctx, from{Conn: "conn"}, parser.NewReader(strings.NewReader(wire)), nil))
	require.Equal(t, 1, calls)
	require.Equal(t, []string{"MOVING", "invalidate", "MOVING"}, names)
	require.EqualError(t, errs[0], "notify: moving: MOVING element 2: value of another type")
	require.ErrorIs(t, errs[1], notify.ErrFamily)
	require.ErrorIs(t, errs[2], failure)
}

// A nil function is refused with an adapter as it is without one.
func TestHandlerOfNothingIsRefused(t *testing.T) {
	var none func(context.Context, from, notify.Message) error
	require.Nil(t, notify.OnMessage(none))
	require.Nil(t, notify.OnMoving[from](nil))
	p := dispatch.NewProcessor()
	require.ErrorIs(t, p.HandleFunc("message", notify.OnMessage(none)), dispatch.ErrHandlerNil)
}
