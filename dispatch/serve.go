package dispatch

import (
	"context"
	"io"
	"time"

	"github.com/seed79615202/respush/parser"
)

// Serve reads a connection that nobody else reads until it ends, such as one
// that is there for tracking or for publish and subscribe. Pushes, whatever
// their names, go to their handlers, and so do those nested in a reply, before
// the reply goes to reply. Replies come in order, borrowed until reply returns;
// an error from reply ends Serve with that error, and a nil reply drops them.
//
// Serve returns nil when the connection ends between frames and
// io.ErrUnexpectedEOF when it ends inside one, a [*parser.SyntaxError] or
// [*parser.LimitError] when the stream cannot go on, and any other error of the
// connection as it is. When ctx ends, Serve returns its error: at once if the
// connection, which is what rd reads from or else handlerCtx.Conn, has read
// deadlines, otherwise after the next frame. The deadline is then cleared, so
// that the connection and rd can be used further.
func (p *Processor) Serve(ctx context.Context, handlerCtx NotificationHandlerContext, rd *parser.Reader, reply func(parser.Frame) error) error {
	if rd == nil {
		return nil
	}
	if rd.Driver().Lent() {
		return parser.ErrReentrant
	}
	defer interruptReads(ctx, rd.Driver(), handlerCtx.Conn)()
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd, wait: forFrames, reply: reply}
	err := c.run()
	switch {
	case c.replied != nil:
		return c.replied // as it is, whatever it is
	case err == io.EOF:
		return nil
	case ctx.Err() != nil && isTimeout(err):
		return ctx.Err()
	}
	return err
}

// interruptReads makes the end of ctx fail the read that is under way. The
// function it returns ends that, and leaves no deadline behind.
func interruptReads(ctx context.Context, d *parser.Driver, conn any) func() {
	deadline := func(t time.Time) {
		c, ok := conn.(interface{ SetReadDeadline(time.Time) error })
		if d.SetReadDeadline(t) == nil || !ok {
			return // without deadlines ctx is looked at between frames
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
