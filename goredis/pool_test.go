package goredis_test

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// A push that comes in two parts, the first behind a reply and the second before the next one, is cut by whatever looks at
// the connection in between: the giving back, the pool's checks, the taking out, with deadlines of microseconds. It may
// cost the connection; it must not cost a reply.
func TestAPushThatIsCutWhileTheConnectionIsPooled(t *testing.T) {
	for _, wire := range []string{invalidate, moving + flush, largePush + bulk(600), largePush + bulk(100<<10)} {
		for _, at := range []int{1, 20, len(wire) / 2, len(wire) - 1} {
			t.Run(fmt.Sprint(len(wire), "/", at), func(t *testing.T) {
				var j journal
				opt := redis.Options{ReadBufferSize: 128, PoolSize: 2}
				opt.Addr = listen(t, func(conn net.Conn) { serveCut(conn, wire[:at], wire[at:]) })
				client := newClient(t, *withoutMaintenance(&opt), j.processor())
				for i := range 20 {
					reply, err := client.Do(background, "echo", i).Result()
					require.NoError(t, err)
					require.EqualValues(t, i, reply)
				}
				pushes := j.entries
				require.LessOrEqual(t, len(pushes), 40)
				for _, p := range pushes {
					require.Contains(t, []string{pushIn(t, invalidate), pushIn(t, moving), pushIn(t, flush),
						pushIn(t, largePush+bulk(600)), pushIn(t, largePush+bulk(100<<10))}, p)
				}
				if wire == moving+flush {
					for i, p := range pushes {
						require.Equal(t, pushIn(t, []string{moving, flush}[i%2]), p)
					}
				}
			})
		}
	}
}

// serveCut answers ECHO with the integer that it is given, in between the two parts of what it pushes.
func serveCut(conn net.Conn, head, tail string) {
	rd := parser.NewReader(conn)
	begun := false
	for {
		command, err := rd.Next()
		if err != nil {
			return
		}
		out := "+OK\r\n"
		for arg := range command.Value().All() {
			switch name := arg.String(); {
			case name == "hello" || name == "HELLO":
				out = "%1\r\n$5\r\nproto\r\n:3\r\n"
			case name == "echo":
				out = ""
			case out == "":
				out = ":" + name + "\r\n" + head
				if begun {
					out = tail + out
				}
				begun = true
			}
		}
		if _, err = conn.Write([]byte(out)); err != nil {
			return
		}
	}
}

// afterReply is a Limiter that is told of each result just before go-redis gives the connection back.
type afterReply func()

func (afterReply) Allow() error         { return nil }
func (f afterReply) ReportResult(error) { f() }

// spokenConn is a connection that tells when something has been read.
type spokenConn struct {
	net.Conn
	heard func()
}

func (c *spokenConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard()
	}
	return n, err
}

// Half a push that is there when a connection is given back to the pool costs no reply, wherever it is cut and whatever the
// rest of it looks like. go-redis since v9.22.0 drops a connection whose processor has taken a part and timed out. Before, it
// pools the connection and looks at what is next there. It is to see a push, and the rest is handled where it goes on.
func TestAConnectionThatIsPooledInsideAPushGoesOnThere(t *testing.T) {
	hostile := "$24\r\n|1\r\n+a\r\n+b\r\n>1\r\n+c\r\n+d\r\n\r\n"
	outcomes := map[string]int{}
	for _, wire := range []string{">2\r\n$10\r\ninvalidate\r\n*1\r\n" + hostile, largePush + hostile, largePush + bulk(600)} {
		for at := 1; at < len(wire); at++ {
			for _, before := range []string{"command", "reply"} {
				poolInside(t, wire[:at], wire[at:], before, outcomes)
			}
		}
	}
	t.Log(redis.Version(), outcomes)
	if poolsWhateverTheProcessorReturns() {
		require.Zero(t, outcomes["dropped"])
		require.NotZero(t, outcomes["pooled, and a part taken"])
	} else {
		require.Zero(t, outcomes["pooled, and a part taken"])
	}
}

// poolInside has a new connection given back to the pool when head has come, and used again. The tail comes before the next
// command, or before the reply to it.
func poolInside(t *testing.T, head, tail, before string, outcomes map[string]int) {
	at := fmt.Sprintf("%q, and before the %s %q", head, before, tail)
	var j journal
	p := j.processor()
	var current atomic.Pointer[spokenConn] // the one that has had the last command
	write := func(s string) {
		_, err := current.Load().Write([]byte(s))
		assert.NoError(t, err, at)
	}
	var connected, half, rest atomic.Bool
	opt := redis.Options{ReadBufferSize: 128, PoolSize: 1, MaxRetries: -1}
	opt.OnConnect = func(context.Context, *redis.Conn) error {
		half.Store(!connected.Swap(true)) // what sets the connection up has been answered
		return nil
	}
	opt.Limiter = afterReply(func() {
		if half.Swap(false) {
			write(head)
		}
	})
	opt.Addr = listen(t, func(conn net.Conn) {
		spoken := &spokenConn{Conn: conn}
		spoken.heard = func() {
			current.Store(spoken)
			if rest.Swap(false) {
				write(tail)
			}
		}
		serveCut(spoken, "", "")
	})
	client := newClient(t, *withoutMaintenance(&opt), p)
	defer client.Close()
	echo := func(i int) {
		reply, err := client.Do(background, "echo", i).Result()
		require.NoError(t, err, at)
		require.EqualValues(t, i, reply, at)
	}
	echo(1)
	switch {
	case client.PoolStats().TotalConns == 0:
		outcomes["dropped"]++
		return
	case p.Unfinished() > 0:
		outcomes["pooled, and a part taken"]++
	default:
		outcomes["pooled, and nothing taken"]++
	}
	if before == "command" {
		write(tail)
	} else {
		rest.Store(true)
	}
	echo(2)
	echo(3)
	require.Zero(t, client.PoolStats().StaleConns, at)
	require.Equal(t, []string{pushIn(t, head+tail)}, j.entries, at)
	require.Zero(t, p.Unfinished(), at)
}

// poolsWhateverTheProcessorReturns reports whether this go-redis only logs an error of the processor when it gives a
// connection back.
func poolsWhateverTheProcessorReturns() bool {
	return redis.Version() < "9.17" // which sorts as text, up to 9.99
}
