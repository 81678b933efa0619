//go:build !respushdebug

package tap_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// A push that one Read has whole is lent from the client's own buffer, without a copy; any other from memory of the tap's.
func TestPushesAreBorrowed(t *testing.T) {
	long := pong + passed + "*2\r\n:1\r\n" + nestedPush + ":2\r\n" + passed
	for _, m := range modes[:2] {
		b := make([]byte, len(long))
		var lent, held int
		p := dispatch.NewProcessor(dispatch.WithFallback(handler(func(push parser.Frame) error {
			for i := range b {
				if &b[i] == &push.Raw()[0] {
					lent++
					return nil
				}
			}
			held++
			return nil
		})))
		_, err := tap.NewConn(&script{steps: []step{{long, nil}}}, p, m.opts...).Read(b)
		require.NoError(t, err)
		require.Equal(t, []int{3, 0}, []int{lent, held})

		c := tap.NewConn(&script{steps: []step{{long[:len(long)-2], nil}, {"\r\n", nil}}}, p, m.opts...)
		for err == nil {
			_, err = c.Read(b)
		}
		require.Equal(t, io.EOF, err)
		require.Equal(t, []int{5, 1}, []int{lent, held})
	}
}

// endless is a connection that gives a stream over and over, piece bytes at a time.
type endless struct {
	script
	stream []byte
	piece  int
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.at == len(e.stream) {
		e.at = 0
	}
	n := copy(p[:min(len(p), e.piece)], e.stream[e.at:])
	e.at += n
	return n, nil
}

func TestReadDoesNotAllocate(t *testing.T) {
	for _, s := range []struct {
		name, frames string
		piece        int
	}{
		{"replies", pong + bulkReply + "*2\r\n:1\r\n$-1\r\n", 512},
		{"pushes", pong + passed + passed, 512},
		{"pushes in replies", "*2\r\n:1\r\n" + nestedPush + ":2\r\n", 512},
		{"pushes that are cut", pong + passed + push("message", "c", strings.Repeat("x", 1000)), 100},
		{"attributes", "|1\r\n+k\r\n+v\r\n" + pong + "|1\r\n+k\r\n+v\r\n" + passed, 512},
		{"attributes that are cut", "|1\r\n+k\r\n+v\r\n" + pong + "|1\r\n+k\r\n+v\r\n" + passed, 7},
		{"deep", strings.Repeat("*1\r\n", 50) + "_\r\n" + push("a")[:4] + strings.Repeat("*1\r\n", 50) + "_\r\n", 512},
	} {
		for _, m := range modes {
			t.Run(s.name+"/"+m.name, func(t *testing.T) {
				if race.Enabled && s.name != "replies" {
					t.Skip("needs the pool for what is cut")
				}
				p := dispatch.NewProcessor(dispatch.WithFallback(handler(func(parser.Frame) error { return nil })))
				c := tap.NewConn(&endless{stream: bytes.Repeat([]byte(s.frames), 20), piece: s.piece}, p, m.opts...)
				b := make([]byte, 512)
				reads := func() {
					for range 200 {
						if n, err := c.Read(b); n == 0 || err != nil {
							t.Fatal(n, err)
						}
					}
				}
				reads()
				require.Zero(t, allocs.PerRun(10, reads))
				if pushes := c.Stats().Pushes + c.Stats().Kept; strings.Contains(s.name, "push") {
					require.NotZero(t, pushes)
				}
			})
		}
	}
}
