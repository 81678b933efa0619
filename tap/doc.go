// Package tap provides a net.Conn that takes the RESP3 pushes out of the stream
// between a server and its client, and gives them to handlers. A client that
// knows no pushes, or is not trusted to handle them, then reads only replies.
//
//	p := dispatch.NewProcessor()
//	err := p.HandleFunc("invalidate", notify.OnInvalidate(
//		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
//			if i.FlushAll() {
//				fmt.Println("drop every key")
//			}
//			for key := range i.Keys() { // borrowed until this function returns
//				fmt.Printf("drop %s\n", key)
//			}
//			return nil
//		}))
//	...
//	client := bufio.NewScanner(tap.NewConn(conn, p)) // a client reads from the tap
//	for client.Scan() {
//		fmt.Println("reply", client.Text())
//	}
//
// The client has to speak RESP3, even if it knows no pushes: a RESP3 connection
// carries nulls, maps, doubles and booleans that a client of RESP2 cannot read.
// A client of RESP2 keeps its connections as they are. The pushes then arrive on
// a connection of their own beside it, with CLIENT TRACKING ON BCAST and
// [dispatch.Processor.Serve]. The program examples/redigo shows this.
//
// A tap belongs above TLS, where the stream is plain: [NewConn] of a *tls.Conn,
// not the other way round.
//
// # What is taken out
//
// A Conn takes out all pushes, including those of publish and subscribe, which
// are not replies to a client that knows no pushes: SUBSCRIBE then has no reply
// at all. A client that waits for the confirmation of a subscription then waits
// forever. Redigo's pool does so when a connection with subscriptions is closed:
// it unsubscribes and reads until that is confirmed. The pushes go to the
// handlers of the processor whatever its options. The processor counts those without a handler. A client that knows only
// pub/sub pushes keeps them with [KeepPubSub]. A client that knows all pushes
// gets the whole stream with [Observe].
//
// A Conn also takes out the pushes inside a reply. Servers before Redis 7.2 put
// pushes into the reply of EXEC. Without them the reply has as many elements as
// it announces. (SUBSCRIBE inside MULTI, where pushes replace elements, is not
// supported; see package dispatch.) Attributes before a push belong to it,
// except inside a reply, where they stay.
//
// A stream without pushes, as in RESP2, is not changed at all. A stream that is
// not RESP, such as the one a server sends after SYNC or PSYNC, is an error.
//
// # When, and where
//
// Read takes the pushes out of the bytes in the caller's own buffer. Replies
// are never held or copied, however long they are. They are only moved together
// to close the gaps. Read dispatches a push on the goroutine that called it, in
// wire order, as soon as the push is whole. The push is borrowed from the
// caller's buffer if all of it is there. Otherwise it is put together in pooled
// memory. Attributes before a frame are held there too, until it is known
// whether the frame is a push. [WithLimits] bounds what a Conn holds.
//
// A Conn reads only when the client calls Read. Pushes that arrive while no
// Read is under way wait in the socket for the next one.
//
// # Health checks
//
// Some pools look at the socket of an idle connection through [syscall.Conn].
// They may find a push there that the client is not to see. A pool that takes
// it for an unexpected reply would close the connection. A pool that expects to
// read it at once would wait forever. So a Conn does not implement
// syscall.Conn: such a pool notices a dead connection when it uses it, as it
// does over TLS. [Conn.NetConn] returns the socket for other uses. With Observe
// it may be used for such checks too: the Conn takes nothing out then, so the
// check is correct (see the example).
package tap

// A map for the next author.
//
//	Conn.Read            reads into the client's slice, and filters it there
//	filter.reply         passes over replies: many whole, plain ones at once
//	                     (PassReplies), any other in pieces (Pass)
//	filter.take          takes a push out and delivers it, or leaves it
//	filter.push          scans a push that is not plain, or not whole; of one in
//	                     several pieces it holds the beginning
//	filter.attributes    scans attributes, which may be those of a push
//	backlog              bytes that stay and are no longer in their piece
//
// # What is fast, and what it falls back to
//
// A whole, plain push is found by PlainPush where the default limits apply, and
// by the Scanner otherwise. Processor.Dispatch sets up no call for a push without
// pushes inside. What is atomic, the mark lent and the counters, is written once
// for all pushes of one Read.
