package tally

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
)

// A Table writes lines of a count, a number of bytes and words, with aligned
// numbers. Flush ends it.
type Table struct{ *tabwriter.Writer }

// NewTable returns a Table that is written to out.
func NewTable(out io.Writer) Table {
	return Table{tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)}
}

// Row writes a line.
func (t Table) Row(count int, size uint64, words string) {
	fmt.Fprintf(t, "\t%s\t%s\t  %s\n", humanize.Comma(int64(count)), humanize.Bytes(size), words)
}

// Count writes a line without bytes.
func (t Table) Count(count uint64, words string) {
	fmt.Fprintf(t, "\t%s\t\t  %s\n", humanize.Comma(int64(count)), words)
}

// Tally writes a line for each row of pushes.
func (t Table) Tally(pushes *Tally) {
	for _, r := range pushes.Rows() {
		t.Row(r.Pushes, r.Bytes, r.Shown())
	}
}

// Rate writes the sum of t and its rate.
func (t *Tally) Rate(elapsed time.Duration) string {
	seconds := max(elapsed, time.Microsecond).Seconds()
	return fmt.Sprintf("%s, %s in %s: %.1f pushes/s, %s/s",
		CountOf(t.Pushes, "push", "pushes"), humanize.Bytes(t.Bytes), rounded(elapsed),
		float64(t.Pushes)/seconds, humanize.Bytes(uint64(float64(t.Bytes)/seconds)))
}

// CountOf returns a number of things in words.
func CountOf[N int | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// rounded returns d without the digits that nobody reads.
func rounded(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
