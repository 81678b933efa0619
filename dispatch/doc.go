// Package dispatch takes RESP3 pushes off a connection and calls the handlers
// registered for their names. It has the whole API of go-redis' push package,
// and beyond it handlers that get a push without any copy or allocation.
//
//	p := dispatch.NewProcessor()
//	err := p.HandleFunc("invalidate", func(ctx context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
//		for v := range push.Args() {
//			cache.drop(v) // borrowed: valid until this function returns
//		}
//		return nil
//	})
//	rd := parser.NewReader(conn)
//	...
//	err = p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{Conn: conn}, rd)
//	reply, err := rd.Next()
//
// A client with its own reply parser shares its *bufio.Reader with the
// [parser.Reader] and calls [Processor.ProcessPendingNotifications] before each
// reply. A connection that nobody else reads has a loop in [Processor.Serve].
//
// # Delivery contract
//
//  1. A push is taken off the stream, whole, before its handler runs: exactly
//     once, whatever the handler does.
//  2. Pushes of one connection are delivered in wire order, on the goroutine
//     that calls the processor.
//  3. A handler's error or panic is reported to the error handler and changes
//     nothing for the next push or reply.
//  4. A handler may register, unregister (itself too), and use any other
//     connection. Using the same Reader from inside a handler is refused with
//     [parser.ErrReentrant], never a corrupted frame; Reset and Release, which
//     return no error, leave the Reader failed with it.
//  5. Handlers see one snapshot per push: after UnregisterHandler returns, a call
//     already under way may still finish.
//  6. ProcessPendingNotifications returns nil when nothing of a push was seen (no
//     data, time-out, end at a boundary: the client's own read reports that) and
//     when a reply is next. It returns an error when a push is cut short,
//     malformed or over a limit. After a time-out inside a push, which it
//     returns, nothing is lost: call again with the same Reader.
//  7. It waits only for bytes that the seen prefix of a frame guarantees, never
//     for a fixed window.
//  8. By default the nine pub/sub names (see [parser.IsPubSub]) are left unread.
//  9. With the build tag respushdebug, borrowed bytes are overwritten when a
//     handler returns, so that keeping them shows.
//
// # A client's own buffer
//
// Over a [parser.Source], a push that is left unread stays in the Source, where
// the client's own parser finds it, and so does one that is not yet whole. What
// does not fit the Source's buffer is moved out of it: a larger push, or the
// head of one whose name does not fit, or attributes larger than the buffer.
// [parser.Reader.Pending] then tells how many bytes were moved, and the client
// must come back to the Reader for the rest of that frame: with a further call
// of the processor for a push that it handles, with [parser.Reader.Next] for a
// push that is left or a reply whose attributes were moved. With a buffer of some
// hundred bytes or more, and no attributes, only pushes that the processor
// handles are ever moved, and a client that calls ProcessPendingNotifications
// before each reply, and stops when it returns an error that is no time-out,
// need not look.
//
// # Not supported
//
// SUBSCRIBE inside MULTI makes pushes stand in for elements of the EXEC reply,
// while PUBLISH inside MULTI puts pushes between them; no rule of counting fits
// both, and this package follows the second.
package dispatch
