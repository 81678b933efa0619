package notify

import (
	"context"

	"github.com/seed79615202/respush/parser"
)

// OnInvalidate returns a handler of invalidate pushes that calls f, for
// [github.com/seed79615202/respush/dispatch.Processor.HandleFunc]:
//
//	p.HandleFunc("invalidate", notify.OnInvalidate(
//		func(ctx context.Context, h dispatch.NotificationHandlerContext, i notify.Invalidation) error {
//			...
//		}))
//
// C is the handler context of the processor. What f gets is borrowed until it
// returns. The handler returns what f does, and for a push of another shape the
// [*ShapeError] without calling f; it allocates nothing else. It may be called
// from many goroutines at once if f may. For a nil f it is nil.
func OnInvalidate[C any](f func(ctx context.Context, handlerCtx C, i Invalidation) error) func(context.Context, C, parser.Frame) error {
	return on(ParseInvalidation, f)
}

// OnMessage is [OnInvalidate] for message, pmessage and smessage pushes.
func OnMessage[C any](f func(ctx context.Context, handlerCtx C, m Message) error) func(context.Context, C, parser.Frame) error {
	return on(ParseMessage, f)
}

// OnSubscription is [OnInvalidate] for the confirmations of subscriptions.
func OnSubscription[C any](f func(ctx context.Context, handlerCtx C, s Subscription) error) func(context.Context, C, parser.Frame) error {
	return on(ParseSubscription, f)
}

// OnMoving is [OnInvalidate] for MOVING pushes.
func OnMoving[C any](f func(ctx context.Context, handlerCtx C, m Moving) error) func(context.Context, C, parser.Frame) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, handlerCtx C, push parser.Frame) error {
		seq, after, endpoint, err := readMoving(push)
		if err != nil {
			return err
		}
		return f(ctx, handlerCtx, Moving{seq, after, endpoint})
	}
}

// OnMigration is [OnInvalidate] for MIGRATING, MIGRATED, FAILING_OVER and
// FAILED_OVER pushes.
func OnMigration[C any](f func(ctx context.Context, handlerCtx C, m Migration) error) func(context.Context, C, parser.Frame) error {
	return on(ParseMigration, f)
}

// OnSlotMigration is [OnInvalidate] for SMIGRATING and SMIGRATED pushes.
func OnSlotMigration[C any](f func(ctx context.Context, handlerCtx C, m SlotMigration) error) func(context.Context, C, parser.Frame) error {
	return on(ParseSlotMigration, f)
}

// OnTrackingRedirBroken is [OnInvalidate] for tracking-redir-broken pushes.
func OnTrackingRedirBroken[C any](f func(ctx context.Context, handlerCtx C, t TrackingRedirBroken) error) func(context.Context, C, parser.Frame) error {
	return on(ParseTrackingRedirBroken, f)
}

// OnServerCPUUsage is [OnInvalidate] for server-cpu-usage pushes.
func OnServerCPUUsage[C any](f func(ctx context.Context, handlerCtx C, u ServerCPUUsage) error) func(context.Context, C, parser.Frame) error {
	return on(ParseServerCPUUsage, f)
}

// on returns a handler that calls f with what parse makes of a push.
func on[C, T any](parse func(parser.Frame) (T, error), f func(context.Context, C, T) error) func(context.Context, C, parser.Frame) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, handlerCtx C, push parser.Frame) error {
		view, err := parse(push)
		if err != nil {
			return err
		}
		return f(ctx, handlerCtx, view)
	}
}
