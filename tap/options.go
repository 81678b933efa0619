package tap

import (
	"context"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// Option configures a [Conn].
type Option func(*Conn)

// Observe makes Read return the stream as it is, the pushes in it, which are
// dispatched all the same. It is for a client that handles pushes itself. Where
// the stream is malformed, the processor's error handler gets the error, once, and
// no more pushes are dispatched: what relies on them, such as a cache, has to stop.
func Observe() Option { return func(c *Conn) { c.filter.observe = true } }

// KeepPubSub leaves the pushes of publish and subscribe (see [parser.IsPubSub])
// that stand between replies to the client: they stay in what Read returns, and
// are not dispatched. One that is cut by the end of a Read is held until it is
// whole. One inside a reply, where no client expects it, is taken out like any
// other. With Observe it has no effect.
func KeepPubSub() Option { return func(c *Conn) { c.filter.keepPubSub = true } }

// SkipOversize makes the Conn drop a push that is over a limit, in memory that
// does not depend on its size, and count it (see [Stats]); otherwise it is an
// error and ends the stream. With KeepPubSub it may be one of publish and
// subscribe. A limit that is broken by attributes before the type is known, or
// MaxDepth by streamed aggregates, ends the stream all the same.
func SkipOversize() Option { return func(c *Conn) { c.filter.skipOversize = true } }

// WithLimits bounds what the Conn holds: a push, or the attributes before a
// frame of any type. Replies have no limit, as nothing of them is held, but the
// default MaxDepth for streamed aggregates, which no server sends.
func WithLimits(l parser.Limits) Option { return func(c *Conn) { c.filter.limits = l } }

// WithContext sets the context that handlers get; without it they get
// context.Background. Its end does not end the Conn.
func WithContext(ctx context.Context) Option { return func(c *Conn) { c.ctx = ctx } }

// WithHandlerContext sets what handlers are told of where a push came from. When
// its Conn is nil, that is the *Conn, as it is without this option.
func WithHandlerContext(h dispatch.NotificationHandlerContext) Option {
	return func(c *Conn) { c.handlerCtx = h }
}
