package dispatch

import (
	"context"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/parser"
)

// Processor takes pushes off Readers and calls the handlers registered for
// their names. The package documentation states the delivery contract. The zero
// value is ready to use. A Processor must not be copied after first use.
//
// All methods may be called concurrently, as long as only one goroutine at a
// time uses each [parser.Reader]. A Processor keeps nothing about a connection,
// so several connections may share one. They then share its handlers, its error
// handler and its counters: a handler runs concurrently for different
// connections, and only its [NotificationHandlerContext] tells it which one a
// push is from. A name has one handler, so each client that registers handlers
// of its own needs an [Overlay] of the Processor, or a Processor of its own.
type Processor struct {
	handlers     handlers
	fallback     *target
	onError      func(ctx context.Context, name []byte, err error)
	takePubSub   bool
	skipOversize bool
	counters     counters
}

// NewProcessor returns a Processor without handlers.
func NewProcessor(opts ...Option) *Processor {
	p := new(Processor)
	for _, o := range opts {
		o(p)
	}
	return p
}

// Handle registers h for the pushes called name, which are compared byte by
// byte. It returns [ErrHandlerNil] if h is nil, and an error that
// [IsHandlerExistsError] recognizes if Handle, HandleFunc or RegisterHandler
// has already registered name.
func (p *Processor) Handle(name string, h Handler, opts ...HandleOption) error {
	t := newTarget(h)
	if t == nil {
		return ErrHandlerNil
	}
	var o handleOptions
	for _, set := range opts {
		set(&o)
	}
	t.name = name
	return p.handlers.Register(name, t, o.protected)
}

// HandleFunc is like Handle, but its handler is a function. It accepts the
// functions that the adapters of package notify return.
func (p *Processor) HandleFunc(name string, f HandlerFunc, opts ...HandleOption) error {
	return p.Handle(name, f, opts...)
}

// RegisterHandler is like Handle, but its handler has the interface of
// go-redis. A protected name cannot be unregistered.
func (p *Processor) RegisterHandler(pushNotificationName string, handler NotificationHandler, protected bool) error {
	return p.handlers.register(pushNotificationName, handler, protected)
}

// GetHandler returns the handler that RegisterHandler registered under a name.
// It returns nil if the name has no handler or was registered with Handle.
func (p *Processor) GetHandler(pushNotificationName string) NotificationHandler {
	return p.handlers.get(pushNotificationName)
}

// UnregisterHandler removes a name, whichever method registered it. It returns
// nil if the name has no handler, and an error that [IsProtectedHandlerError]
// recognizes if the name is protected. A call of the handler that is under way
// may finish after UnregisterHandler has returned.
func (p *Processor) UnregisterHandler(pushNotificationName string) error {
	return p.handlers.Unregister(pushNotificationName)
}

// ProcessPendingNotifications takes and handles the pushes that stand before
// the next reply. A client calls it before it reads a reply. If rd is nil it
// does nothing and returns nil.
//
// It may block: it reads until it knows that a reply, or a push that it leaves
// unread, is next. It does not watch ctx, which it only passes to the handlers.
// A client bounds the wait with a read deadline on the connection.
//
// It returns nil when a reply or such a push is next. It also returns nil when
// no byte of a push has been seen before the connection has no data, times out
// or ends, because the client's own read reports these. It returns an error
// when a push is cut short, malformed or over a limit.
//
// A time-out inside a push is returned as an error whose Timeout method reports
// true. It loses nothing, and the client may keep the connection: the next call
// with the same Reader continues where this one stopped.
func (p *Processor) ProcessPendingNotifications(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) error {
	if rd == nil || !rd.Driver().AwaitPush() {
		return nil
	}
	return p.processPending(ctx, &handlerCtx, rd)
}

// processPending is ProcessPendingNotifications when a push may be next.
func (p *Processor) processPending(ctx context.Context, handlerCtx *NotificationHandlerContext, rd *parser.Reader) error {
	d := rd.Driver()
	for more := true; more; more = d.AwaitPush() {
		push, alone := d.LonePush(!p.takePubSub)
		if !alone {
			c := call{p: p, ctx: ctx, handlerCtx: *handlerCtx, rd: rd, wait: forPushes}
			return verdict(rd, c.run())
		}
		p.deliver(ctx, handlerCtx, rd, push)
	}
	return nil
}

// ProcessPendingNotificationsBuffered waits for one push, and takes and handles
// it and the pushes that have been received with it. It is for callers that
// know that the connection is readable. It is part of go-redis' API and waits
// for a push despite its name; [Processor.ProcessBuffered] never reads and is
// the one to use in new code. Like ProcessPendingNotifications, it
// does not watch ctx, returns nil when a reply is next, and returns nil for a
// time-out between frames. Unlike it, it returns an error when the connection
// has ended or failed between frames.
func (p *Processor) ProcessPendingNotificationsBuffered(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) error {
	if rd == nil {
		return nil
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forPush}
	err := c.run()
	if err != nil && !isTimeout(err) {
		return err
	}
	return verdict(rd, err)
}

// ProcessBuffered takes and handles the whole pushes that stand before the next
// reply among the bytes that the Reader has already received. It never reads,
// so it never blocks, unlike ProcessPendingNotificationsBuffered. It returns the
// number of pushes it took off the stream. If rd is nil it does nothing.
//
// A push that is not whole is left for a later call, which does not scan its
// beginning again. [parser.Reader.Pending] tells whether there is one. The
// errors are those of ProcessPendingNotifications.
//
// An idle connection in a pool hears its pushes when its owner reads from it
// with a read deadline and then calls ProcessBuffered. The Idle example shows
// how.
func (p *Processor) ProcessBuffered(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) (n int, err error) {
	if rd == nil {
		return 0, nil
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forNothing}
	err = verdict(rd, c.run())
	return c.taken, err
}

// Dispatch handles a frame that the caller has read itself. If f is a push,
// Dispatch handles it and the pushes nested in it. If f is a reply, Dispatch
// handles the pushes nested in that. It handles them whatever their names are,
// so it includes those of publish and subscribe. It returns the number of
// pushes that were given to a handler or to the fallback, and retains nothing
// of f.
//
// Dispatch does not know the Reader that f is borrowed from. A caller whose
// handlers might use that Reader calls [parser.Driver.Lend] before Dispatch and
// Reclaim after it.
func (p *Processor) Dispatch(ctx context.Context, handlerCtx NotificationHandlerContext, f parser.Frame) int {
	if !f.HasNestedPushes() {
		if f.IsPush() && p.deliver(ctx, &handlerCtx, nil, f) {
			return 1
		}
		return 0
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx}
	f, buf := detached(f)
	defer bufpool.Put(buf)
	c.dispatch(f)
	return c.handled
}
