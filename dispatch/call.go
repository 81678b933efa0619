package dispatch

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/valyala/bytebufferpool"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/registry"
)

// wait says what a call waits for after it has handled the pushes that have
// been received.
type wait uint8

const (
	forNothing wait = iota // the call returns without waiting
	forPush                // one push, unless the call has already taken one
	forPushes              // pushes, until something else is next
	forFrames              // frames of any type, until the stream ends
)

// call is the state of one call of a processor's method, and the loop that
// these methods share.
//
// Invariant: target is the target in snapshot of the last name that was looked
// up, and own its target in ownSnapshot of over. handling is true only while a
// handler runs.
type call struct {
	p          *Processor // nil to drop pushes
	over       *Overlay   // of p, or nil
	ctx        context.Context
	handlerCtx NotificationHandlerContext
	rd         *parser.Reader // nil if the caller reads the frames itself
	wait       wait
	reply      func(parser.Frame) error // receives the replies; nil to drop them
	replied    error                    // the error that reply returned

	taken   int   // top-level pushes taken off the stream
	handled int   // pushes given to a handler
	counts  tally // counts that have not been published

	push     parser.Frame // the push that a handler has or had last
	handling bool

	// The targets of the last name that was looked up, and the snapshots they
	// are from.
	target      *target
	snapshot    registry.Snapshot[*target]
	own         *target
	ownSnapshot registry.Snapshot[*target]
}

// run takes and handles the pushes that have been received and those that c
// waits for. It returns nil when something else is next. Otherwise it returns
// the error of the Reader that ended it, unchanged.
func (c *call) run() error {
	if c.rd.Driver().Lent() { // a call further up this goroutine reclaims it
		return parser.ErrReentrant
	}
	for {
		if over, err := c.untilPanic(c.handlerCtx); over {
			return err
		}
	}
}

// untilPanic is the loop of run up to the first panic of a handler. It defers
// one recovery for many pushes rather than one for each, which keeps the cost
// of defer out of the loop.
//
// handlerCtx is c.handlerCtx. A handler gets a copy of it in each call. The
// compiler makes that from a parameter directly, and from a field by way of one
// more copy, which the CPU has to wait for (BenchmarkProcess/frame=F1).
func (c *call) untilPanic(handlerCtx NotificationHandlerContext) (over bool, err error) {
	d := c.rd.Driver()
	defer d.Reclaim() // what NextBuffered has lent, however the loop ends
	defer c.recovered()
	leave := !c.takesPubSub()
	var burst parser.Burst
	for !c.canceled() {
		f, again, ok, err := d.NextBuffered(&burst, leave)
		if ok {
			if c.p == nil {
				continue // it is dropped
			}
			if f.HasNestedPushes() {
				c.take(f)
				continue
			}
			c.taken++
			c.count(f)
			if t, f := c.begin(f, again); t != nil {
				switch {
				case t.function != nil:
					err = t.function(c.ctx, handlerCtx, f)
				case t.handler != nil:
					err = t.handler.HandlePush(c.ctx, handlerCtx, f)
				default:
					err = t.decode(c.ctx, handlerCtx, f)
				}
				c.end(f, err)
			}
			continue
		}
		incomplete := err == parser.ErrIncomplete
		switch {
		case c.canceled(): // by a handler, or at any other moment
			if incomplete {
				err = nil
			}
		case incomplete && !c.waits():
			return true, nil
		case incomplete:
			c.publish() // the wait may be long
			if over, err = c.next(d); over {
				return true, err
			}
		case err == nil && c.wait == forFrames:
			err = c.frame()
		case err == nil:
			return true, nil
		}
		if err != nil && (c.replied != nil || !c.skips(err)) {
			return true, err
		}
	}
	return true, c.ctx.Err()
}

// canceled reports whether the context has ended and ends c. Only a call that
// waits for frames of any type watches its context.
func (c *call) canceled() bool { return c.wait == forFrames && c.ctx.Err() != nil }

