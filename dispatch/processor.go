package dispatch

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/registry"
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
	if rd == nil || !rd.MayHavePush() {
		return nil
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd}
	return c.drain(true)
}

// ProcessPendingNotificationsBuffered waits for one push, and then handles only
// what has been received with it. It is for callers that know the connection to
// be readable. A connection that has ended, or failed in any way but a time-out,
// is an error here even between frames.
func (p *Processor) ProcessPendingNotificationsBuffered(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader) error {
	if rd == nil {
		return nil
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd, burst: true}
	return c.drain(true)
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
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd}
	err = c.drain(false)
	return c.taken, err
}

// Dispatch handles a frame that the caller has read itself: a push, and the
// pushes nested in it or in a reply, whatever their names. It returns how many
// of them reached a handler or the fallback. It does not know the Reader that f
// is borrowed from: a caller whose handlers might use that calls
// [parser.Reader.Lend] before and Reclaim after.
func (p *Processor) Dispatch(ctx context.Context, handlerCtx NotificationHandlerContext, f parser.Frame) int {
	if !f.IsPush() && !f.HasNestedPushes() {
		return 0
	}
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx}
	defer c.publish()
	c.dispatch(f)
	return c.handled
}

// call is one call of a Processor's method. Invariant: target is what the name of
// the last push that was looked up leads to in snapshot.
type call struct {
	p          *Processor
	ctx        context.Context
	handlerCtx NotificationHandlerContext
	rd         *parser.Reader // nil when the caller reads
	burst      bool           // wait for the first push only

	push    parser.Frame // in the hands of a handler
	taken   int          // top-level pushes
	handled int          // pushes given to a handler
	counts  Stats        // not yet published
	replied error        // what the receiver of replies returned, for Serve

	// Where the last name led to, in which snapshot.
	target   *target
	snapshot registry.Snapshot[*target]
}

// drain takes and handles pushes until something else is next.
func (c *call) drain(block bool) error {
	if c.rd.Lent() { // by a call further up this goroutine, which reclaims it
		return parser.ErrReentrant
	}
	defer c.publish() // in any case: a handler may end the goroutine
	for {
		if over, err := c.pass(block); over {
			return err
		}
	}
}

// pass is drain up to the first panic: it recovers once a pass, and not once a
// push, to keep that out of the loop.
func (c *call) pass(block bool) (over bool, err error) {
	defer c.recovered()
	leave := !c.p.takePubSub
	// Not a method: one more call that hands the frame on costs more than all of
	// the rest (BenchmarkProcess/frame=F1).
	take := func(f parser.Frame, again bool) bool {
		c.taken++
		if f.HasNestedPushes() {
			c.dispatch(f)
			return true
		}
		c.count(f)
		c.handle(f, again)
		return true
	}
	for {
		err := c.rd.BufferedPushes(leave, take)
		if err == parser.ErrIncomplete {
			if !block || c.burst && c.taken > 0 {
				return true, nil
			}
			c.publish() // before what may be a long wait
			var f parser.Frame
			var ok bool
			if f, ok, err = c.rd.NextPush(leave); ok {
				c.rd.Lend()
				take(f, false)
				c.rd.Reclaim()
				continue
			}
		}
		if err == nil || !c.skips(err) {
			return true, c.verdict(err)
		}
	}
}

// verdict is what the call returns for an error of its Reader.
func (c *call) verdict(err error) error {
	if c.burst && err != nil && !isTimeout(err) {
		return err
	}
	return verdict(c.rd, err)
}

// isTimeout reports whether err is, or wraps, a time-out.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// verdict is what a processor returns for an error of rd: nil unless it is about
// a push, as the client's own read reports the rest.
func verdict(rd *parser.Reader, err error) error {
	if err == nil {
		return nil
	}
	if t, _ := rd.Pending(); rd.Err() == nil && err != parser.ErrReentrant && t != parser.TypePush {
		return nil
	}
	return err
}

// skips reports whether err is about a push that is to be dropped for its size.
func (c *call) skips(err error) bool {
	if !c.p.skipOversize || err == nil || !isOversize(c.rd) || c.rd.SkipOversize() != nil {
		return false
	}
	c.counts.Oversize++
	return true
}

// isOversize reports whether rd has failed with a limit that a push has broken.
func isOversize(rd *parser.Reader) bool {
	_, over := rd.Err().(*parser.LimitError)
	t, _ := rd.Pending()
	return over && t == parser.TypePush
}

// dispatch handles the pushes that f is and holds, each on its own, so that a
// panic costs none of the others.
func (c *call) dispatch(f parser.Frame) {
	if f.IsPush() {
		c.count(f)
		c.guarded(f)
	}
	for n := range f.NestedPushes() {
		c.count(n)
		c.counts.Nested++
		c.guarded(n)
	}
}

// count counts a push.
func (c *call) count(f parser.Frame) {
	c.counts.Pushes++
	c.counts.Bytes += uint64(len(f.Raw()))
}

// guarded is handle with its own recovery.
func (c *call) guarded(f parser.Frame) {
	defer c.recovered()
	if c.rd != nil {
		c.rd.Lend()
	}
	c.handle(f, false)
}

// handle calls the handler of a push. again says that its name is that of the
// push before, which saves a look-up.
func (c *call) handle(f parser.Frame, again bool) {
	if s := c.p.handlers.Snapshot(); !again || s != c.snapshot {
		c.snapshot, c.target = s, c.p.find(s, f.Name())
	}
	t := c.target
	if t == nil {
		c.counts.Unhandled++
		return
	}
	c.handled++
	f = borrow(f)
	c.push = f
	var err error
	if t.function != nil {
		err = t.function(c.ctx, c.handlerCtx, f)
	} else {
		err = t.handle(c.ctx, c.handlerCtx, f)
	}
	if err != nil {
		c.counts.Errors++
		c.report(err)
	}
	expire(f)
}

// find returns what name leads to in a snapshot, or nil.
func (p *Processor) find(s registry.Snapshot[*target], name []byte) *target {
	if name != nil {
		if t, ok := s.Lookup(name); ok {
			return t
		}
	}
	return p.fallback
}

// recovered ends a handler's panic; one of the connection, or of this module,
// goes its way. When the handler ended its goroutine instead, the Reader is at
// least left usable.
func (c *call) recovered() {
	if c.rd != nil {
		if !c.rd.Lent() {
			return
		}
		defer c.rd.Reclaim()
	}
	if v := recover(); v != nil {
		c.counts.Panics++
		c.report(&PanicError{Value: v, Stack: debug.Stack()})
	}
	expire(c.push)
}

// report gives an error to the error handler.
func (c *call) report(err error) {
	if reportError(c.p.onError, c.ctx, c.push.Name(), err) {
		c.counts.Panics++
	}
}

// publish adds what has been counted to the processor's counters.
func (c *call) publish() {
	c.p.counters.add(&c.counts)
	c.counts = Stats{}
}
