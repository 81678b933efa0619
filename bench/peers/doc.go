// Package peers runs the workloads of package bench through other RESP parsers
// and clients, so that they can be compared with respush. The peers are
// go-redis' push.Processor, rueidis, radix, redcon and, with the build tag
// hiredis, the C library of that name.
//
// All peers do the same work. A peer takes all pushes off a stream that comes
// in pieces, finds the handler for the name of each push, and calls it. The
// handler reads every element of the push, in the form in which the client
// hands it out. Peers whose name ends in counts have handlers that only count.
// Replies between the pushes are read as a client's users would read them. The
// Note of a peer says what it does differently.
//
//	for _, p := range peers.All() {
//		run, err := p.Open(peers.Scenes[0])
//		...
//		err = run.Pass() // all of run.Stream
//		pushes := run.Tally.Of("invalidate")
//		run.Close()
//	}
package peers
