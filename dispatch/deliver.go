package dispatch

import (
	"context"
	"runtime/debug"

	"github.com/seed79615202/respush/parser"
)

// Deliver handles one push that the caller has taken off the stream, without a
// Reader. name is that of the push, as [parser.PlainPush] returns it. It does
// what ProcessBuffered does with a push, at the cost of that one push: nothing is
// set up that only a run of pushes would pay for.
//
// A push must not have pushes inside. The frame is borrowed, and a handler may
// overwrite it by reading from the client's own buffer.
func (o *Overlay) Deliver(ctx context.Context, handlerCtx *NotificationHandlerContext, name []byte, push parser.Frame) {
	n := o.p.counters.of(nil, push)
	n.count(push)
	t, found := o.p.handlers.Lookup(name)
	switch own, ok := o.handlers.Lookup(name); {
	case ok && found:
		kept := push.Clone() // the first handler may read on in the client's buffer
		o.p.call(ctx, handlerCtx, nil, t, push)
		t, push = own, kept
	case ok:
		t = own
	case !found:
		t = o.p.fallback
	}
	if t == nil {
		n[unhandled].Add(1)
		return
	}
	o.p.call(ctx, handlerCtx, nil, t, push)
}

// deliver is Deliver without an Overlay. It reports whether the push has a handler
// or fallback. rd is the Reader that the push was taken off, or nil if the caller
// reads the frames itself.
func (p *Processor) deliver(ctx context.Context, handlerCtx *NotificationHandlerContext, rd *parser.Reader, push parser.Frame) bool {
	n := p.counters.of(rd, push)
	n.count(push)
	t := p.find(p.handlers.Snapshot(), push.Name())
	if t == nil {
		n[unhandled].Add(1)
		return false
	}
	p.call(ctx, handlerCtx, rd, t, push)
	return true
}

// call calls the handler of t with a push, and reports its error or panic. Meanwhile
// rd is lent, unless it is nil.
func (p *Processor) call(ctx context.Context, handlerCtx *NotificationHandlerContext, rd *parser.Reader, t *target, push parser.Frame) {
	// The copy for the handler is made from this one, which is made early so that
	// the other need not wait for it (BenchmarkPushAlone).
	h := *handlerCtx
	if rd != nil {
		rd.Driver().Lend()
	}
	push = borrow(push)
	returned := false
	defer func() {
		if !returned { // it panicked, or ended its goroutine
			if rd != nil {
				defer rd.Driver().Reclaim() // also if the error handler ends it
			}
			if v := recover(); v != nil {
				p.counters.of(rd, push)[panics].Add(1)
				p.report(ctx, rd, push, &PanicError{Value: v, Stack: debug.Stack()})
			}
			expire(push)
		}
		if rd != nil {
			rd.Driver().Reclaim()
		}
	}()
	var err error
	switch {
	case t.function != nil:
		err = t.function(ctx, h, push)
	case t.handler != nil:
		err = t.handler.HandlePush(ctx, h, push)
	default:
		err = t.decode(ctx, h, push)
	}
	returned = true
	if err != nil {
		p.counters.of(rd, push)[errs].Add(1)
		p.report(ctx, rd, push, err)
	}
	expire(push)
}

// report passes an error of the handler that has had push to the error handler.
func (p *Processor) report(ctx context.Context, rd *parser.Reader, push parser.Frame, err error) {
	if reportError(p.onError, ctx, nameOf(push), err) {
		p.counters.of(rd, push)[panics].Add(1)
	}
}
