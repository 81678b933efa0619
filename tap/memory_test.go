package tap_test

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// totalAlloc returns how many bytes were allocated while f ran.
func totalAlloc(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// huge is a connection that gives head, count times body, and tail, without having them in memory.
type huge struct {
	net.Conn
	head, body, tail string
	count            int
	at               int // in the part that is under way
}

func (h *huge) Read(p []byte) (n int, err error) {
	for n < len(p) {
		part := &h.head
		if h.head == "" {
			if part = &h.tail; h.count > 0 {
				k := copy(p[n:], h.body[h.at:])
				n += k
				if h.at += k; h.at == len(h.body) {
					h.at = 0
					h.count--
				}
				continue
			}
		}
		k := copy(p[n:], *part)
		if k == 0 {
			break
		}
		n += k
		*part = (*part)[k:]
	}
	return n, nil
}

// Replies pass in memory that does not depend on their size, and pushes that are skipped go in such.
func TestMemoryIsBounded(t *testing.T) {
	size := 64 << 20
	if race.Enabled || testing.Short() {
		size = 32 << 20
	}
	body := strings.Repeat("x", 1<<16)
	kib := bulk(strings.Repeat("v", 1<<10))
	skip := []tap.Option{tap.SkipOversize(), tap.WithLimits(parser.Limits{MaxBulk: 1 << 10, MaxElements: 100})}
	for _, c := range []struct {
		name string
		conn huge
		opts []tap.Option
		left int // bytes that are read; 0: all
	}{
		{"one bulk string", huge{head: fmt.Sprintf("$%d\r\n", size), body: body, count: size / len(body), tail: "\r\n"}, nil, 0},
		{"many", huge{body: kib, count: size / len(kib)}, nil, 0},
		{"one array", huge{head: fmt.Sprintf("*%d\r\n", size/len(kib)), body: kib, count: size / len(kib)}, nil, 0},
		{"one array of nulls", huge{head: fmt.Sprintf("*%d\r\n", size/16/3), body: "_\r\n", count: size / 16 / 3}, nil, 0},
		{"pushes in one array", huge{head: fmt.Sprintf("*%d\r\n", size/100), body: ":1\r\n" + push("a", strings.Repeat("x", 80)), count: size / 100}, nil, 4 * (size / 100)},
		{"many pushes", huge{body: push("a", strings.Repeat("x", 80)), count: size / 100}, nil, -1},
		{"a push that is skipped", huge{head: fmt.Sprintf(">2\r\n+a\r\n$%d\r\n", size), body: body, count: size / len(body), tail: "\r\n"}, skip, -1},
		{"elements that are skipped", huge{head: fmt.Sprintf(">%d\r\n", size/16/3), body: "_\r\n", count: size / 16 / 3}, skip, -1},
	} {
		for _, m := range modes[:2] {
			t.Run(c.name+"/"+m.name, func(t *testing.T) {
				below := c.conn
				want := len(below.head) + len(below.body)*below.count + len(below.tail)
				if c.left != 0 && m.name != "observe" {
					want = max(0, c.left) + min(len(c.conn.head), max(0, c.left))
				}
				below.tail += pong
				p := dispatch.NewProcessor()
				conn := tap.NewConn(&below, p, append(m.opts, c.opts...)...)
				b := make([]byte, 32<<10)
				got := 0
				var err error
				allocated := totalAlloc(func() {
					for n := 0; got < want+len(pong) && err == nil; got += n {
						n, err = conn.Read(b)
					}
				})
				require.NoError(t, err)
				require.NoError(t, conn.Err())
				require.Equal(t, want+len(pong), got)
				require.Less(t, allocated, uint64(128<<10))
			})
		}
	}
}
