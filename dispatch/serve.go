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
	if rd.Lent() {
		return parser.ErrReentrant
	}
	defer interruptReads(ctx, rd, handlerCtx.Conn)()
	c := call{p: p, ctx: ctx, handlerCtx: handlerCtx, rd: rd}
	defer c.publish()
	err := c.serve(reply)
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

// serve is the loop of Serve; it returns io.EOF at the end of the connection.
func (c *call) serve(reply func(parser.Frame) error) error {
	for {
		if over, err := c.frames(reply); over {
			return err
		}
	}
}

// frames is serve up to the first panic of a handler, which it recovers.
func (c *call) frames(reply func(parser.Frame) error) (over bool, err error) {
	defer c.recovered()
	take := func(f parser.Frame, again bool) bool {
		if f.HasNestedPushes() {
			c.dispatch(f)
		} else {
			c.count(f)
			c.handle(f, again)
		}
		return c.ctx.Err() == nil
	}
	for {
		if err := c.ctx.Err(); err != nil {
			return true, err
		}
		err := c.rd.BufferedPushes(false, take)
		if err == parser.ErrIncomplete || err == nil && c.ctx.Err() == nil {
			c.publish() // Next may wait, for the rest of a reply too
			var f parser.Frame
			if f, err = c.rd.Next(); err == nil {
				err = c.give(f, reply)
			}
		}
		if err != nil && (c.replied != nil || !c.skips(err)) {
			return true, err
		}
	}
}

// give handles the pushes that f is or holds, and gives a reply to its receiver.
func (c *call) give(f parser.Frame, reply func(parser.Frame) error) error {
	if f.IsPush() || f.HasNestedPushes() {
		c.dispatch(f)
	}
	if f.IsPush() || reply == nil {
		return nil
	}
	c.rd.Lend()
	defer c.rd.Reclaim()
	f = borrow(f)
	defer expire(f)
	c.replied = reply(f)
	return c.replied
}

// interruptReads makes the end of ctx fail the read that is under way. The
// function it returns ends that, and leaves no deadline behind.
func interruptReads(ctx context.Context, rd *parser.Reader, conn any) func() {
	deadline := func(t time.Time) {
		c, ok := conn.(interface{ SetReadDeadline(time.Time) error })
		if rd.SetReadDeadline(t) == nil || !ok {
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
