package tally_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/tally"
	"github.com/seed79615202/respush/parser"
)

func push(t *testing.T, wire string) parser.Frame {
	t.Helper()
	frame, _, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	return frame
}

func TestTallyCountsByName(t *testing.T) {
	var pushes tally.Tally
	for range 1500 {
		pushes.AddFrame(push(t, ">2\r\n+invalidate\r\n_\r\n"))
	}
	pushes.AddFrame(push(t, ">1\r\n+MOVING\r\n"))
	pushes.AddFrame(push(t, ">1\r\n+an odd name\r\n"))
	pushes.AddFrame(push(t, ">1\r\n+\r\n"))
	pushes.AddFrame(push(t, ">0\r\n"))
	require.Equal(t, "1,504 pushes, 30 kB in 2s: 752.0 pushes/s, 15 kB/s", pushes.Rate(2*time.Second))

	var out strings.Builder
	table := tally.NewTable(&out)
	table.Tally(&pushes)
	table.Row(2, 3000, "more")
	table.Count(1_000_000, "and more")
	require.NoError(t, table.Flush())
	require.Equal(t, ""+
		"        1,500   30 kB  invalidate\n"+
		"            1     7 B  \"\"\n"+
		"            1    18 B  \"an\\x20odd\\x20name\"\n"+
		"            1     4 B  (no-name)\n"+
		"            1    13 B  MOVING\n"+
		"            2  3.0 kB  more\n"+
		"    1,000,000          and more\n", out.String())
}

func TestTallyBoundsNames(t *testing.T) {
	var pushes tally.Tally
	pushes.Add([]byte(strings.Repeat("x", 1<<20)), 5)
	for i := range 1000 {
		pushes.Add(fmt.Appendf(nil, "name%d", i), 1)
		pushes.Add(nil, 1)
	}
	rows := pushes.Rows()
	require.Len(t, rows, 102)
	require.Equal(t, &tally.Row{Pushes: 1000, Bytes: 1000}, rows[0])
	require.Equal(t, &tally.Row{Others: true, Pushes: 901, Bytes: 905}, rows[1])
	require.Equal(t, 2001, pushes.Pushes)
}

func TestTalliesAddUp(t *testing.T) {
	var one, two, sum tally.Tally
	for i := range 200 {
		one.Add(fmt.Appendf(nil, "name%d", i), 1)
		two.Add(fmt.Appendf(nil, "name%d", i/2), 1)
		two.Add(nil, 1)
	}
	for _, part := range []*tally.Tally{&one, &two} {
		sum.AddTally(part)
	}
	require.Equal(t, 600, sum.Pushes)
	require.EqualValues(t, 600, sum.Bytes)
	total := 0
	for _, row := range sum.Rows() {
		total += row.Pushes
	}
	require.Equal(t, 600, total)
	require.Equal(t, &tally.Row{Pushes: 200, Bytes: 200}, sum.Rows()[0])
}
