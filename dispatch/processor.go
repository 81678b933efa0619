package dispatch

import (
	"context"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/parser"
)

// Processor takes pushes off readers and calls the handlers registered for
// their names, as the delivery contract of the package says. The zero value is
// ready; a Processor must not be copied once in use. All its methods may be
// called at the same time, from as many connections as there are, as long as
// each [parser.Reader] stays with one goroutine.
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

// Handle registers h for the pushes called name. It returns [ErrHandlerNil] for
// nil, and for a name that is taken, here or by RegisterHandler, an error that
// [IsHandlerExistsError] knows.
func (p *Processor) Handle(name string, h Handler, opts ...HandleOption) error {
	t := newTarget(h)
	if t == nil {
		return ErrHandlerNil
	}
	var o handleOptions
	for _, set := range opts {
		set(&o)
	}
	return p.handlers.Register(name, t, o.protected)
}

// HandleFunc is Handle for a function.
func (p *Processor) HandleFunc(name string, f HandlerFunc, opts ...HandleOption) error {
	return p.Handle(name, f, opts...)
}

// RegisterHandler is Handle for go-redis' handlers.
func (p *Processor) RegisterHandler(pushNotificationName string, handler NotificationHandler, protected bool) error {
	return p.handlers.register(pushNotificationName, handler, protected)
}

// GetHandler returns what RegisterHandler stored under a name; nil for a name
// that is unknown, or was registered with Handle.
func (p *Processor) GetHandler(pushNotificationName string) NotificationHandler {
	return p.handlers.get(pushNotificationName)
}

// UnregisterHandler removes a name, whichever way it was registered. For a
// protected one it returns an error that [IsProtectedHandlerError] knows, for an
// unknown one nil. A call of the handler that is under way may still finish.
func (p *Processor) UnregisterHandler(pushNotificationName string) error {
	return p.handlers.Unregister(pushNotificationName)
}

// ProcessPendingNotifications takes and handles the pushes that stand before the
// next reply. A client calls it before it reads a reply. It may block: it reads
// until it knows that a reply, or a push it leaves unread, is next. It returns
// nil then, and when the connection has nothing of a push to give: no data, a
// time-out, the end. It returns an error when a push is cut short, malformed or
// over a limit. A time-out inside a push is returned as well, and loses nothing:
// a further call with the same Reader goes on where this one stopped, so a
// client need not give up the connection for an error whose Timeout method
// reports true. A nil Reader is nothing to do.
func (p *Processor) ProcessPendingNotifications(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) error {
	if rd == nil || !rd.Driver().AwaitPush() {
		return nil
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forPushes}
	return verdict(rd, c.run())
}

// ProcessPendingNotificationsBuffered waits for one push, and then handles only
// what has been received with it. It is for callers that know the connection to
// be readable. A connection that has ended, or failed in any way but a time-out,
// is an error here even between frames.
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

// ProcessBuffered is ProcessPendingNotifications for what the Reader has
// received: it never reads, so it never blocks. It handles whole pushes only
// and returns how many it took; the rest of one that is not whole is left for
// the next call, at no cost for looking at its beginning again. Whether more has
// to come the caller may ask the Reader with Pending.
func (p *Processor) ProcessBuffered(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) (n int, err error) {
	if rd == nil {
		return 0, nil
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forNothing}
	err = verdict(rd, c.run())
	return c.taken, err
}

// Dispatch handles a frame that the caller has read itself: a push, and the
// pushes nested in it or in a reply, whatever their names. It returns how many
// of them reached a handler or the fallback. It does not know the Reader that f
// is borrowed from: a caller whose handlers might use that calls
// [parser.Driver.Lend] before and Reclaim after.
func (p *Processor) Dispatch(ctx context.Context, handlerCtx NotificationHandlerContext, f parser.Frame) int {
	if !f.IsPush() && !f.HasNestedPushes() {
		return 0
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx}
	f, buf := detached(f)
	defer bufpool.Put(buf)
	c.dispatch(f)
	return c.handled
}
