package dispatch

import (
	"context"
	"io"
	"time"

	"github.com/seed79615202/respush/parser"
)

// Serve reads a connection until it ends. It is for a connection that nobody
// else reads, such as one for tracking or for publish and subscribe. Serve
// handles every push, whatever its name is, and the pushes nested in a reply
// before that reply. It passes the replies to reply in wire order. A reply is
// borrowed until reply returns. If reply returns an error, Serve returns that
// error. If reply is nil, replies are dropped. If rd is nil, Serve does nothing
// and returns nil.
//
// Otherwise Serve returns:
//
//   - nil when the connection ends between frames
//   - io.ErrUnexpectedEOF when the connection ends inside a frame
//   - a [*parser.SyntaxError] or [*parser.LimitError] when the stream cannot
//     continue
//   - the error of ctx when ctx ends
//   - any other error of the connection, unchanged
//
// Serve does not close the connection.
//
// The nil is an end and not a success. No more pushes arrive, and those that
// were on their way are lost. A cache that relied on the pushes is worthless
// from then on and must be emptied. The same holds after every error that ended
// the connection or the stream.
//
// A time-out of the connection loses nothing, and neither does the end of ctx.
// The connection and rd remain usable, and Serve can be called again with the
// same Reader. It continues where it stopped, even inside a frame.
//
// When ctx ends, Serve returns at once if the connection has read deadlines,
// and otherwise after the next frame. The connection in question is the one
// that rd reads from, or else handlerCtx.Conn. Serve uses its read deadline for
// this and clears it before it returns.
func (p *Processor) Serve(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader, reply func(parser.Frame) error) error {
	return serve(call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forFrames, reply: reply})
}

// serve is Serve of a Processor or an Overlay.
func serve(c call) error {
	if c.rd == nil {
		return nil
	}
	if c.rd.Driver().Lent() {
		return parser.ErrReentrant
	}
	defer interruptReads(c.ctx, c.rd.Driver(), c.handlerCtx.Conn)()
	err := c.run()
	switch {
	case c.replied != nil:
		return c.replied // as it is, whatever it is
	case err == io.EOF:
		return nil
	case c.ctx.Err() != nil && isTimeout(err):
		return c.ctx.Err()
	}
	return err
}

// interruptReads makes the read that is under way fail when ctx ends. The
// caller calls the returned function to stop that; it clears a deadline that
// was set.
func interruptReads(ctx context.Context, d *parser.Driver, conn any) func() {
	deadline := func(t time.Time) {
		c, ok := conn.(interface{ SetReadDeadline(time.Time) error })
		if d.SetReadDeadline(t) == nil || !ok {
			return // without deadlines, ctx is checked between frames
		}
		_ = c.SetReadDeadline(t)
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		deadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-done
			deadline(time.Time{})
		}
	}
}
