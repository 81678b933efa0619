package e2e_test

import (
	"fmt"
	"testing"

	"github.com/gomodule/redigo/redis"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// The test has a push before each of some thousand replies, of which redigo
// must see none.
func TestRedigoSeesNoPushBetweenReplies(t *testing.T) {
	t.Parallel()
	const commands = 5000
	server := redistest.Start(t)
	r, err := newRedigoTalker(t, server.Addr)
	defer r.finish()
	require.NoError(t, err)
	other := server.Dial(t)
	for i := range commands {
		other.Do("SET", fmt.Sprintf("o:%04d", i), "x") // the server pushes before it answers this
		if token := fmt.Sprintf("token %d", i); i%2 == 0 {
			converse(t, r, []step{{[]string{"ECHO", token}, token}})
		} else {
			converse(t, r, []step{{[]string{"GET", fmt.Sprintf("o:%04d", i)}, "x"}, {[]string{"STRLEN", fmt.Sprintf("o:%04d", i)}, int64(1)}})
		}
	}
	checkPushes(t, r, false)
	checkOrder(t, r)
	require.Len(t, numbers(invalidated, r.connections().list()[0].told.all())["o:"], commands)
}

// The test has pushes inside an EXEC reply, where servers before Redis 7.2 put
// what a transaction publishes to its own connection. redigo has to get the
// elements alone.
func TestRedigoSeesNoPushInsideEXEC(t *testing.T) {
	t.Parallel()
	r, err := newRedigoTalker(t, redistest.Start(t).Addr)
	defer r.finish()
	require.NoError(t, err)
	for i := range 100 {
		conn := r.(*redigoTalker).conn
		require.NoError(t, conn.Send("MULTI"))
		require.NoError(t, conn.Send("PUBLISH", "news", i))
		require.NoError(t, conn.Send("SET", fmt.Sprintf("k:%04d", i), i))
		require.NoError(t, conn.Send("PUBLISH", "news", fmt.Sprintf("o%d", i)))
		reply, err := redis.Values(conn.Do("EXEC"))
		require.NoError(t, err)
		require.Equal(t, []any{int64(1), "OK", int64(1)}, reply)
	}
	converse(t, r, []step{{[]string{"ECHO", "last"}, "last"}})
	checkPushes(t, r, false)
	checkOrder(t, r)
	got := numbers(published, messages(r))
	require.Len(t, got[""], 100)
	require.Len(t, got["o"], 100)
}
