package dispatch_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

func TestServerPubSubPushesAreDeliveredInOrder(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(dispatch.WithPubSub()), server.Dial(t)
		require.Equal(t,
			[]string{
				`>["subscribe" "a" 1]`, `>["subscribe" "b" 2]`, `>["subscribe" "a" 2]`,
				`>["psubscribe" "?" 3]`, `>["ssubscribe" "sh" 1]`, "e",
			},
			s.run("SUBSCRIBE a b a", "PSUBSCRIBE ?", "SSUBSCRIBE sh", "ECHO e"))
		other.Do("PUBLISH", "a", "1")
		other.Do("SPUBLISH", "sh", "2")
		other.Do("PUBLISH", "c", "3\r\n")
		other.Do("PUBLISH", "cc", "4")
		require.Equal(t,
			[]string{
				`>["message" "a" "1"]`, `>["pmessage" "?" "a" "1"]`, `>["smessage" "sh" "2"]`,
				`>["pmessage" "?" "c" "3\r\n"]`, "e",
			},
			s.run("ECHO e"))
		require.Equal(t,
			[]string{
				`>["unsubscribe" "b" 2]`, `>["sunsubscribe" "sh" 0]`, `>["punsubscribe" "?" 1]`, `>["unsubscribe" "a" 0]`, "e",
			},
			s.run("UNSUBSCRIBE b", "SUNSUBSCRIBE", "PUNSUBSCRIBE", "UNSUBSCRIBE", "ECHO e"))
		stats := s.p.Stats()
		require.EqualValues(t, 13, stats.Pushes)
		require.Zero(t, stats.Nested+stats.Unhandled+stats.Errors)
	})
}

// The processor takes what stands between them.
func TestServerPubSubPushesAreLeftToTheClient(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(), server.Dial(t)
		require.Equal(t,
			[]string{"OK", "", `>>["subscribe" "a" 1]`, `>>["psubscribe" "*" 2]`, `>>["ssubscribe" "a" 1]`},
			s.run("CLIENT TRACKING ON", "GET k", "SUBSCRIBE a", "PSUBSCRIBE *", "SSUBSCRIBE a"))
		other.Do("PUBLISH", "a", "1")
		other.Do("SET", "k", "v")
		other.Do("SPUBLISH", "a", "2")
		require.Equal(t,
			[]string{
				`>>["message" "a" "1"]`, `>>["pmessage" "*" "a" "1"]`, `>["invalidate" ["k"]]`, `>>["smessage" "a" "2"]`, "v",
			},
			s.run("GET k"))
		require.EqualValues(t, 1, s.p.Stats().Pushes)
	})
}

func TestServerUnsubscribeFromNothingIsConfirmedByAPush(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s := open(dispatch.WithPubSub())
		if strings.HasPrefix(server.Valkey, "8.0.") { // refuses them, and the refusal is a reply
			s.Send([]string{"UNSUBSCRIBE"}, []string{"PUNSUBSCRIBE"}, []string{"SUNSUBSCRIBE"}, []string{"ECHO", "e"})
			for range 3 {
				require.Contains(t, s.reply().Value().String(), "NOSUB")
			}
			require.Equal(t, "e", s.reply().Value().String())
			require.Empty(t, s.log)
			return
		}
		require.Equal(t,
			[]string{
				`>["unsubscribe" null 0]`, `>["punsubscribe" null 0]`, `>["sunsubscribe" null 0]`,
				`>["unsubscribe" "x" 0]`, `>["unsubscribe" "y" 0]`, "e",
			},
			s.run("UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE x y", "ECHO e"))
	})
}

