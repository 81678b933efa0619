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

// wait says what a call waits for once it has handled what has been received.
type wait uint8

const (
	forNothing wait = iota // it returns
	forPush                // a push, unless it has taken one
	forPushes              // pushes, until something else is next
	forFrames              // frames of any type, until the stream ends
)

// call is one call of a processor's method, and the loop that all of them share.
//
// Invariant: target is what the name of the last push that was looked up leads to
// in snapshot, and own what it leads to in ownSnapshot of over; handling is true
// only while a handler runs.
type call struct {
	p          *Processor // nil drops pushes
	over       *Overlay   // of p, or nil
	ctx        context.Context
	handlerCtx NotificationHandlerContext
	rd         *parser.Reader // nil when the caller reads
	wait       wait
	reply      func(parser.Frame) error // for frames that are no push, nil drops them
	replied    error                    // what reply returned

	taken   int   // top-level pushes
	handled int   // pushes given to a handler
	counts  tally // not yet published

	push     parser.Frame // in the hands of a handler
	handling bool

	// Where the last name led to, in which snapshot.
	target      *target
	snapshot    registry.Snapshot[*target]
	own         *target
	ownSnapshot registry.Snapshot[*target]
}

// run takes and handles what has been received, and what c waits for. It returns
// the Reader's error that ended it, as it is, or nil when something else is next.
func (c *call) run() error {
	if c.rd.Driver().Lent() { // by a call further up this goroutine, which reclaims it
		return parser.ErrReentrant
	}
	for {
		if over, err := c.untilPanic(); over {
			return err
		}
	}
}

// untilPanic is run up to the first panic of a handler. It recovers once a pass
// over many pushes, and not once a push, to keep that out of the loop.
func (c *call) untilPanic() (over bool, err error) {
	defer c.recovered()
	d := c.rd.Driver()
	leave := !c.takesPubSub()
	// Not a method: one more call that hands the frame on costs more than all of
	// the rest (BenchmarkProcess/frame=F1).
	take := func(f parser.Frame, again bool) bool {
		c.taken++
		if f.HasNestedPushes() {
			f, buf := detached(f)
			c.dispatch(f)
			bufpool.Put(buf)
		} else {
			c.count(f)
			c.handle(f, again)
		}
		return !c.canceled()
	}
	if c.p == nil {
		take = ignore
	}
	for !c.canceled() {
		err := d.BufferedPushes(leave, take)
		switch {
		case c.canceled(): // by a handler, or while it ran
		case err == parser.ErrIncomplete && !c.waits():
			return true, nil
		case err == parser.ErrIncomplete:
			c.publish() // before what may be a long wait
			if over, err = c.next(d, take); over {
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

// ignore handles a push that is dropped.
func ignore(parser.Frame, bool) bool { return true }

// canceled reports whether the end of the context ends c.
func (c *call) canceled() bool { return c.wait == forFrames && c.ctx.Err() != nil }

// waits reports whether c waits for more than has been received.
func (c *call) waits() bool {
	return c.wait > forPush || c.wait == forPush && c.taken == 0
}

// next waits for the next frame, and takes it if it is one that c waits for. over
// reports whether something else is next.
func (c *call) next(d *parser.Driver, take func(f parser.Frame, again bool) bool) (over bool, err error) {
	if c.p == nil {
		return false, c.drop()
	}
	f, ok, err := d.NextPush(!c.takesPubSub())
	switch {
	case ok:
		d.Lend()
		take(f, false)
		d.Reclaim()
	case err == nil && c.wait == forFrames:
		err = c.frame()
	case err == nil:
		return true, nil
	}
	return false, err
}

// takesPubSub reports whether c takes the pushes of publish and subscribe too.
func (c *call) takesPubSub() bool {
	return c.wait == forFrames || c.p != nil && c.p.takePubSub && c.over == nil
}

// drop waits for the next frame and drops it if it is a push that is wanted,
// piece by piece as it comes.
func (c *call) drop() error {
	name, ok, err := c.rd.PeekPush()
	if err != nil || !ok || parser.IsPubSub(name) {
		return err
	}
	return c.rd.Skip()
}

// frame reads the next frame, handles the pushes that it is or holds, and gives a
// reply to its receiver.
func (c *call) frame() error {
	c.publish() // the rest of a reply may be long in coming
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

// detached returns f, or a copy of it in a buffer of the pool if there are pushes
// nested in it: several handlers get a part of f then, and the first of them may
// have overwritten the rest when it reads from the client's own buffer.
func detached(f parser.Frame) (parser.Frame, *bytebufferpool.ByteBuffer) {
	if !f.HasNestedPushes() {
		return f, nil
	}
	buf := bufpool.Get(len(f.Raw()))
	f = f.CloneTo(buf.B)
	buf.B = f.Raw()
	return f, buf
}

// dispatch handles the pushes that f is and holds, each on its own, so that a
// panic costs none of the others. f is detached.
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

// count counts a push.
func (c *call) count(f parser.Frame) {
	c.counts[pushes]++
	c.counts[bytesTaken] += uint64(len(f.Raw()))
}

// guarded is handle with its own recovery.
func (c *call) guarded(f parser.Frame) {
	defer c.recovered()
	if c.rd != nil {
		c.rd.Driver().Lend()
		defer c.rd.Driver().Reclaim()
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
	if c.over != nil {
		t, f = c.overlaid(f, again)
	}
	if t == nil {
		c.counts[unhandled]++
		return
	}
	c.handled++
	f = borrow(f)
	c.push, c.handling = f, true
	var err error
	if t.function != nil {
		err = t.function(c.ctx, c.handlerCtx, f)
	} else {
		err = t.handle(c.ctx, c.handlerCtx, f)
	}
	c.handling = false
	if err != nil {
		c.counts[errs]++
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

// recovered publishes what has been counted, and ends a handler's panic; one of the
// connection, or of this module, goes its way. When the handler ended its goroutine
// instead, the Reader is at least left usable.
func (c *call) recovered() {
	if c.handling {
		c.handling = false
		if v := recover(); v != nil {
			c.counts[panics]++
			c.report(&PanicError{Value: v, Stack: debug.Stack()})
		}
		expire(c.push)
		if c.rd != nil {
			c.rd.Driver().Reclaim()
		}
	}
	c.publish()
}

// report gives an error of the handler that has just run to the error handler.
func (c *call) report(err error) {
	if reportError(c.p.onError, c.ctx, nameOf(c.push), err) {
		c.counts[panics]++
	}
}

// nameOf returns the name of a push whose handler has returned. The handler may
// have overwritten the push by reading from the client's own buffer, and a name
// that has to be walked to may then be no more; it is nil in that case.
func nameOf(push parser.Frame) (name []byte) {
	defer func() { _ = recover() }()
	return push.Name()
}

// publish adds what has been counted to the processor's counters.
func (c *call) publish() {
	if c.p != nil && c.counts != (tally{}) {
		c.p.counters.add(&c.counts)
		c.counts = tally{}
	}
}

// skips reports whether err is about a push that is to be dropped for its size.
func (c *call) skips(err error) bool {
	if c.p != nil && !c.p.skipOversize || !isOversize(c.rd) || c.rd.SkipOversize() != nil {
		return false
	}
	c.counts[oversize]++
	return true
}

// isOversize reports whether rd has failed with a limit that a push has broken.
func isOversize(rd *parser.Reader) bool {
	_, over := rd.Err().(*parser.LimitError)
	t, _ := rd.Pending()
	return over && t == parser.TypePush
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

// isTimeout reports whether err is, or wraps, a time-out.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
