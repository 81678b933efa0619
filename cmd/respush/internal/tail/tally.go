package tail

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// maxNames bounds the names counted one by one: a server could send any number.
const maxNames = 100

// A tally counts pushes by name. The sum over rows is pushes and bytes.
type tally struct {
	since  time.Time
	rows   map[string]*row // by the name as it is shown
	pushes int
	bytes  uint64
}

// A row is the count of one name.
type row struct {
	name   string
	pushes int
	bytes  uint64
}

func newTally(since time.Time) *tally {
	return &tally{since: since, rows: map[string]*row{}}
}

func (t *tally) add(push parser.Frame) {
	size := uint64(len(push.Raw()))
	t.pushes++
	t.bytes += size
	r := t.row(push.Name())
	r.pushes++
	r.bytes += size
}

// row returns the row of a name, nil when the push had none.
func (t *tally) row(name []byte) *row {
	shown := "(no-name)"
	if name != nil {
		shown = quote.Name(name)
	}
	if t.rows[shown] == nil && len(t.rows) >= maxNames {
		shown = "(other-names)"
	}
	if t.rows[shown] == nil {
		t.rows[shown] = &row{name: shown}
	}
	return t.rows[shown]
}

// write writes the summary: the totals, a row for each name, the most frequent
// first, and what went wrong. unhandled counts the pushes of unknown names.
func (t *tally) write(out io.Writer, now time.Time, unhandled int, stats dispatch.Stats) error {
	elapsed := now.Sub(t.since)
	seconds := max(elapsed, time.Microsecond).Seconds()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "--- %s, %s in %s: %.1f pushes/s, %s/s\n",
		countOf(t.pushes, "push", "pushes"), humanize.Bytes(t.bytes), rounded(elapsed),
		float64(t.pushes)/seconds, humanize.Bytes(uint64(float64(t.bytes)/seconds)))
	for _, r := range t.sorted() {
		fmt.Fprintf(table, "\t%s\t%s\t  %s\n", humanize.Comma(int64(r.pushes)), humanize.Bytes(r.bytes), r.name)
	}
	fmt.Fprintf(table, "\t%d\t\t  unhandled (names unknown to respush)\n", unhandled)
	fmt.Fprintf(table, "\t%d\t\t  errors\n", stats.Errors+stats.Panics)
	if stats.Oversize > 0 {
		fmt.Fprintf(table, "\t%d\t\t  too large, not shown\n", stats.Oversize)
	}
	return table.Flush()
}

func (t *tally) sorted() []*row {
	rows := make([]*row, 0, len(t.rows))
	for _, r := range t.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *row) int {
		return cmp.Or(cmp.Compare(b.pushes, a.pushes), cmp.Compare(a.name, b.name))
	})
	return rows
}

func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// rounded cuts the digits of d that nobody reads.
func rounded(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