// Some servers send the push before the reply, and some after.
func TestServerOwnPublishIsDeliveredBesideItsReply(t *testing.T) {
	onServer(t, func(t *testing.T, _ *redistest.Server, open func(...dispatch.Option) *session) {
		s := open(dispatch.WithPubSub())
		log := s.run("SUBSCRIBE self", "PUBLISH self a", "ECHO e", "PUBLISH self b", "SET k v")
		require.Equal(t, []string{"1", "e", "1", "OK"}, replies(log))
		require.Equal(t, []string{`>["subscribe" "self" 1]`, `>["message" "self" "a"]`, `>["message" "self" "b"]`}, pushes(log))
		first, second := slices.Index(log, `>["message" "self" "a"]`), slices.Index(log, `>["message" "self" "b"]`)
		echo := slices.Index(log, "e")
		require.True(t, first < echo && echo < second, log)
	})
}

// Servers before 7.2 put the push inside the reply to EXEC.
func TestServerPublishInTransactionIsNoElementOfTheReply(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s := open(dispatch.WithPubSub())
		log := s.run("SUBSCRIBE self", "MULTI", "SET k v", "PUBLISH self a", "GET k", "PUBLISH self b", "EXEC", "ECHO e")
		require.Equal(t,
			[]string{"OK", "QUEUED", "QUEUED", "QUEUED", "QUEUED", `["OK" 1 "v" 1]`, "e"},
			replies(log))
		require.Equal(t, []string{`>["subscribe" "self" 1]`, `>["message" "self" "a"]`, `>["message" "self" "b"]`}, pushes(log))
		stats := s.p.Stats()
		require.EqualValues(t, 3, stats.Pushes)
		if strings.HasPrefix(server.Version, "7.0.") {
			require.EqualValues(t, 2, stats.Nested)
		}
	})
}

// large is a message of 5 MiB that looks like frames.
var large = strings.Repeat("\r\n$3\r\nabc\r\n>1\r\n+\x00\xff 0123456789\r\n", 5<<20/32)

func TestServerLargeMessageArrivesWhole(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(dispatch.WithPubSub()), server.Dial(t)
		s.run("SUBSCRIBE ch")
		got := 0
		require.NoError(t, s.p.HandleFunc("message", func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
			for v := range f.Args() {
				if string(v.Bytes()) == large {
					got++
				}
			}
			return nil
		}))
		other.Do("PUBLISH", "ch", large)
		other.Do("PUBLISH", "ch", large)
		require.Equal(t, []string{"e"}, s.run("ECHO e"))
		require.Equal(t, 2, got)
		require.EqualValues(t, 3, s.p.Stats().Pushes)
		require.Greater(t, s.p.Stats().Bytes, uint64(2*len(large)))
	})
}

func TestServerMessageOverTheLimitIsDroppedAlone(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(dispatch.WithPubSub(), dispatch.WithSkipOversize()), server.Dial(t)
		s.read(s.Conn, parser.WithLimits(parser.Limits{MaxFrame: 1 << 20}))
		s.run("SUBSCRIBE ch")
		for _, message := range []string{"a", large, large, "b", large} {
			other.Do("PUBLISH", "ch", message)
		}
		require.Equal(t, []string{`>["message" "ch" "a"]`, `>["message" "ch" "b"]`, "e"}, s.run("ECHO e"))
		stats := s.p.Stats()
		require.EqualValues(t, 3, stats.Pushes)
		require.EqualValues(t, 3, stats.Oversize)
	})
}

// The message is larger than the buffer that the server has for a client.
func TestServerOwnLargePublishIsWhole(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		if !strings.HasPrefix(server.Version, "7.0.") {
			t.Skip("other servers may send the push in the middle of another frame")
		}
		s := open(dispatch.WithPubSub())
		s.run("SUBSCRIBE self")
		for _, size := range []int{16 << 10, 16<<10 + 1, 20 << 10, 100 << 10} {
			text := strings.Repeat("x", size)
			message := `>["message" "self" "` + text + `"]`
			require.Equal(t, []string{message, "1", message, "1", "e"}, s.run("PUBLISH self "+text, "PUBLISH self "+text, "ECHO e"))
			require.Equal(t,
				[]string{"OK", "QUEUED", "QUEUED", message, "[1 null]", "e"},
				s.run("MULTI", "PUBLISH self "+text, "GET k", "EXEC", "ECHO e"))
		}
	})
}
