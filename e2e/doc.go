// Package e2e holds tests only: real servers, alone and as a cluster, real
// clients, and a network that misbehaves. What they check is the same everywhere:
// each push that reached a connection is given to a handler once and in order,
// each reply belongs to its request, and what was cut short is an error.
//
// The connections under test keep what they receive, so that what was to be
// delivered is known whatever the client, the server and the network did.
//
// # Sharded channels that move
//
// When a slot goes to another node, the node that had it sends a sunsubscribe that
// nobody has asked for to those subscribed to channels in it, and keeps their
// connections. There are three ways to learn of it, and each of them has a
// subscriber here. A connection that Serve reads gives it to the handler of that
// name. A PubSub of go-redis returns it as a Subscription, since goredis leaves
// pub/sub to the client; it does not subscribe again by itself. An observing tap
// under go-redis, put there by the Dialer, gives handlers what the PubSub gets as
// well. In any case the program subscribes again, where the slot is now.
package e2e
