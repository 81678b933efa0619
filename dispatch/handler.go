package dispatch

import (
	"context"

	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/registry"
)

// NotificationHandlerContext tells a handler where a push came from. The client
// that drives the processor fills it in; any field may be nil, and the handler
// knows the types by its client's documentation.
type NotificationHandlerContext struct {
	Client     interface{} // the client
	ConnPool   interface{} // the pool of the connection
	PubSub     interface{} // the subscription
	Conn       interface{} // the connection
	IsBlocking bool        // the connection is in a blocking command
}

// Handler handles pushes without copying them. The frame is borrowed: it, and
// every slice taken from it, is valid until HandlePush returns; push.Clone keeps
// it. HandlePush runs on the goroutine that reads the connection, so that what
// takes long belongs into a [Queue]. One Handler may be called from many
// connections at once. A returned error goes to the processor's error handler.
type Handler interface {
	HandlePush(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error
}

// HandlerFunc is a function as a [Handler].
type HandlerFunc func(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error

// HandlePush calls f.
func (f HandlerFunc) HandlePush(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error {
	return f(ctx, handlerCtx, push)
}

// NotificationHandler is go-redis' handler. It gets the push decoded, its name
// first, in the Go types of [parser.Value.Any]; it owns them and may keep them.
type NotificationHandler interface {
	HandlePushNotification(ctx context.Context, handlerCtx NotificationHandlerContext, notification []interface{}) error
}

// NotificationProcessor is go-redis' processor, for readers of this module.
type NotificationProcessor interface {
	// GetHandler returns the handler that RegisterHandler stored, or nil.
	GetHandler(pushNotificationName string) NotificationHandler
	// ProcessPendingNotifications handles the pushes before the next reply; it may block.
	ProcessPendingNotifications(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) error
	// RegisterHandler adds a handler; a protected one cannot be unregistered.
	RegisterHandler(pushNotificationName string, handler NotificationHandler, protected bool) error
	// UnregisterHandler removes a handler.
	UnregisterHandler(pushNotificationName string) error
}

// target is what a name leads to: one of a function, a Handler, or a
// NotificationHandler. A HandlerFunc is called as what it is, as a method would
// copy the handler's context once more.
type target struct {
	function HandlerFunc
	handler  Handler
	owned    NotificationHandler
}

// newTarget returns the target for h, nil for none.
func newTarget(h Handler) *target {
	switch f, ok := h.(HandlerFunc); {
	case h == nil, ok && f == nil:
		return nil
	case ok:
		return &target{function: f}
	}
	return &target{handler: h}
}

// handle gives a push to the handler.
func (t *target) handle(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error {
	if t.handler != nil {
		return t.handler.HandlePush(ctx, handlerCtx, push)
	}
	decoded, err := push.Value().Slice()
	if err != nil {
		return err
	}
	return t.owned.HandlePushNotification(ctx, handlerCtx, decoded)
}

// handlers is the map that Processor and Registry share.
type handlers struct {
	registry.Registry[*target]
}

func (h *handlers) register(name string, handler NotificationHandler, protected bool) error {
	if handler == nil {
		return ErrHandlerNil
	}
	return h.Register(name, &target{owned: handler}, protected)
}

func (h *handlers) get(name string) NotificationHandler {
	if t, ok := h.Get(name); ok {
		return t.owned
	}
	return nil
}

// Registry is go-redis' registry: names and handlers, and no processor. The zero
// value is ready, and all methods may be called at the same time.
type Registry struct{ handlers handlers }

// NewRegistry returns an empty Registry.
func NewRegistry() *Registry { return new(Registry) }

// RegisterHandler adds handler under a name. It returns [ErrHandlerNil] for nil,
// and for a name that is taken an error that [IsHandlerExistsError] knows.
func (r *Registry) RegisterHandler(pushNotificationName string, handler NotificationHandler, protected bool) error {
	return r.handlers.register(pushNotificationName, handler, protected)
}

// GetHandler returns the handler of a name, or nil.
func (r *Registry) GetHandler(pushNotificationName string) NotificationHandler {
	return r.handlers.get(pushNotificationName)
}

// UnregisterHandler removes a name; for a protected one it returns an error that
// [IsProtectedHandlerError] knows, for an unknown one nil.
func (r *Registry) UnregisterHandler(pushNotificationName string) error {
	return r.handlers.Unregister(pushNotificationName)
}
