package e2e_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// A talker is a client under test. The server sends it an invalidation for
// every key that is written, and every message on the channel news. Its own
// commands cause both.
type talker interface {
	// do sends the commands of steps in one write. It returns the replies that
	// arrived, and the error that prevented the others.
	do(steps []step) (replies []any, err error)
	// connections are all that the client has opened.
	connections() *wires
	// returned returns the pub/sub pushes that the client's own API has
	// returned. It returns nil if they go to handlers.
	returned() *journal
	// finish ends the client.
	finish()
}

// talkers make each kind of talker of a server or proxy. What fails is an
// error, as it may be meant to.
var talkers = map[string]func(tb testing.TB, addr string) (talker, error){
	"serve":    newServeTalker,
	"redigo":   newRedigoTalker,
	"go-redis": newGoRedisTalker,
}

// setUp has what a connection begins with that has the invalidations of the
// keys k:*, m:* and o:*.
var setUp = []string{"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "k:", "PREFIX", "m:", "PREFIX", "o:"}

// A step is a command and its reply. Any integer is right if the reply is nil.
type step struct {
	args  []string
	reply any
}

// serverError is a reply that is an error.
type serverError string

// pushLike is text that looks like a push and must not be taken for one.
const pushLike = "\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\nk:9999\r\n+OK\r\n"

// value returns the value of the key k:i, of some 40 KiB, which is more than a
// client buffers, for every 16th.
func value(i int) string {
	size := 1
	if i%16 == 9 {
		size = 40 << 10 / len(pushLike)
	}
	return fmt.Sprintf("value %d%s", i, strings.Repeat(pushLike, size))
}

// round returns commands that write the key k:i and publish i, with replies of
// many types that belong to no other round.
func round(i int) []step {
	key, number, token := fmt.Sprintf("k:%04d", i), strconv.Itoa(i), fmt.Sprintf("token %d", i)
	return []step{
		{[]string{"SET", key, value(i)}, "OK"},
		{[]string{"ECHO", token}, token},
		{[]string{"GET", key}, value(i)},
		{[]string{"PUBLISH", "news", number}, nil},
		{[]string{"EVAL", "return tonumber(ARGV[1])", "0", number}, int64(i)},
		{[]string{"EVAL", "return {ARGV[1], redis.call('GET', KEYS[1])}", "1", key, number}, []any{number, value(i)}},
		{[]string{"ECHO"}, serverError("ERR wrong number of arguments for 'echo' command")},
	}
}

// many is the number of keys that one push names. Such a push is larger than
// the buffer of any client.
const many = 3000

// setMany writes the keys m:*, for which the server sends a single push.
func setMany() []string {
	args := []string{"MSET"}
	for i := range many {
		args = append(args, fmt.Sprintf("m:%04d", i), "x")
	}
	return args
}

// checkReplies checks that each reply belongs to its step. There may be fewer
// than steps when err says why.
func checkReplies(tb testing.TB, steps []step, replies []any, err error) {
	tb.Helper()
	if err == nil {
		require.Len(tb, replies, len(steps))
	}
	require.LessOrEqual(tb, len(replies), len(steps))
	for i, reply := range replies {
		if steps[i].reply == nil {
			require.IsType(tb, int64(0), reply, steps[i].args[0])
		} else {
			require.Equal(tb, steps[i].reply, plain(reply), steps[i].args[0])
		}
	}
}

// plain returns a reply of any client in the types that a step has.
func plain(reply any) any {
	switch reply := reply.(type) {
	case []byte:
		return string(reply)
	case error:
		return serverError(reply.Error())
	case []any:
		elements := make([]any, len(reply))
		for i, element := range reply {
			elements[i] = plain(element)
		}
		return elements
	default:
		return reply
	}
}

// checkPushes waits until, of each connection, handlers have been told of what
// came over it, in order and once. When one is broken, go-redis may not have
// looked at its last pushes; otherwise, and with the other talkers, none may be
// missing.
func checkPushes(tb testing.TB, t talker, broken bool) {
	tb.Helper()
	for _, w := range t.connections().list() {
		eventuallyEqual(tb, func() (came, told []string) {
			came, told = w.pushes(tb), w.told.all()
			if t.returned() != nil {
				came = except(came, isPubSub)
				if broken && len(told) < len(came) {
					came = came[:len(told)]
				}
			}
			return came, told
		})
	}
	if t.returned() != nil {
		eventuallyEqual(tb, func() (came, told []string) { return pubSub(tb, t), t.returned().all() })
	}
}

// pubSub returns the lines of the pub/sub pushes that came over all connections
// of a talker.
func pubSub(tb testing.TB, t talker) []string {
	tb.Helper()
	return except(t.connections().pushes(tb), func(line string) bool { return !isPubSub(line) })
}

// isPubSub reports whether a line is of one of the pushes of publish and
// subscribe that talkers get.
func isPubSub(line string) bool {
	return strings.HasPrefix(line, `["message"`) || strings.HasPrefix(line, `["subscribe"`)
}

// tell is the handler of all pushes: the wire that a push came over keeps it.
func tell(ctx context.Context, h dispatch.NotificationHandlerContext, push parser.Frame) error {
	_ = wireOf(h.Conn).told.HandlePush(ctx, h, push) // never an error
	return misbehave()
}

// wireOf returns the wire under what a client calls its connection.
func wireOf(conn any) *wire {
	switch conn := conn.(type) {
	case *wire:
		return conn
	case interface{ NetConn() net.Conn }: // of tap
		return wireOf(conn.NetConn())
	default: // of go-redis
		return wireOf(conn.(interface{ GetNetConn() net.Conn }).GetNetConn())
	}
}
