package dispatch_test

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

func TestWhatIsHandedOutAsStringStays(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		var texts []string
		var clones []parser.Frame
		var errs reports
		p := dispatch.NewProcessor(dispatch.WithErrorHandler(errs.handle))
		handle(t, p, "MOVING", func(f parser.Frame) error {
			for v := range f.Args() {
				texts = append(texts, v.String())
			}
			clones = append(clones, f.Clone())
			return fmt.Errorf("no such node: %s", f.Value())
		})
		owned := new(notified)
		require.NoError(t, p.RegisterHandler("FAILED_OVER", owned, false))
		var wire strings.Builder
		for i := range 50 {
			fmt.Fprint(&wire, push("MOVING", fmt.Sprint("node", i)), push("FAILED_OVER", fmt.Sprint("shard", i)), push("ZZZZZZ", "zzzzz", "zzzzzzz"))
		}
		c := connect(t, chunks(wire.String()+pong, 100)...)
		require.Equal(t, pong, c.reply(t, p))
		require.Len(t, texts, 50)
		for i := range texts {
			require.Equal(t, fmt.Sprint("node", i), texts[i])
			require.Equal(t, push("MOVING", texts[i]), string(clones[i].Raw()))
			require.Equal(t, "MOVING", string(clones[i].Name()))
			require.Equal(t, []any{"FAILED_OVER", fmt.Sprint("shard", i)}, owned.got[i])
			require.Equal(t, "MOVING", errs[i].name)
			require.EqualError(t, errs[i].err, fmt.Sprintf(`no such node: ["MOVING" "node%d"]`, i))
		}
	})
}

// cycle gives the same bytes again and again, and then something else.
type cycle struct {
	wire   string
	at     int
	rounds int
	end    string
}

func (c *cycle) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) && c.rounds > 0 {
		k := copy(b[n:], c.wire[c.at:])
		n += k
		if c.at += k; c.at == len(c.wire) {
			c.at = 0
			c.rounds--
		}
	}
	if n == 0 {
		n = copy(b, c.end)
		c.end = c.end[n:]
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// grown returns how much f allocates in all, and how much of it stays.
func grown(f func()) (allocated, kept int64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc), int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func TestMillionPushesLeaveTheHeapFlat(t *testing.T) {
	rounds := 1000
	wire := strings.Repeat(push("invalidate", "some-key")+">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", 500)
	for _, connected := range []struct {
		name string
		open func(rd io.Reader) *parser.Reader
	}{
		{"own", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd) }},
		{"source", func(rd io.Reader) *parser.Reader { return parser.NewReader(bufio.NewReader(rd)) }},
	} {
		t.Run(connected.name, func(t *testing.T) {
			p := dispatch.NewProcessor()
			seen := 0
			handle(t, p, "invalidate", func(f parser.Frame) error {
				for v := range f.Args() {
					seen += v.Len()
				}
				return nil
			})
			rd := connected.open(&cycle{wire: wire, rounds: rounds, end: pong})
			var err error
			allocated, kept := grown(func() {
				err = p.ProcessPendingNotifications(t.Context(), dispatch.NotificationHandlerContext{}, rd)
			})
			require.NoError(t, err)
			require.Equal(t, rounds*500*2, seen)
			require.EqualValues(t, rounds*1000, p.Stats().Pushes)
			if !debugBuild {
				require.Less(t, allocated, int64(256<<10), "a buffer, and nothing per push")
			}
			require.Less(t, kept, int64(256<<10))
			f, err := rd.Next()
			require.NoError(t, err)
			require.Equal(t, pong, string(f.Raw()))
		})
	}
}
