package notify

import (
	"context"

	"github.com/seed79615202/respush/parser"
)

// OnInvalidate returns a handler of invalidate pushes that parses each push and
// calls f. It returns nil if f is nil. The handler is for the methods and
// functions of package dispatch that take a HandlerFunc, such as
// Processor.HandleFunc. C is NotificationHandlerContext there. The package
// example shows its use.
//
// The Invalidation is borrowed until f returns. The handler returns the error
// of f. It returns a [*ShapeError], without a call of f, if ParseInvalidation
// does. It allocates only for that error. It may be called concurrently if f
// may.
func OnInvalidate[C any](f func(ctx context.Context, handlerCtx C, i Invalidation) error) func(context.Context, C, parser.Frame) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, handlerCtx C, push parser.Frame) error {
		view, err := ParseInvalidation(push)
		if err != nil {
			return err
		}
		return f(ctx, handlerCtx, view)
	}
}

// OnMessage is like [OnInvalidate] for message, pmessage and smessage pushes.
func OnMessage[C any](f func(ctx context.Context, handlerCtx C, m Message) error) func(context.Context, C, parser.Frame) error {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, handlerCtx C, push parser.Frame) error {
		if channel, payload, ok := readMessage(push); ok {
			return f(ctx, handlerCtx, Message{NameMessage, nil, channel, payload})
		}
		view, err := parseMessage(push)
		if err != nil {
			return err
		}
		return f(ctx, handlerCtx, view)
	}
}

// OnSubscription is like [OnInvalidate] for the six pushes that confirm that a
// subscription has begun or ended.
func OnSubscription[C any](f func(ctx context.Context, handlerCtx C, s Subscription) error) func(context.Context, C, parser.Frame) error {
	return on(ParseSubscription, f)
}

// OnMoving is like [OnInvalidate] for MOVING pushes.
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

// OnMigration is like [OnInvalidate] for MIGRATING, MIGRATED, FAILING_OVER and
// FAILED_OVER pushes.
func OnMigration[C any](f func(ctx context.Context, handlerCtx C, m Migration) error) func(context.Context, C, parser.Frame) error {
	return on(ParseMigration, f)
}

// OnSlotMigration is like [OnInvalidate] for SMIGRATING and SMIGRATED pushes.
func OnSlotMigration[C any](f func(ctx context.Context, handlerCtx C, m SlotMigration) error) func(context.Context, C, parser.Frame) error {
	return on(ParseSlotMigration, f)
}

// OnTrackingRedirBroken is like [OnInvalidate] for tracking-redir-broken
// pushes.
func OnTrackingRedirBroken[C any](f func(ctx context.Context, handlerCtx C, t TrackingRedirBroken) error) func(context.Context, C, parser.Frame) error {
	return on(ParseTrackingRedirBroken, f)
}

// OnServerCPUUsage is like [OnInvalidate] for server-cpu-usage pushes.
func OnServerCPUUsage[C any](f func(ctx context.Context, handlerCtx C, u ServerCPUUsage) error) func(context.Context, C, parser.Frame) error {
	return on(ParseServerCPUUsage, f)
}

// on returns a handler that calls f with the view that parse returns for a
// push. The handlers of the most frequent families call their functions
// directly and not through parse, which saves some of the copies of the view
// (BenchmarkHandlerNotify).
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