// waits reports whether c waits for more than has been received.
func (c *call) waits() bool {
	return c.wait > forPush || c.wait == forPush && c.taken == 0
}

// next waits for the next frame, and takes and handles it if c waits for a
// frame of that type. over reports whether something else is next. If nothing
// has been received, next only waits for bytes: nearly always they hold whole
// pushes, which NextBuffered takes in less time
// (BenchmarkPushAlone/then=push). When the context ends meanwhile, the frame
// that follows is still taken.
func (c *call) next(d *parser.Driver) (over bool, err error) {
	if c.p == nil {
		return false, c.drop()
	}
	if c.rd.Buffered() == 0 {
		if c.wait == forFrames {
			d.Rest()
		}
		if err = d.Fill(); err != nil || !c.canceled() {
			return false, err
		}
	}
	f, ok, err := d.NextPush(!c.takesPubSub())
	switch {
	case ok:
		d.Lend()
		c.take(f)
		d.Reclaim()
	case err == nil && c.wait == forFrames:
		err = c.frame()
	case err == nil:
		return true, nil
	}
	return false, err
}

// takesPubSub reports whether c also takes the pushes of publish and subscribe.
func (c *call) takesPubSub() bool {
	return c.wait == forFrames || c.p != nil && c.p.takePubSub && c.over == nil
}

// drop waits for the next frame. If that is a push, and not one of publish and
// subscribe, drop discards its bytes as they arrive.
func (c *call) drop() error {
	name, ok, err := c.rd.PeekPush()
	if err != nil || !ok || parser.IsPubSub(name) {
		return err
	}
	return c.rd.Skip()
}

// frame reads the next frame. It handles the frame if it is a push, handles the
// pushes nested in it, and passes a reply to c.reply.
func (c *call) frame() error {
	c.publish() // the rest of a reply may arrive late
	f, err := c.rd.Next()
	if err != nil {
		return err
	}
	f, buf := detached(f)
	defer bufpool.Put(buf)
	c.dispatch(f)
	if f.IsPush() || c.reply == nil {
		return nil
	}
	d := c.rd.Driver()
	d.Lend()
	defer d.Reclaim()
	f = borrow(f)
	defer expire(f)
	c.replied = c.reply(f)
	return c.replied
}

// detached returns f itself if no pushes are nested in it, and otherwise a copy
// in a pooled buffer. The parts of such a frame go to several handlers, and the
// first of them may overwrite the rest by reading from the client's own buffer.
func detached(f parser.Frame) (parser.Frame, *bytebufferpool.ByteBuffer) {
	if !f.HasNestedPushes() {
		return f, nil
	}
	buf := bufpool.Get(len(f.Raw()))
	f = f.CloneTo(buf.B)
	buf.B = f.Raw()
	return f, buf
}

// dispatch handles f if it is a push, and then the pushes nested in it. Each
// has a recovery of its own, so that the panic of one handler does not lose the
// other pushes. f is detached.
func (c *call) dispatch(f parser.Frame) {
	if f.IsPush() {
		c.count(f)
		c.guarded(f)
	}
	for n := range f.NestedPushes() {
		c.count(n)
		c.counts[nested]++
		c.guarded(n)
	}
}

// count adds a push to the counts.
func (c *call) count(f parser.Frame) {
	c.counts[pushes]++
	c.counts[bytesTaken] += uint64(len(f.Raw()))
}

// guarded is handle with a recovery of its own.
func (c *call) guarded(f parser.Frame) {
	defer c.recovered()
	if c.rd != nil {
		c.rd.Driver().Lend()
		defer c.rd.Driver().Reclaim()
	}
	c.handle(f, false)
}

// take handles a push that has been taken off the stream.
func (c *call) take(f parser.Frame) {
	c.taken++
	if f.HasNestedPushes() {
		f, buf := detached(f)
		c.dispatch(f)
		bufpool.Put(buf)
		return
	}
	c.count(f)
	c.handle(f, false)
}

