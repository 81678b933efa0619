// Package progress shows the progress of a long reading.
package progress

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Delay is the time that a reading takes before the bar appears. A bar that
// disappears at once only distracts.
const Delay = time.Second

// often is the shortest time between two changes of a bar.
const often = 100 * time.Millisecond

// A Bar is a line of a terminal that shows how many of all bytes have been
// read. A nil Bar shows nothing. One goroutine at a time may use it.
type Bar struct {
	bar *progressbar.ProgressBar
	out *lateWriter
}

// New returns a Bar on out for a reading of total bytes, or of an unknown
// number if total is -1. It returns nil if out is not a terminal.
func New(out io.Writer, total int64) *Bar {
	if f, ok := out.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return newBar(out, total, often, time.Now)
}

func newBar(out io.Writer, total int64, often time.Duration, now func() time.Time) *Bar {
	late := &lateWriter{out: out, from: now().Add(Delay), now: now}
	return &Bar{out: late, bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(late),
		progressbar.OptionSetDescription("decoding"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowCount(),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(often),
		progressbar.OptionSetSpinnerChangeInterval(0), // or it would write from a goroutine of its own
		progressbar.OptionClearOnFinish(),
	)}
}

// Add adds n to the number of bytes that have been read.
func (b *Bar) Add(n int) {
	if b != nil {
		_ = b.bar.Add(n) // an input may have grown
	}
}

// Hide removes the Bar from its line, so that other text may be written there.
// A later Add shows it again.
func (b *Bar) Hide() {
	if b != nil && b.out.shown {
		_ = b.bar.Clear() // not even a terminal that is gone
		b.out.shown = false
	}
}

// A lateWriter drops everything that is written to it before a certain time.
type lateWriter struct {
	out   io.Writer
	from  time.Time
	now   func() time.Time
	shown bool // something has been written since Hide
}

func (w *lateWriter) Write(p []byte) (int, error) {
	if w.now().Before(w.from) {
		return len(p), nil
	}
	w.shown = true
	return w.out.Write(p)
}
