package tap

import (
	"context"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// Option configures a [Conn]. An option whose name begins with With sets a value.
// The others, [Observe], [KeepPubSub] and [SkipOversize], name what the Conn does
// with pushes. The processor's own options, such as [dispatch.WithPubSub] and
// [dispatch.WithSkipOversize], have no effect on a Conn.
type Option func(*Conn)

// Observe makes Read return the stream unchanged, including the pushes, which
// are dispatched all the same. It is for a client that handles pushes itself.
// When the stream is malformed, the processor's error handler gets the error
// once, and no more pushes are dispatched. Code that relies on them, such as a
// cache, has to stop then.
func Observe() Option { return func(c *Conn) { c.filter.observe = true } }

// KeepPubSub leaves publish and subscribe pushes (see [parser.IsPubSub]) that
// stand between replies to the client: Read returns them, and they are not
// dispatched. A push cut by the end of a Read is held until it is whole. A push
// inside a reply, where no client expects it, is taken out like any other.
// KeepPubSub has no effect with Observe.
func KeepPubSub() Option { return func(c *Conn) { c.filter.keepPubSub = true } }

// SkipOversize makes the Conn drop and count a push that is over a limit, in
// memory that does not depend on its size (see [Stats]). Without the option
// such a push is an error and ends the stream. The push may be an invalidation,
// which a cache then misses. With KeepPubSub it may be one of publish and
// subscribe. The stream still ends when attributes exceed a limit before the
// type is known, or streamed aggregates exceed MaxDepth.
func SkipOversize() Option { return func(c *Conn) { c.filter.skipOversize = true } }

// WithLimits bounds what the Conn holds: a push, or the attributes before a
// frame of any type. Replies have no limit, as they are not held. The exception
// is the default MaxDepth for streamed aggregates, which no server sends.
func WithLimits(l parser.Limits) Option { return func(c *Conn) { c.filter.limits = l } }

// WithContext sets the context that handlers get. The default is
// context.Background. The end of the context does not end the Conn.
func WithContext(ctx context.Context) Option { return func(c *Conn) { c.ctx = ctx } }

// WithHandlerContext sets the context that tells handlers where a push came
// from. If its Conn field is nil, handlers get the *Conn there, as without this
// option.
func WithHandlerContext(h dispatch.NotificationHandlerContext) Option {
	return func(c *Conn) { c.handlerCtx = h }
}
