// Package e2e holds only tests, with real servers, alone and as a cluster, real
// clients, and a network that misbehaves. All of them check the same: a handler
// receives each push that reached a connection once and in order, each reply
// belongs to its request, and a frame that was cut short is an error.
//
// The connections under test record what they receive. So the tests know what had
// to be delivered, whatever the client, the server and the network did.
//
// # Sharded channels that move
//
// When a slot moves to another node, the node that had it sends an unsolicited
// sunsubscribe to the subscribers of its channels, and keeps their connections
// open. There are three ways to learn of this, and each of them has a subscriber
// here. A connection that Serve reads gives it to the handler of that
// name. A PubSub of go-redis returns it as a Subscription, since goredis leaves
// pub/sub to the client; it does not subscribe again by itself. An observing tap
// under go-redis, put there by the Dialer, gives handlers what the PubSub gets as
// well. In any case the program subscribes again, where the slot is now.
package e2e
