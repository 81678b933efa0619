package tap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// errAbandoned is the error after a handler has ended the goroutine that was
// reading. The bytes that it had read are lost.
var errAbandoned = errors.New("tap: a handler has ended the goroutine inside Read")

// Conn is a net.Conn without the pushes of the one below it. All its methods
// may be called concurrently. Reads take turns; everything else goes straight
// to the connection below.
//
// A handler runs inside a Read and may use every method but Read, which fails
// with an error that matches [parser.ErrReentrant] under errors.Is. The handler
// must not wait for another goroutine's Read of the same Conn either, as that
// Read waits for the handler. A handler's Read of another Conn fails too while
// a handler of that Conn runs, and for the moment until the Read that called it
// has filtered its bytes, as the two might wait for each other. Work that
// needs a reply on this connection goes through a [dispatch.Queue] that does
// not block.
//
// Invariant: mu guards filter, late and busy. After Close, the filter has no
// pooled memory once no Read is under way.
type Conn struct {
	conn       net.Conn
	p          *dispatch.Processor
	ctx        context.Context
	handlerCtx dispatch.NotificationHandlerContext

	mu     sync.Mutex
	filter filter
	late   error // of the connection, to be returned when the backlog has been read
	busy   bool  // the filter is at work

	lent   atomic.Bool // a handler runs, or one has run in the Read under way
	closed atomic.Bool
	failed atomic.Pointer[error]

	counters counters
}

// NewConn returns a Conn that reads from c without the pushes. It gives all
// pushes, whatever their names, to the handlers of p, in wire order, inside
// Read. If p is nil, it drops them. c must be at the start of its stream or
// between two replies. From then on, c must be read only through the Conn. Over
// TLS, c is the *tls.Conn.
func NewConn(c net.Conn, p *dispatch.Processor, opts ...Option) *Conn {
	if p == nil {
		p = dispatch.NewProcessor()
	}
	t := &Conn{conn: c, p: p, ctx: context.Background()}
	for _, o := range opts {
		o(t)
	}
	if t.handlerCtx.Conn == nil {
		t.handlerCtx.Conn = t
	}
	t.filter.prepare(t.deliver)
	return t
}

// Read reads from the connection below into b and takes the pushes out, or with
// Observe leaves them in. It waits until at least one byte remains. Read
// dispatches a push before it returns, borrowed from b if all of the push is in
// b.
//
// Read returns errors of the connection unchanged, except that io.EOF inside a
// push becomes io.ErrUnexpectedEOF. After a timeout the next Read goes on, even
// inside a push. A malformed stream, or a push over a limit, is an error that
// wraps a [*parser.SyntaxError] or [*parser.LimitError], with its Offset
// counted over all bytes read from the connection. Read returns the bytes
// before it first, and every further Read returns the error again. With
// Observe, Read goes on returning the bytes unchanged instead, and observing
// ends: the processor's error handler gets the error once, and Err returns it.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return c.conn.Read(b)
	}
	if err := c.lock(); err != nil {
		return 0, err
	}
	defer c.unlock()
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	if n := c.filter.backlog.read(b); n > 0 {
		return n, nil
	}
	for {
		if err := c.ended(); err != nil {
			return 0, err
		}
		n, err := c.conn.Read(b)
		kept := n
		if n > 0 && c.failed.Load() == nil {
			kept = c.filterInto(b, n)
		}
		if err = c.end(err); err != nil && !c.filter.backlog.empty() {
			c.late, err = err, nil
		}
		if kept > 0 || err != nil || n == 0 {
			return kept, err
		}
	}
}

// Write writes to the connection below.
func (c *Conn) Write(b []byte) (int, error) { return c.conn.Write(b) }

// Close closes the connection below, which ends a waiting Read, and gives the
// Conn's memory back.
func (c *Conn) Close() error {
	c.closed.Store(true)
	err := c.conn.Close()
	c.tidy()
	return err
}

