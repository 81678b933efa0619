// Package progress shows how far a long reading has come.
package progress

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Delay is how long a reading may take before it is shown: a bar that comes and
// goes at once only distracts.
const Delay = time.Second

// often is how long a bar stays as it is at least.
const often = 100 * time.Millisecond

// A Bar is a line of a terminal that shows how many bytes have been read, of how
// many. A nil Bar shows nothing. One goroutine at a time may use it.
type Bar struct {
	bar *progressbar.ProgressBar
	out *lateWriter
}

// New returns a Bar on out for a reading of total bytes, -1 when nobody knows
// how many: nil unless out is a terminal.
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

// Add tells the Bar that n more bytes have been read.
func (b *Bar) Add(n int) {
	if b != nil {
		_ = b.bar.Add(n) // an input that has grown is no reason to stop
	}
}

// Hide takes the Bar off its line, so that something else may be written there;
// it returns with a later Add.
func (b *Bar) Hide() {
	if b != nil && b.out.shown {
		_ = b.bar.Clear() // not even a terminal that is gone
		b.out.shown = false
	}
}

// A lateWriter drops what is written to it before a time.
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
