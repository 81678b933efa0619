// Package tap puts a net.Conn between a client and its server that takes the
// RESP3 pushes out of the stream and gives them to handlers, so that a client
// that knows no pushes, or whose handling of them one does not trust, reads
// replies only.
//
//	p := dispatch.NewProcessor()
//	err := p.HandleFunc("invalidate", func(ctx context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
//		for keys := range push.Args() { // an array of keys, or a null for all of them
//			cache.drop(keys) // borrowed: valid until this function returns
//		}
//		return nil
//	})
//	...
//	conn, err := net.Dial("tcp", addr)
//	... // HELLO 3, on conn itself for a client that does not know its reply, a map
//	client := redis.NewConn(tap.NewConn(conn, p), readTimeout, writeTimeout) // redigo, say
//
// A tap belongs above TLS, where the stream is plain: [NewConn] of a *tls.Conn,
// not the other way round.
//
// # What is taken out
//
// All pushes, those of publish and subscribe too, as they are no replies to a
// client that does not know them: SUBSCRIBE then has no reply at all. They go to
// the handlers of the processor whatever its options; those that nobody handles
// it counts. A client that knows pub/sub pushes and no others keeps them with
// [KeepPubSub], one that knows all of them gets the whole stream with [Observe].
//
// So are the pushes inside a reply, which servers before Redis 7.2 put into that
// of EXEC: it has as many elements as it announces then. (SUBSCRIBE inside MULTI,
// where they stand in for elements, is not supported, see package dispatch.)
// Attributes before a push belong to it, except inside a reply, where they stay.
//
// A stream without pushes, as in RESP2, is not changed by a byte. One that is no
// RESP, such as what a server sends after SYNC and PSYNC, is an error.
//
// # When, and where
//
// Read takes the pushes out of the bytes in the caller's own buffer. Replies are
// never held or copied, however long they are; they are only moved together over
// the gaps. A push is dispatched inside Read, on its goroutine, in wire order, as
// soon as it is whole: borrowed from the caller's buffer if it lies there from
// its first byte to its last, otherwise from pooled memory in which it has been
// put together. So are attributes before a frame, until it is known whether that
// is a push. What is held is bounded by [WithLimits].
//
// Nothing is read ahead, and nobody else reads: pushes that arrive while no Read
// is under way wait in the socket for the client's next one.
//
// # Health checks
//
// Some pools look at the socket of an idle connection through [syscall.Conn]. One
// that takes bytes there for a reply that nobody asked for would close the
// connection, when they are a push that the client is not to see; one that takes
// them for something to be read at once would wait for ever. So a Conn is no
// syscall.Conn: such a pool finds out that a connection has died when it uses it,
// as it does over TLS. [Conn.NetConn] gives the socket for everything else, and, with
// Observe, for such a look as well: nothing is taken out then, so that it tells
// the truth (see the example).
package tap
