package dispatch

import (
	"context"

	"github.com/seed79615202/respush/parser"
)

// Overlay is a [Processor] as one client among several uses it: what the client
// registers lives in the Overlay and goes with it, over the names of the
// Processor, which all its Overlays share. A push goes to the Processor's handler
// of its name first, and then to the Overlay's, which gets it even when the other
// has failed or panicked; the Processor's fallback is for names that neither
// knows. Counters and error handler are the Processor's, and so, except in Serve,
// is [WithSkipOversize].
//
// ProcessBuffered leaves pushes of publish and subscribe to the client, [WithPubSub]
// or not; see [parser.Driver.TakeMessages] for the exception. All methods may be
// called concurrently.
type Overlay struct {
	p        *Processor
	handlers handlers
}

// Overlay returns an Overlay of p without handlers.
func (p *Processor) Overlay() *Overlay { return &Overlay{p: p} }

// RegisterHandler adds handler under a name, which may be one of the Processor's.
// It returns [ErrHandlerNil] for nil, and for a name that is taken in the Overlay
// an error that [IsHandlerExistsError] recognizes.
func (o *Overlay) RegisterHandler(pushNotificationName string, handler NotificationHandler, protected bool) error {
	return o.handlers.register(pushNotificationName, handler, protected)
}

// GetHandler returns what RegisterHandler of the Overlay stored under a name, or
// nil.
func (o *Overlay) GetHandler(pushNotificationName string) NotificationHandler {
	return o.handlers.get(pushNotificationName)
}

// UnregisterHandler removes a name from the Overlay; for one that is protected
// there it returns an error that [IsProtectedHandlerError] recognizes, for an
// unknown one nil.
func (o *Overlay) UnregisterHandler(pushNotificationName string) error {
	return o.handlers.Unregister(pushNotificationName)
}

// Observe calls f for each push called name, after the Processor's handler of that
// name or else its fallback. It returns the errors of [Processor.Handle].
func (o *Overlay) Observe(name string, f HandlerFunc) error {
	if f == nil {
		return ErrHandlerNil
	}
	return o.handlers.Register(name, &target{function: f, observes: true}, false)
}

// Serve is like [Processor.Serve], with the handlers of both. It is for code
// that tells what is missing, so a push over a limit ends it, even with
// [WithSkipOversize].
func (o *Overlay) Serve(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader, reply func(parser.Frame) error) error {
	return serve(call{p: o.p, over: o, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forFrames, reply: reply})
}

// ProcessBuffered is like [Processor.ProcessBuffered], with the handlers of both.
func (o *Overlay) ProcessBuffered(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) (n int, err error) {
	if rd == nil {
		return 0, nil
	}
	c := call{p: o.p, over: o, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forNothing}
	err = verdict(rd, c.run())
	return c.taken, err
}

// overlaid returns the target of a push whose name leads to c.target in the
// Processor, and the push as it is to be given to that. When the Overlay has a
// handler too, it is the target, and the Processor's is called here.
func (c *call) overlaid(f parser.Frame, again bool) (*target, parser.Frame) {
	if s := c.over.handlers.Snapshot(); !again || s != c.ownSnapshot {
		c.ownSnapshot, c.own = s, nil
		if name := f.Name(); name != nil {
			c.own, _ = s.Lookup(name)
		}
	}
	switch {
	case c.own == nil:
		return c.target, f
	case c.target == nil, c.target == c.p.fallback && !c.own.observes:
		return c.own, f
	}
	kept := f.Clone() // the first handler may read on in the client's buffer
	over := c.over
	c.over = nil
	c.shielded(f)
	c.over = over
	return c.own, kept
}

// shielded gives a push to the Processor's handler, whose panic ends here.
func (c *call) shielded(f parser.Frame) {
	defer c.recovered()
	c.handle(f, true)
}
