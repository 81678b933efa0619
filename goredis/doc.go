// Package goredis makes a [dispatch.Processor] the push notification processor
// of a go-redis client:
//
//	p := dispatch.NewProcessor()
//	err := p.HandleFunc("invalidate", notify.OnInvalidate(
//		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
//			if i.FlushAll() {
//				cache.Clear()
//			}
//			for key := range i.Keys() { // borrowed until this function returns
//				cache.Delete(string(key))
//			}
//			return nil
//		}))
//	...
//	client := redis.NewClient(&redis.Options{
//		Addr:                      "localhost:6379",
//		Protocol:                  3,
//		PushNotificationProcessor: goredis.NewProcessor(p),
//		...
//	})
//
// It works inside go-redis' own read buffer: a push is taken out and dispatched
// where it lies, and one larger than the buffer is moved out of it piece by piece.
// A handler that reads in that buffer finds what is behind its push. With no push
// pending it looks at one byte and returns. It is tested with go-redis
// v9.15.0-beta.1, v9.16.0, v9.22.0 and v9.23.0.
//
// # What is as with go-redis' own processor
//
// Everything a client does: pipelines, transactions, PubSub, blocking commands,
// pools, TLS, clusters, maintenance notifications. Before each reply go-redis calls
// the processor, which blocks until a reply is next, or a push that go-redis reads
// itself: on a PubSub those of publish and subscribe, elsewhere the confirmations of
// subscribing, which are the replies to Do("SUBSCRIBE"). It leaves these unread,
// whether the [dispatch.Processor] was made with [dispatch.WithPubSub] or not.
// Handlers run on the goroutine that reads the reply. They get the
// NotificationHandlerContext that go-redis has filled in: Client, ConnPool and
// Conn, whose types are internal to go-redis, or, on a PubSub, PubSub (a
// *redis.PubSub), Conn and IsBlocking. Attributes before a reply are dropped. A
// push inside a reply, as servers before Redis 7.2 put into EXEC replies, is read
// by go-redis as an element of it.
//
// # Many clients
//
// Any number of clients share one [dispatch.Processor], each with a [Processor] of
// its own over it. What a client registers, for maintenance notifications for
// instance, lives in its Processor and goes with it. GetHandler and
// UnregisterHandler are about that alone. A name that both have a handler for goes
// to both: first to the one of the [dispatch.Processor], then, decoded, to that of
// the client, which hears of it even when the first has failed.
//
// Two clients must not have the same [Processor], as go-redis' handlers are those
// of one client and stay: the second client finds the names taken, says so in its
// log and does without, or panics with maintnotifications.ModeEnabled. The clients
// that a ClusterClient or a Ring makes for its nodes get one each from [NewClient].
//
// # Topologies
//
// [ClusterTopology] and [SentinelTopology] tell a [feed.Cluster] which servers
// there are, by the connections that clients have anyway. A Feed of its own has
// the connection for pushes.
//
// # What differs
//
//   - Errors and panics of handlers go to the error handler of the
//     [dispatch.Processor], not to go-redis' log, and a panic ends there.
//   - A push whose name is no string, or that has none, is taken and counted, or
//     goes to the fallback; go-redis before 9.23 took it for the reply.
//   - A message on a connection that is no PubSub's is handled as any other push;
//     with go-redis it becomes the reply to the next command.
//   - However a push is cut, its name is read right; go-redis before 9.20.1 lost
//     messages whose name came in two reads.
//   - Attributes before a push are part of its frame, unless they are larger than
//     the buffer; go-redis drops them.
//   - A push that is malformed, over a limit or cut short ends the connection:
//     the error is returned, go-redis' own read returns it too, and no byte behind
//     it is taken for a reply. The Offset of a [parser.SyntaxError] counts from
//     where the call began to look.
//   - A time-out inside a push loses nothing once the name has come: it is
//     returned, and the next call goes on, even if go-redis has tried to read in
//     between, as a PubSub does. Before that the push stays where it is.
//   - While go-redis drains a connection that awaits no reply, for client-side
//     caching, the processor handles what has arrived and does not wait for more.
//     What has come of a push stays in go-redis' buffer, and is no error at first:
//     go-redis' own processor returns one for half a payload, of which it has then
//     taken a part.
//   - go-redis calls the processor, with a deadline of 10 microseconds to a
//     millisecond, when it gives a connection back to its pool. Where that time-out
//     falls inside a push whose name has come, v9.22.0 and later drop the
//     connection. v9.15.0-beta.1 and v9.16.0 keep it, whatever a processor returns.
//     The rest of the push is then handled before the next reply, and until then
//     go-redis sees nothing of it, only that a push is next.
//     Attributes in front of a push that are cut there are not kept from them, and
//     make their pool wait for ever; no server sends such unasked.
//
// # Client-side caching
//
// go-redis' own cache (ClientSideCacheConfig) works with v9.22.0: a changed key is
// dropped within a few milliseconds. Since v9.23.0 go-redis empties idle
// connections with its own processor only, so that a key which is read from the
// cache alone would be old for ever. The cache is refused there, and with every
// version that is not known to keep it fresh: go-redis logs that it could not
// register its handler, and why, and reads from the server.
//
// A cache of one's own that is to hear of changes in time needs a connection that
// is always read, as with Serve of the [dispatch.Processor]: go-redis reads a
// pooled connection for the replies to commands only, with any processor, and a
// push to one that is idle waits for the next command there.
//
// # Limits
//
// The read buffer must hold the beginning of a push up to its name: 64 bytes do
// for all known names, and go-redis has 32 KiB.
package goredis
