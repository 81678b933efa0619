package push

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9/internal/proto"
	original "github.com/redis/go-redis/v9/push"

	"github.com/seed79615202/respush/goredis"
)

// Processor is the one that the tests of this copy of package push test: respush's
// in place of go-redis'. The tests look at registry once, for nil.
type Processor struct {
	registry *Registry
	ours     *goredis.Processor
}

// NewProcessor returns a Processor of respush.
func NewProcessor() *Processor { return &Processor{NewRegistry(), goredis.NewProcessor(nil)} }

// handler makes a handler of this package one of the package that it is a copy of.
type handler struct{ NotificationHandler }

// HandlePushNotification passes the notification on.
func (h handler) HandlePushNotification(ctx context.Context, handlerCtx original.NotificationHandlerContext, notification []interface{}) error {
	return h.NotificationHandler.HandlePushNotification(ctx, NotificationHandlerContext(handlerCtx), notification)
}

// asOurs returns an error of that package as one of this.
func asOurs(err error) error {
	var e *original.HandlerError
	switch {
	case errors.As(err, &e):
		return NewHandlerError(ProcessorOperation(e.Operation), e.PushNotificationName, e.Reason, e.Err)
	case err == original.ErrHandlerNil:
		return ErrHandlerNil
	}
	return err
}

// GetHandler is the method of NotificationProcessor.
func (p *Processor) GetHandler(name string) NotificationHandler {
	if h, ok := p.ours.GetHandler(name).(handler); ok {
		return h.NotificationHandler
	}
	return nil
}

// RegisterHandler is the method of NotificationProcessor.
func (p *Processor) RegisterHandler(name string, h NotificationHandler, protected bool) error {
	if h == nil {
		return asOurs(p.ours.RegisterHandler(name, nil, protected))
	}
	return asOurs(p.ours.RegisterHandler(name, handler{h}, protected))
}

// UnregisterHandler is the method of NotificationProcessor.
func (p *Processor) UnregisterHandler(name string) error {
	return asOurs(p.ours.UnregisterHandler(name))
}

// ProcessPendingNotifications is the method of NotificationProcessor.
func (p *Processor) ProcessPendingNotifications(ctx context.Context, handlerCtx NotificationHandlerContext, rd *proto.Reader) error {
	ours := any(p.ours).(original.NotificationProcessor)
	return ours.ProcessPendingNotifications(ctx, original.NotificationHandlerContext(handlerCtx), rd)
}

// ProcessPendingNotificationsBuffered is what go-redis calls its own processor with
// where it calls any other with ProcessPendingNotifications.
func (p *Processor) ProcessPendingNotificationsBuffered(ctx context.Context, handlerCtx NotificationHandlerContext, rd *proto.Reader) error {
	return p.ProcessPendingNotifications(ctx, handlerCtx, rd)
}
