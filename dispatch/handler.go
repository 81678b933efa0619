package dispatch

import (
	"context"

	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/registry"
)

// NotificationHandlerContext tells a handler where a push came from. The client
// that calls the processor sets its fields, any of which may be nil. The
// client's documentation says which types they have.
type NotificationHandlerContext struct {
	Client     interface{} // the client
	ConnPool   interface{} // the pool of the connection
	PubSub     interface{} // the subscription
	Conn       interface{} // the connection
	IsBlocking bool        // whether the connection is in a blocking command
}

// Handler handles pushes without copying them.
//
// The frame is borrowed. It and every slice of it are valid until HandlePush
// returns; to retain it, call push.Clone.
//
// HandlePush runs on the goroutine that reads the connection, and the next
// reply waits for it. Slow work belongs behind a [Queue], and so does work that
// uses the client whose connection this is: see "Handlers that use their
// client" in the package documentation. The handlers of different connections
// run concurrently, so a Handler that serves several of them must allow
// concurrent calls.
//
// An error that HandlePush returns goes to the processor's error handler. It
// affects neither the connection nor the next push.
type Handler interface {
	HandlePush(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error
}

// HandlerFunc is an adapter that makes a function a [Handler].
type HandlerFunc func(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error

// HandlePush calls f.
func (f HandlerFunc) HandlePush(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error {
	return f(ctx, handlerCtx, push)
}

// NotificationHandler is the handler interface of go-redis. It receives the
// decoded elements of the push, the name first, as the Go types that
// [parser.Value.Any] returns. The handler owns them and may retain them.
type NotificationHandler interface {
	HandlePushNotification(ctx context.Context, handlerCtx NotificationHandlerContext, notification []interface{}) error
}

// NotificationProcessor is the processor interface of go-redis, with the Reader
// of this module in place of that of go-redis.
type NotificationProcessor interface {
	// GetHandler returns the handler that RegisterHandler stored, or nil.
	GetHandler(pushNotificationName string) NotificationHandler
	// ProcessPendingNotifications takes and handles the pushes that stand
	// before the next reply. It may block.
	ProcessPendingNotifications(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) error
	// RegisterHandler adds a handler. A protected one cannot be unregistered.
	RegisterHandler(pushNotificationName string, handler NotificationHandler, protected bool) error
	// UnregisterHandler removes the handler of a name.
	UnregisterHandler(pushNotificationName string) error
}

// target is the handler of a name.
//
// Invariant: name is empty for a fallback. Exactly one of function, handler and
// owned is set, and boxed with owned alone. A HandlerFunc is in function, since a
// call of its HandlePush method would copy the handler context once more.
// observes is only true in an Overlay.
type target struct {
	name     string
	function HandlerFunc
	handler  Handler
	owned    NotificationHandler
	observes bool // it leaves the push to the fallback too
	boxed    any  // name
}

// newTarget returns the target for h, or nil if h or the function in it is nil.
func newTarget(h Handler) *target {
	switch f, ok := h.(HandlerFunc); {
	case h == nil, ok && f == nil:
		return nil
	case ok:
		return &target{function: f}
	}
	return &target{handler: h}
}

// isFor reports whether t, which may be nil, is registered under name. It may
// return false for a name that is empty.
func (t *target) isFor(name []byte) bool {
	return t != nil && len(name) > 0 && string(name) == t.name
}

// handle calls the handler with a push. Where it counts, function and handler are
// called directly, since one more call copies the handler context once more.
func (t *target) handle(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error {
	switch {
	case t.function != nil:
		return t.function(ctx, handlerCtx, push)
	case t.handler != nil:
		return t.handler.HandlePush(ctx, handlerCtx, push)
	}
	return t.decode(ctx, handlerCtx, push)
}

// decode is handle for owned.
func (t *target) decode(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error {
	decoded, err := push.SliceNamed(t.boxed)
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
	return h.Register(name, &target{name: name, owned: handler, boxed: name}, protected)
}

func (h *handlers) get(name string) NotificationHandler {
	if t, ok := h.Get(name); ok {
		return t.owned
	}
	return nil
}

// Registry is the registry of go-redis: it maps names to handlers without a
// processor. It is for code that was written for that API. A [Processor] has a
// map of its own and needs none. For handlers of any other type use
// [registry.Registry], the lock-free map that both are built on. The zero value
// is ready to use, and all methods may be called concurrently. A Registry must
// not be copied after first use.
type Registry struct{ handlers handlers }

// NewRegistry returns an empty Registry.
func NewRegistry() *Registry { return new(Registry) }

// RegisterHandler adds handler under a name. It returns [ErrHandlerNil] if
// handler is nil, and an error that [IsHandlerExistsError] recognizes if the
// name already has a handler.
func (r *Registry) RegisterHandler(pushNotificationName string, handler NotificationHandler, protected bool) error {
	return r.handlers.register(pushNotificationName, handler, protected)
}

// GetHandler returns the handler of a name, or nil.
func (r *Registry) GetHandler(pushNotificationName string) NotificationHandler {
	return r.handlers.get(pushNotificationName)
}

// UnregisterHandler removes a name. It returns nil if the name has no handler,
// and an error that [IsProtectedHandlerError] recognizes if the name is
// protected.
func (r *Registry) UnregisterHandler(pushNotificationName string) error {
	return r.handlers.Unregister(pushNotificationName)
}