// handle calls the handler of a push. again is as for begin.
func (c *call) handle(f parser.Frame, again bool) {
	if t, f := c.begin(f, again); t != nil {
		c.end(f, t.handle(c.ctx, c.handlerCtx, f))
	}
}

// begin returns the target of a push, and the push as its handler gets it. It
// returns nil if there is none. again reports whether the push has the same name
// as the one before it, which saves a look-up.
func (c *call) begin(f parser.Frame, again bool) (*target, parser.Frame) {
	if s := c.p.handlers.Snapshot(); s != c.snapshot || !again && !c.target.isFor(f.Name()) {
		c.snapshot, c.target = s, c.p.find(s, f.Name())
	}
	t := c.target
	if c.over != nil {
		t, f = c.overlaid(f, again)
	}
	if t == nil {
		c.counts[unhandled]++
		return nil, f
	}
	c.handled++
	f = borrow(f)
	c.push, c.handling = f, true
	return t, f
}

// end ends the call of a handler that begin has begun and that has returned.
func (c *call) end(f parser.Frame, err error) {
	c.handling = false
	if err != nil {
		c.counts[errs]++
		c.report(err)
	}
	expire(f)
}

// find returns the target of name in a snapshot, or else the fallback, which
// may be nil.
func (p *Processor) find(s registry.Snapshot[*target], name []byte) *target {
	if name != nil {
		if t, ok := s.Lookup(name); ok {
			return t
		}
	}
	return p.fallback
}

// recovered publishes the counts and recovers from the panic of a handler. It
// does not recover from any other panic, such as one of the connection. If the
// handler ended its goroutine, recovered leaves the Reader usable.
func (c *call) recovered() {
	if c.handling {
		c.handling = false
		if v := recover(); v != nil {
			c.counts[panics]++
			c.report(&PanicError{Value: v, Stack: debug.Stack()})
		}
		expire(c.push)
	}
	c.publish()
}

// report passes an error of the handler that has just run to the error handler.
func (c *call) report(err error) {
	if reportError(c.p.onError, c.ctx, nameOf(c.push), err) {
		c.counts[panics]++
	}
}

// nameOf returns the name of a push whose handler has returned. The handler may
// have overwritten the push by reading from the client's own buffer. If the
// name can no longer be found in it, nameOf returns nil.
func nameOf(push parser.Frame) (name []byte) {
	defer func() { _ = recover() }()
	return push.Name()
}

// publish adds the counts of c to the processor's counters.
func (c *call) publish() {
	if c.p != nil && c.counts != (tally{}) {
		c.p.counters.add(&c.counts, c.rd)
	}
}

// skips reports whether err is about a push that is over a limit and that c may
// drop. In that case the Reader drops it.
func (c *call) skips(err error) bool {
	if !c.mayDrop() || !isOversize(c.rd) || c.rd.SkipOversize() != nil {
		return false
	}
	c.counts[oversize]++
	return true
}

// mayDrop reports whether c drops pushes that are over a limit. Overlay.Serve
// does not.
func (c *call) mayDrop() bool {
	if c.p == nil {
		return true
	}
	return c.p.skipOversize && (c.over == nil || c.wait != forFrames)
}

// isOversize reports whether rd has failed because a push is over a limit.
func isOversize(rd *parser.Reader) bool {
	_, over := rd.Err().(*parser.LimitError)
	t, _ := rd.Pending()
	return over && t == parser.TypePush
}

// verdict returns the error that a processor returns for err, an error of rd.
// It returns nil for an error that is not about a push, because the client's
// own read reports that one.
func verdict(rd *parser.Reader, err error) error {
	if err == nil {
		return nil
	}
	if t, _ := rd.Pending(); rd.Err() == nil && err != parser.ErrReentrant && t != parser.TypePush {
		return nil
	}
	return err
}

// isTimeout reports whether err is, or wraps, a time-out: an error whose
// Timeout method returns true.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
