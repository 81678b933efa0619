package tail

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

func push(t *testing.T, wire string) parser.Frame {
	t.Helper()
	frame, _, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	return frame
}

func TestTally(t *testing.T) {
	begin := time.Now()
	tally := newTally(begin)
	for range 1500 {
		tally.add(push(t, ">2\r\n+invalidate\r\n_\r\n"))
	}
	tally.add(push(t, ">1\r\n+MOVING\r\n"))
	tally.add(push(t, ">1\r\n+an odd name\r\n"))
	tally.add(push(t, ">0\r\n"))
	var out strings.Builder
	require.NoError(t, tally.write(&out, begin.Add(2*time.Second), 2, dispatch.Stats{Errors: 1, Panics: 2, Oversize: 4}))
	require.Equal(t, ""+
		"--- 1,503 pushes, 30 kB in 2s: 751.5 pushes/s, 15 kB/s\n"+
		"    1,500  30 kB  invalidate\n"+
		"        1   18 B  \"an\\x20odd\\x20name\"\n"+
		"        1    4 B  (no-name)\n"+
		"        1   13 B  MOVING\n"+
		"        2         unhandled (names unknown to respush)\n"+
		"        3         errors\n"+
		"        4         too large, not shown\n", out.String())
}

func TestTallyBoundsNames(t *testing.T) {
	tally := newTally(time.Now())
	for i := range 10 * maxNames {
		tally.add(push(t, fmt.Sprintf(">1\r\n+name%d\r\n", i)))
	}
	require.Len(t, tally.rows, maxNames+1)
	require.Equal(t, 9*maxNames, tally.rows["(other-names)"].pushes)
}
