package dispatch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// These tests are about what a server sends of its own accord: invalidations, and what DEBUG PROTOCOL makes it send.

func TestServerTellsOnceOfEachKeyThatWasRead(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(), server.Dial(t)
		require.Equal(t, []string{"OK", "", "[null null]"}, s.run("CLIENT TRACKING ON", "GET a", "MGET b c"))
		other.Do("SET", "a", "1")
		other.Do("SET", "a", "2") // the server has told once and forgotten
		require.Equal(t, []string{`>["invalidate" ["a"]]`, "2"}, s.run("GET a"))
		other.Do("MSET", "c", "3", "b", "2", "d", "4")
		require.Equal(t, []string{`>["invalidate" ["c"]]`, `>["invalidate" ["b"]]`}, s.run())
		other.Do("SET", "a", "3")
		require.Equal(t, []string{`>["invalidate" ["a"]]`, "OK"}, s.run("CLIENT TRACKING OFF"))
		other.Do("SET", "a", "4")
		require.Empty(t, s.run())
		require.EqualValues(t, 4, s.p.Stats().Pushes)
	})
}

func TestServerTellsOfKeysWithThePrefixesAlone(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(), server.Dial(t)
		require.Equal(t, []string{"OK"}, s.run("CLIENT TRACKING ON BCAST PREFIX user: PREFIX obj:"))
		other.Do("MSET", "user:1", "x", "other", "x", "obj:1", "x", "user:2", "x", "user", "x")
		require.ElementsMatch(t, []string{`>["invalidate" ["user:1" "user:2"]]`, `>["invalidate" ["obj:1"]]`}, s.run())
		other.Do("DEL", "user:2")
		other.Do("SET", "other", "y")
		require.Equal(t, []string{`>["invalidate" ["user:2"]]`}, s.run())
		require.EqualValues(t, 3, s.p.Stats().Pushes)
	})
}

func TestServerFlushIsAnInvalidationOfNull(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(), server.Dial(t)
		s.run("CLIENT TRACKING ON", "GET a")
		other.Do("FLUSHALL")
		require.Equal(t, []string{`>["invalidate" null]`}, s.run())
		other.Do("FLUSHDB")
		require.Equal(t, []string{`>["invalidate" null]`}, s.run())
		log := s.run("GET a", "FLUSHALL", "ECHO b") // where the push stands differs between servers
		require.Equal(t, []string{"", "OK", "b"}, replies(log))
		require.Equal(t, []string{`>["invalidate" null]`}, pushes(log))
	})
}

func TestServerPushesOfOwnWritesStandBetweenReplies(t *testing.T) {
	onServer(t, func(t *testing.T, _ *redistest.Server, open func(...dispatch.Option) *session) {
		s := open()
		require.Equal(t,
			[]string{
				"OK", "", "OK", `>["invalidate" ["a"]]`, "1", "OK", `>["invalidate" ["a"]]`, "",
				"1", `>["invalidate" ["n"]]`, "e", `["2" "1"]`, "2", `>["invalidate" ["a"]]`, `>["invalidate" ["n"]]`,
			},
			s.run("CLIENT TRACKING ON", "GET a", "SET a 1", "GET a", "SET a 2", "GET n",
				"INCR n", "ECHO e", "MGET a n", "DEL a n"))
		require.Equal(t,
			[]string{"", "OK", "QUEUED", "QUEUED", "QUEUED", `["OK" "1" "OK"]`, `>["invalidate" ["a"]]`, `>["invalidate" ["a"]]`},
			s.run("GET a", "MULTI", "SET a 1", "GET a", "SET a 2", "EXEC"))
	})
}

func TestServerPushesArriveWithRepliesOff(t *testing.T) {
	onServer(t, func(t *testing.T, _ *redistest.Server, open func(...dispatch.Option) *session) {
		s := open()
		s.run("CLIENT TRACKING ON")
		s.Send([]string{"GET", "a"}, []string{"CLIENT", "REPLY", "OFF"}, []string{"SET", "a", "1"}, []string{"GET", "a"},
			[]string{"INCR", "a"}, []string{"CLIENT", "REPLY", "ON"})
		require.True(t, s.reply().Value().IsNull())
		require.Equal(t, "OK", s.reply().Value().String())
		require.Equal(t, []string{`>["invalidate" ["a"]]`, `>["invalidate" ["a"]]`}, s.log)
	})
}

func TestServerPushesAndRepliesOfEveryTypeAreToldApart(t *testing.T) {
	onServer(t, func(t *testing.T, _ *redistest.Server, open func(...dispatch.Option) *session) {
		s := open()
		log := s.run("DEBUG PROTOCOL push", "DEBUG PROTOCOL set", "DEBUG PROTOCOL bignum", "DEBUG PROTOCOL verbatim",
			"DEBUG PROTOCOL true", "DEBUG PROTOCOL null", "ECHO a")
		require.Equal(t, []string{`>["server-cpu-usage" 42]`}, pushes(log[:2])) // servers from 7.2 on send it after the reply
		require.Equal(t,
			[]string{
				"Some real reply following the push reply", "[0 1 2]", "1234567999999999999999999999999999999",
				"This is a verbatim\nstring", "t", "", "a",
			},
			replies(log))

		s.Send([]string{"DEBUG", "PROTOCOL", "attrib"}, []string{"DEBUG", "PROTOCOL", "push"}, []string{"PING"})
		f := s.reply()
		require.Equal(t, `{"key-popularity": ["key:123" 90]}`, f.Attributes().String())
		require.Equal(t, "Some real reply following the attribute", f.Value().String())
		require.Empty(t, s.log)
		s.reply()
		require.Equal(t, "PONG", s.reply().Value().String())
		require.Equal(t, []string{`>["server-cpu-usage" 42]`}, s.log)
	})
}

// The client that the invalidations are redirected to is gone.
func TestServerTellsOfABrokenRedirection(t *testing.T) {
	for name, mode := range map[string]string{"default": "", "bcast": " BCAST"} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
				s, other, target := open(), server.Dial(t), server.Dial(t)
				id := target.ID()
				require.Equal(t, []string{"OK", ""}, s.run("CLIENT TRACKING ON REDIRECT "+id+mode, "GET a"))
				other.Do("SET", "a", "1")
				require.Empty(t, s.run("GET a")[1:]) // that went to the target

				require.NoError(t, target.Conn.Close())
				for other.Do("CLIENT", "LIST", "ID", id).String() != "" {
					// The server has not noticed yet.
				}
				other.Do("SET", "a", "2")
				require.Equal(t, []string{`>["tracking-redir-broken" ` + id + `]`, "2"}, s.run("GET a"))
			})
		})
	}
}

func TestServerPushIsDecodedForHandlersOfGoRedis(t *testing.T) {
	onServer(t, func(t *testing.T, _ *redistest.Server, open func(...dispatch.Option) *session) {
		s := open()
		s.p = dispatch.NewProcessor()
		got := new(notified)
		require.NoError(t, s.p.RegisterHandler("invalidate", got, false))
		s.run("CLIENT TRACKING ON", "GET a", "SET a 1", "DEBUG PROTOCOL push", "GET a", "FLUSHALL")
		require.Equal(t, [][]interface{}{{"invalidate", []interface{}{"a"}}, {"invalidate", nil}}, got.got)
		stats := s.p.Stats()
		require.EqualValues(t, 3, stats.Pushes)
		require.EqualValues(t, 1, stats.Unhandled)
	})
}
