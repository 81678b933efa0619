package goredis

import (
	"context"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// lone handles the pushes that rd has buffered, as long as they are plain and
// whole. The usual push is: it came by itself, in one read. It is discarded and
// handled where it lies, so lone needs no session. A push is next when lone is
// called.
//
// over reports whether a reply is next, or a push that is left to go-redis. If
// over is false, a session has to go on. taken is the number of pushes handled.
func (r *Processor) lone(ctx context.Context, handlerCtx *dispatch.NotificationHandlerContext, rd reader) (taken int, over bool, err error) {
	for {
		buffered := rd.Buffered()
		w, _ := rd.Peek(buffered)
		push, name := parser.PlainPush(w)
		n := len(push.Raw())
		if n == 0 || n >= len(discardLines) {
			return taken, false, nil
		}
		if leaves(handlerCtx, name) {
			return taken, true, nil
		}
		if rd.Discard(discardLines[n]) != nil || rd.Buffered() != buffered-n {
			rd.Reset(failed{errDiscard})
			return taken, true, errDiscard
		}
		taken++
		r.p.Deliver(ctx, handlerCtx, name, push)

		if isDrain(handlerCtx.Client) && rd.Buffered() == 0 {
			return taken, true, nil // no reply is awaited
		}
		if w, err = rd.Peek(1); err != nil {
			return taken, true, atBoundary(err, isDrain(handlerCtx.Client))
		}
		if w[0] != byte(parser.TypePush) || r.parked.len.Load() > 0 {
			return taken, w[0] != byte(parser.TypePush) && w[0] != byte(parser.TypeAttribute), nil
		}
	}
}

// leaves reports whether a push of this name is left for go-redis to read.
// Without a subscription a message would pass for the next reply.
func leaves(handlerCtx *dispatch.NotificationHandlerContext, name []byte) bool {
	return parser.IsPubSub(name) && (handlerCtx.PubSub != nil || !parser.IsMessage(name))
}
