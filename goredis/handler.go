package goredis

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9/push"

	"github.com/seed79615202/respush/dispatch"
)

// inbound is a handler of go-redis in a dispatch.Overlay.
type inbound struct{ handler push.NotificationHandler }

// HandlePushNotification calls the handler.
func (h inbound) HandlePushNotification(ctx context.Context, handlerCtx dispatch.NotificationHandlerContext, notification []interface{}) error {
	return h.handler.HandlePushNotification(ctx, push.NotificationHandlerContext(handlerCtx), notification)
}

// asPush returns an error of package dispatch as the one that go-redis' registry
// returns, for who asks push.IsHandlerExistsError and the like.
func asPush(err error) error {
	var e *dispatch.HandlerError
	if errors.As(err, &e) {
		return push.NewHandlerError(push.ProcessorOperation(e.Operation), e.PushNotificationName, e.Reason, e.Err)
	}
	return err
}