// CloseWrite closes the writing side of the connection below, as
// [net.TCPConn.CloseWrite] does. It returns [errors.ErrUnsupported] when the
// connection has no such method.
func (c *Conn) CloseWrite() error {
	if w, ok := c.conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}

// LocalAddr returns the local address of the connection below.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the remote address of the connection below.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets the deadlines of the connection below.
func (c *Conn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// SetReadDeadline sets the read deadline of the connection below.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// SetWriteDeadline sets the write deadline of the connection below.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

// NetConn returns the connection below, for example to set its options. Reading
// from it would take bytes away from the Conn.
func (c *Conn) NetConn() net.Conn { return c.conn }

// Err returns the error that ended the filtering or observing of the stream, or
// nil. It does not return errors of the connection below, except for an end of
// the stream inside a push that was to be taken out.
func (c *Conn) Err() error {
	if err := c.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// lock waits for the turn of a Read.
func (c *Conn) lock() error {
	if c.mu.TryLock() {
		return nil
	}
	if c.lent.Load() && insideHandler() {
		return fmt.Errorf("tap: %w", parser.ErrReentrant)
	}
	c.mu.Lock()
	return nil
}

// unlock ends the turn of a Read.
func (c *Conn) unlock() {
	if c.busy { // a handler has ended the goroutine
		c.worked()
		c.fail(errAbandoned)
	}
	c.mu.Unlock()
	if c.closed.Load() {
		c.tidy()
	}
}

// tidy gives the memory back if no Read is under way. Otherwise that Read does
// it.
func (c *Conn) tidy() {
	if c.mu.TryLock() {
		c.filter.release()
		c.filter.backlog.release()
		c.mu.Unlock()
	}
}

// ended returns the error that Read is to return before it reads.
func (c *Conn) ended() error {
	if c.late != nil {
		err := c.late
		c.late = nil
		return err
	}
	if err := c.Err(); !c.filter.observe || err == errAbandoned {
		return err
	}
	return nil
}

// filterInto filters the n bytes that have been read into b. It returns the
// number of bytes that Read returns.
func (c *Conn) filterInto(b []byte, n int) int {
	c.busy = true
	kept, err := c.filter.feed(b[:n:len(b)]) // what follows b is not the caller's to lend
	c.worked()
	if err != nil {
		err = fmt.Errorf("tap: %w", err)
		c.fail(err)
		if c.filter.observe {
			c.report(err)
		}
	}
	return c.filter.backlog.swap(b, kept)
}

// worked ends what one Read does with the filter.
func (c *Conn) worked() {
	c.busy = false
	if c.lent.Load() {
		c.lent.Store(false)
	}
	c.counters.add(&c.filter.counts)
}

// end returns the error that Read returns for an error of the connection below.
func (c *Conn) end(err error) error {
	switch {
	case c.filter.observe:
		return err
	case c.failed.Load() != nil:
		return nil // ended knows the error that matters
	case err == io.EOF && c.filter.holds():
		c.fail(io.ErrUnexpectedEOF)
		return io.ErrUnexpectedEOF
	}
	return err
}

// fail makes Err return err, and releases what the filter holds.
func (c *Conn) fail(err error) {
	c.failed.Store(&err)
	c.filter.release()
}

// report tells the processor's error handler that there will be no more pushes.
// With Observe the client reads on and would not notice.
func (c *Conn) report(err error) {
	c.lent.Store(true)
	c.p.ReportError(c.ctx, err)
	c.lent.Store(false)
}

// deliver gives a push to the processor. Several pushes of one Read share what is
// atomic: the mark that c is lent, and the addition to the counters
// (BenchmarkTap/reply=1KiB-and-push).
func (c *Conn) deliver(push parser.Frame) {
	if !c.lent.Load() {
		c.lent.Store(true)
	}
	c.p.Dispatch(c.ctx, c.handlerCtx, push)
}
