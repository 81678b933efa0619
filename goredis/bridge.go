package goredis

import (
	"context"
	"runtime"
	"weak"

	"github.com/redis/go-redis/v9/push"
)

// pending is the method of push.NotificationProcessor whose last parameter is
// go-redis' internal reader: R is inferred from it, as it cannot be named.
type pending[R any] func(p push.NotificationProcessor, ctx context.Context, handlerCtx push.NotificationHandlerContext, rd R) error

// pointer is a pointer to go-redis' internal reader.
type pointer[T any] interface {
	*T
	reader
}

// bridge implements push.NotificationProcessor for a Processor.
type bridge[T any, R pointer[T]] struct{ *Processor }

// newBridge returns the bridge to r for the readers that the method takes.
func newBridge[T any, R pointer[T]](_ pending[R], r *Processor) push.NotificationProcessor {
	r.parked.weaken = func(rd reader) any { return weak.Make((*T)(rd.(R))) }
	r.parked.onCollect = func(rd reader, key any) runtime.Cleanup {
		return runtime.AddCleanup((*T)(rd.(R)), func(key any) { r.parked.take(key) }, key)
	}
	return any(bridge[T, R]{r}).(push.NotificationProcessor)
}

// ProcessPendingNotifications handles the pushes that stand before the next reply.
// It is small enough to be inlined into what the compiler puts before a method of
// a generic type, which saves a copy of handlerCtx per command (BenchmarkPending).
func (b bridge[T, R]) ProcessPendingNotifications(ctx context.Context, handlerCtx push.NotificationHandlerContext, rd R) error {
	if rd == nil {
		return nil
	}
	return b.processPending(ctx, &handlerCtx, rd)
}
