package goredis_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/redis/go-redis/v9"
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
