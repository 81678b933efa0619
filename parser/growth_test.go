package parser_test

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/parser"
)

// towers are what values can be put into one another with: what stands before a value, and behind it, so that all of
// it can stand where a value can.
var towers = map[string]struct{ before, after string }{
	"array":             {"*2\r\n", ":1\r\n"},
	"set":               {"~2\r\n:1\r\n", ""},
	"map":               {"%1\r\n+k\r\n", ""},
	"streamed array":    {"*?\r\n:1\r\n", ":2\r\n.\r\n"},
	"streamed map":      {"%?\r\n+k\r\n", "+l\r\n+m\r\n.\r\n"},
	"attributed":        {"*2\r\n|1\r\n+k\r\n+v\r\n", ":1\r\n"},
	"beside a push":     {"*2\r\n>1\r\n+p\r\n", ":1\r\n"},
	"push":              {">2\r\n+p\r\n", ":1\r\n"},
	"before a name":     {">2\r\n", ":1\r\n+p\r\n"},
	"attribute":         {"|1\r\n+k\r\n", ":1\r\n"},
	"attribute of push": {"|1\r\n+k\r\n", ">1\r\n+p\r\n:1\r\n"},
	"attribute in push": {">1\r\n|1\r\n+k\r\n", "+p\r\n:1\r\n"},
}

// tower returns size bytes of elements, and a push among them, inside depth of the tower called name.
func tower(name string, depth, size int) string {
	const row = ":1\r\n+a\r\n"
	t := towers[name]
	rows := size / len(row)
	inner := fmt.Sprintf("*%d\r\n>1\r\n+p\r\n%s", 2*rows, strings.Repeat(row, rows))
	return "*1\r\n" + strings.Repeat(t.before, depth) + inner + strings.Repeat(t.after, depth)
}

// linear are the uses of a frame that take time linear in its size, whatever is in it.
var linear = map[string]func(f parser.Frame){
	"Any":    func(f parser.Frame) { _, _ = f.Value().Any() },
	"String": func(f parser.Frame) { _ = f.Value().String() },
	"NestedPushes": func(f parser.Frame) {
		for p := range f.NestedPushes() {
			sinkBytes += len(p.Raw())
		}
	},
}

func TestWorkGrowsWithTheSizeAndNotWithTheDepth(t *testing.T) {
	const size = 64 << 10
	for name := range towers {
		for use, do := range linear {
			work := func(depth, size int) (bytes, allocated float64) {
				f := parse(t, tower(name, depth, size))
				bytes = float64(parser.CountWork(func() { do(f) }))
				return bytes, allocs.PerRun(1, func() { do(f) })
			}
			flat, flatAllocs := work(15, size)
			require.NotZero(t, flat, "%s of %s", use, name)
			deep, deepAllocs := work(60, size)
			require.Less(t, deep, 1.2*flat, "%s of %s, four times as deep", use, name)
			require.Less(t, deepAllocs, 1.2*flatAllocs+10*60, "%s of %s, four times as deep", use, name)
			long, longAllocs := work(15, 4*size)
			require.Less(t, long, 4.5*flat, "%s of %s, four times as long", use, name)
			require.Less(t, longAllocs, 4.5*flatAllocs+10, "%s of %s, four times as long", use, name)
		}
	}
}

// Many pushes in one place, in one another and in attributes in turn, wait for one another.
func TestWorkGrowsWithTheNumberOfNestedPushes(t *testing.T) {
	for _, row := range []string{">0\r\n", "|0\r\n>0\r\n", "|1\r\n>0\r\n+k\r\n>0\r\n+v\r\n>1\r\n>0\r\n+p\r\n"} {
		for _, around := range [][2]string{{"*1\r\n", "_\r\n"}, {"*1\r\n>1\r\n", "+p\r\n_\r\n"}, {"*1\r\n|1\r\n+k\r\n", "+v\r\n_\r\n"}} {
			work := func(n int) float64 {
				f := parse(t, around[0]+strings.Repeat(row, n)+around[1])
				return float64(parser.CountWork(func() { linear["NestedPushes"](f) }))
			}
			require.Less(t, work(4000), 4.5*work(1000), "%q in %q", row, around)
		}
	}
}

func TestFewNestedPushesDoNotAllocate(t *testing.T) {
	for name := range towers {
		f := parse(t, tower(name, 2, 100))
		require.Zero(t, allocs.PerRun(10, func() { linear["NestedPushes"](f) }), name)
	}
}

// TestDeepValues holds values in one another, in all the ways there are at random, against the oracle.
func TestDeepValues(t *testing.T) {
	names := slices.Sorted(maps.Keys(towers))
	r := rand.New(rand.NewPCG(13, 14))
	for range 600 {
		wire := "*1\r\n>1\r\n+in\r\n$1\r\nx\r\n"[:5+8*r.IntN(2)] + "$1\r\nx\r\n"
		for levels := 1 + r.IntN(1+r.IntN(100)); levels > 0; levels-- {
			w := towers[names[r.IntN(len(names))]]
			wire = w.before + wire + w.after
			levels -= strings.Count(w.before, "1\r\n") - 1
		}
		values(t, []byte("|1\r\n+k\r\n"+wire+"*1\r\n"+wire))
	}
}

// trickle is a connection that gives a byte at a time, as long as there are some.
type trickle struct{ left string }

func (c *trickle) Read(b []byte) (int, error) {
	if c.left == "" {
		return 0, timeout
	}
	n := copy(b[:1], c.left)
	c.left = c.left[1:]
	return n, nil
}

func TestAttributesThatTrickleInAreScannedOnce(t *testing.T) {
	work := func(pairs int) (bytes float64) {
		attributes := fmt.Sprintf("|%d\r\n%s", pairs, strings.Repeat("+k\r\n:1\r\n", pairs))
		wire := attributes + invalidate
		own := bufio.NewReaderSize(&trickle{wire}, 64<<10)
		r := parser.NewReader(own)
		taken := ""
		bytes = float64(parser.CountWork(func() {
			for taken == "" {
				_, err := own.Peek(own.Buffered() + 1)
				require.NoError(t, err)
				f, ok, err := bufferedPush(r, true)
				if ok {
					taken = string(f.Raw())
				} else {
					require.Equal(t, parser.ErrIncomplete, err)
				}
			}
		}))
		require.Equal(t, wire, taken)
		return bytes
	}
	for pairs := 100; pairs <= 1600; pairs *= 4 {
		require.LessOrEqual(t, work(4*pairs), 4.5*work(pairs), pairs)
	}
}
