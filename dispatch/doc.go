// Package dispatch takes RESP3 pushes off a connection and calls the handlers
// registered for their names. It has the whole API of go-redis' push package.
// Beyond that, it has handlers that receive a push without a copy or an
// allocation.
//
//	invalidate := func(_ context.Context,
//		_ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
//		if i.FlushAll() {
//			fmt.Println("drop every key")
//		}
//		for key := range i.Keys() { // borrowed until this function returns
//			fmt.Printf("drop %s\n", key)
//		}
//		return nil
//	}
//	p := dispatch.NewProcessor()
//	err := p.HandleFunc("invalidate", notify.OnInvalidate(invalidate))
//
// The package example shows this in full. A client calls
// [Processor.ProcessPendingNotifications] before it reads each reply, either
// from the [parser.Reader] or, with a reply parser of its own, from a
// *bufio.Reader that it shares with the Reader. [Processor.Serve] reads a
// connection that nobody else reads. [Processor.ProcessBuffered] serves a
// connection that is idle. [Processor.Dispatch] handles frames that the caller
// has read itself.
//
// # Terms
//
// To take a push is to remove it from the stream, whole. To handle it is to
// call the handler registered for its name, or else the fallback. To drop it is
// to lose it without a call. To leave it is to leave its bytes unread, for the
// client.
//
// # Delivery contract
//
//  1. A push is taken before its handler runs. It is taken exactly once,
//     whatever the handler does.
//  2. The pushes of a connection are handled in wire order, on the goroutine
//     that calls the processor.
//  3. The error handler receives a handler's error or panic. Neither affects
//     the next push or reply.
//  4. A handler may register handlers, unregister them, its own included, and
//     use any other connection. The Reader refuses calls from inside a handler
//     with [parser.ErrReentrant] and never returns a corrupted frame. Reset and
//     Release return no error; they leave the Reader failed with
//     ErrReentrant instead. A handler may read the client's own buffer: what it
//     has consumed is gone, and the processor continues behind it.
//  5. Each push is looked up in one snapshot of the handlers. A call that is
//     under way may finish after UnregisterHandler has returned.
//  6. ProcessPendingNotifications returns nil when a reply is next. It also
//     returns nil when it has seen no byte of a push before the connection has
//     no data, times out or ends, because the client's own read reports that.
//     It returns an error when a push is cut short, malformed or over a limit.
//     A time-out inside a push is such an error, but loses nothing: the next
//     call with the same Reader continues there.
//  7. The processor waits only for bytes that the beginning of a frame
//     guarantees. It never waits for a fixed number of bytes.
//  8. By default the pushes with the nine names of publish and subscribe (see
//     [parser.IsPubSub]) are left.
//  9. With the build tag respushdebug, borrowed bytes are overwritten when a
//     handler returns, so that a handler that retains them fails visibly.
//
// # Contexts and time-outs
//
// Only Serve watches its context. The other methods pass theirs to the handlers
// and never look at it, so a ProcessPendingNotifications that waits for bytes
// does not return when its context ends. A read deadline on the connection
// bounds the wait.
//
// A time-out loses nothing, wherever it strikes. The next call with the same
// Reader continues where the last one stopped, Serve included.
//
// # The end of a connection
//
// The server forgets what a connection tracks and subscribes to when the
// connection ends, and pushes that were on their way are lost. Serve returns
// nil for a connection that ends between frames. That nil is an end and not a
// success: a cache that relied on the pushes is worthless from then on and must
// be emptied. The same holds after any error that is not a time-out.
//
// A connection that waits in a pool does not hear its pushes, because nobody
// reads it. Its owner reads it from time to time with a short read deadline in
// the future ([parser.Driver.Fill]) and then calls ProcessBuffered; the Idle
// example of that method shows it. A deadline in the past would fail the read
// even if bytes have arrived.
//
// # Handlers that use their client
//
// A handler runs while its connection is in use. If it sends a command through
// the client that the connection belongs to, that command needs a second
// connection. The handlers can exhaust the client's pool: when every connection
// of the pool has a handler that waits for another connection, all of them wait
// until the pool gives up. Such a handler belongs behind a [Queue] whose
// overflow policy does not block, or uses a client with a pool of its own.
//
// # A client's own buffer
//
// Over a [parser.Source], a push that is left stays in the Source, where the
// client's own parser finds it. A push that is not yet whole stays there too.
// Three things do not fit the Source's buffer and are moved out of it: a larger
// push, the head of a push whose name does not fit, and attributes larger than
// the buffer. [parser.Reader.Pending] then returns the number of bytes that
// were moved, and the client must use the Reader for the rest of that frame. It
// calls the processor again for a push that the processor takes. It calls
// [parser.Reader.Next] for a push that is left, or a reply whose attributes
// were moved.
//
// With a buffer of some hundred bytes or more, and without attributes, only
// pushes that the processor takes are ever moved. A client with such a buffer
// need not call Pending if it calls ProcessPendingNotifications before each
// reply and stops when that returns an error that is not a time-out.
//
// # A client's own parser
//
// The processor takes the pushes that stand before a reply. It does not see
// those inside a reply that the client parses itself. Servers before Redis 7.2
// put a push inside the reply to EXEC when the transaction publishes to a
// channel that its connection is subscribed to. The client's parser must expect
// such a push between the elements of any aggregate, and must not count it as
// one of them. [parser.Reader.Next] does so; [parser.Frame.NestedPushes]
// returns these pushes and [Processor.Dispatch] handles them.
//
// # What servers do
//
// With CLIENT TRACKING REDIRECT the invalidations of one connection, the
// source, go to another, the target. When the target ends, the source receives
// a tracking-redir-broken push. When the source ends, the server stops tracking
// for it and tells the target nothing. A client with a cache must therefore
// watch the source as well, and empty the cache when it ends.
//
// Valkey 9.0.0 to 9.1.0 tears a message of 16 KiB or more whose publisher is
// subscribed to the channel itself: it sends the payload first, then the reply,
// and then the head of the push, which takes the next reply for its payload.
// From the bytes alone this cannot be told from proper frames, so replies no
// longer belong to their commands. Such a server needs one connection for
// publishing and another one for subscriptions.
//
// UNSUBSCRIBE on a connection without subscriptions is confirmed by a push.
// Valkey 8.0 refuses it instead, and the refusal (NOSUB) is a reply. A client
// that waits for the push would wait forever, and it would take the refusal for
// the reply to its next command.
//
// SUBSCRIBE inside MULTI makes pushes stand in for elements of the reply to
// EXEC, whereas PUBLISH inside MULTI puts pushes between the elements. No rule
// of counting fits both. This package supports PUBLISH inside MULTI and does
// not support SUBSCRIBE inside MULTI.
package dispatch

// A map for the next author.
//
// Every method of a Processor, an Overlay and a VoidProcessor that reads a
// connection makes a call (call.go) and runs its loop, untilPanic:
//
//	AwaitPush        a reply is next in nearly every call: no call is made at all
//	LonePush         nor for a push that comes alone, which deliver handles, as it
//	                 does what Dispatch is given without pushes inside
//	NextBuffered     takes the pushes that have been received, one after another
//	next             when nothing is buffered, waits for bytes and goes back to
//	                 NextBuffered; goes on with a frame that has been cut
//	frame            reads a frame of any type, for Serve
//
// # What is fast, and what it falls back to
//
// What pushes share is done once: one recovery for the loop, which is entered
// again after a panic; one look-up for pushes of one name in a row, whether they
// come together (again) or each in a read of its own (target.isFor); one
// addition to the counters before each wait, in the copy that belongs to the Reader.
// A push with pushes inside it takes the general path: dispatch, with a recovery
// for each.
