package goredis_test

import (
	"fmt"
	"net"
	"strings"
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

// Half a push that is there when a connection is given back to the pool costs the connection or nothing: go-redis since
// v9.22.0 drops a connection whose processor has taken a part and timed out. Before, it pools that; the rest of the push is
// then handled where it goes on, before the next reply.
func TestAConnectionWithHalfAPushTakenGoesOnOrIsGone(t *testing.T) {
	wires := []string{invalidate, largePush + bulk(600)}
	if !poolsWhateverTheProcessorReturns() { // the others take what is in a key there for attributes, see doc.go
		wires = append(wires, largePush+"$24\r\n|1\r\n+a\r\n+b\r\n>1\r\n+c\r\n+d\r\n\r\n")
	}
	for _, wire := range wires {
		at := strings.Index(wire, "|")
		if at < 0 {
			at = len(wire) - 10
		}
		var j journal
		p := j.processor()
		var current atomic.Pointer[spokenConn] // the one that has had the last command
		var half atomic.Bool
		opt := redis.Options{ReadBufferSize: 128, PoolSize: 1, MaxRetries: -1}
		opt.Limiter = afterReply(func() {
			if half.Load() {
				_, err := current.Load().Write([]byte(wire[:at]))
				assert.NoError(t, err)
			}
		})
		opt.Addr = listen(t, func(conn net.Conn) {
			spoken := &spokenConn{Conn: conn}
			spoken.heard = func() { current.Store(spoken) }
			serveCut(spoken, "", "")
		})
		client := newClient(t, *withoutMaintenance(&opt), p)
		echo := func(i int) {
			reply, err := client.Do(background, "echo", i).Result()
			require.NoError(t, err, i)
			require.EqualValues(t, i, reply)
		}
		outcomes := map[string]int{}
		for i := range 100 {
			echo(i) // with a new connection, perhaps
			half.Store(true)
			echo(i)
			half.Store(false)
			j.entries = nil
			switch {
			case client.PoolStats().TotalConns == 0:
				outcomes["dropped"]++
				continue
			case p.Unfinished() > 0:
				outcomes["pooled, and a part taken"]++
			default:
				outcomes["pooled, and nothing taken"]++
			}
			_, err := current.Load().Write([]byte(wire[at:]))
			require.NoError(t, err)
			echo(i)
			if client.PoolStats().StaleConns == 0 {
				require.Equal(t, []string{pushIn(t, wire)}, j.entries)
			}
		}
		t.Log(redis.Version(), outcomes)
		if !poolsWhateverTheProcessorReturns() {
			require.Zero(t, outcomes["pooled, and a part taken"])
		}
	}
}

// poolsWhateverTheProcessorReturns reports whether this go-redis only logs an error of the processor when it gives a
// connection back.
func poolsWhateverTheProcessorReturns() bool {
	return redis.Version() < "9.17" // which sorts as text, up to 9.99
}
