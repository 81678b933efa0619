// Package feed keeps a connection to a Redis or Valkey server for its pushes.
// The connection heals itself, and it says what it may have missed.
//
// A [Feed] dials, authenticates, asks for invalidations, subscribes, probes the
// server and dials again when it is gone. A [Guard] decides which values a near
// cache may keep. This is a subscriber:
//
//	p := dispatch.NewProcessor()
//	p.HandleFunc("message", notify.OnMessage(handle))
//	f := &feed.Feed{Addr: "localhost:6379", Channels: []string{"news"}, Processor: p, OnGap: resync}
//	err := f.Run(ctx)
//
// # Terms
//
// A Feed is armed when the server has confirmed everything that was asked of it,
// so that it reports every change. A gap begins when the Feed loses that, and
// ends when it is armed again. Each gap begins a new generation. [Feed.Coverage]
// returns these at a glance: the generation, whether the Feed is armed, and the
// moment up to which nothing is missing.
//
// # When a near cache may answer
//
// A cached value may be served if all of this holds:
//
//  1. Coverage. The Feed was armed before the read of the value was sent, and it
//     is armed now, in the same generation. [Coverage.Continues] compares the two.
//     With the flushes described below it is enough to ask, for each hit and for
//     each value to keep, whether the Feed is armed.
//  2. No overtaking. No invalidation of the key and no flush was handled between
//     the read and the moment the value was stored. The value and the
//     invalidation come on two connections, so the older of them may arrive last.
//     A [Guard] tells.
//  3. Same node. The value was read from the server that the Feed is connected
//     to, and not from a replica, which may be behind.
//  4. Freshness. A Feed that is armed is at most Probe.Every + Probe.Within behind
//     the server. [Coverage].AsOf is the exact moment: a value that is served has
//     every change that the server had confirmed to its writer before it.
//
// The order in code is: ask Coverage, look in the cache, and on a miss
// [Guard.Begin], read, and [Load.Keep] if the Feed is armed. The handler of
// invalidations tells the Guard first and the cache second. Example (NearCache)
// is all of it.
//
// # What a near cache may not rely on
//
//   - SWAPDB. No server reports the keys that it exchanges.
//   - Expiry. A server reports an expired key when it deletes it. Usually that is
//     soon, but it may be when somebody next asks for the key. A cache has to keep
//     the time to live of each value itself.
//   - Default tracking. It reports only the keys that the same connection has
//     read, forgets them when the server's table is full (tracking-table-max-keys,
//     which it then reports as invalidations), and cannot be used from a
//     connection of its own without REDIRECT. When the source of a REDIRECT
//     ends, the server tells the target nothing. A Feed uses broadcasting mode
//     only.
//   - Time-outs. A Feed knows of a dead server after Probe.Every + Probe.Within.
//     Until then a cache may serve values that have changed meanwhile on a server
//     that took its place.
//
// # A gap, step by step
//
// The order of these steps does not change:
//
//  1. The generation grows, and the Feed is not armed. Any goroutine sees that
//     at once, even while a handler is busy.
//  2. If the Feed tracks keys, the handler of invalidations gets one that flushes
//     everything. It passes through a Queue like any other.
//  3. OnGap is called. A subscriber, whom no flush helps, reads the state that it
//     may have missed.
//  4. The Feed dials, with a pause that grows, and sets up the connection.
//  5. There is a second flush, since code that does not ask Coverage may have
//     stored values meanwhile. The Feed waits until all Queues have handled it.
//  6. The Feed is armed, and OnArmed is called.
//
// A Run begins with a gap, whose cause is [ErrStart] and whose Since is zero.
// The end of Run is not a gap, but the Feed is no longer armed.
//
// # How the server is watched
//
// The operating system may take minutes to notice that a peer is gone, and never
// notices that it is frozen. So the Feed asks with HELLO, every Probe.Every, and
// the answer has to arrive within Probe.Within. The answer also names the role
// of the server: if that changes, a failover has happened, and the Feed dials
// again.
//
// One answer does not prove that the invalidations of earlier changes have
// arrived. A server broadcasts them at the end of a turn of its event loop, so
// the answer to a probe may precede the invalidation of a change that was made
// before it. The Feed therefore sends a PING when HELLO has been answered. It
// cannot be answered in the same turn of the loop, except by a server in the
// middle of a script that runs for too long, and that refuses it. The answer to
// PING proves that every change before the HELLO was sent has been reported. That
// moment becomes AsOf, once the Queues have handled what they hold. For
// publish and subscribe alone, one answer is enough.
//
// A handler that is slower than Probe.Within therefore costs the coverage, on the
// goroutine of Run as well as behind one of the Queues.
//
// A server closes an idle connection after its timeout, if that is set, so
// Probe.Every has to be shorter. A client that tracks keys and has no
// subscription has no limit for its output in the server. To have one, subscribe
// to any channel: then the server closes the connection of a Feed that is too
// slow, which is a gap.
//
// # Moving
//
// A server that is about to close a connection may announce it with a MOVING
// push. The Feed sets up the new connection before it leaves the old one, and
// proves that it has handled everything that the old one sent before. There is
// no gap then. Invalidations and messages that were sent to both connections
// arrive twice.
//
// # Errors
//
// Run returns a [SetupError] if a server refuses a command before the Feed has
// ever been armed. Later, OnError receives it, and the Feed tries again. A
// refusal is never a silent success, and neither is a server that confirms
// subscriptions with arrays though it accepted RESP3: see [ErrArrayPubSub].
//
// # Memory and goroutines
//
// A Feed has no goroutine besides that of Run, except while it moves. A push and
// a probe allocate nothing. An idle connection holds a few kilobytes, and its
// buffer grows on demand.
package feed

// How the parts fit:
//
//	feed.go       the fields, Run, Stop, Shutdown
//	run.go        the loop of Run: connect, serve, gap, pause
//	session.go    one connection: set-up, the matching of replies, failing
//	probe.go      its timer: rounds of probes, arming
//	subscribe.go  changes of subscriptions, before and while it is connected
//	move.go       its replacement by a successor without a gap
//	coverage.go   generations
//	gap.go        gaps and their causes, refusals
//	guard.go      loads of a near cache; independent of the rest
//
// A session goes through these phases; a failure may come at any time:
//
//	settingUp --all answered--> arming --Queues passed--> resting
//	resting --Every--> firstProbe --> lastProbe --> settling --Queues passed--> resting
//
// Three kinds of goroutines meet: that of Run reads and calls handlers, the timer
// of a session writes probes and finds it overdue, and callers write changes.
// Feed.mu guards what they share. Nothing that may block for long happens with
// it held, and no handler or function of the user is called with it. The only
// exception is a write to the connection, which has a deadline.
