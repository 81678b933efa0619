package decode

import (
	"errors"
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Options select what to print of the frames.
type Options struct {
	Pushes   bool // only pushes, including those inside other frames
	JSON     bool // one JSON object a line
	Summary  bool // only totals
	MaxFrame Size // larger frames are listed without their content
}

// DefaultMaxFrame limits the memory that a capture can demand to an amount that
// every machine has.
const DefaultMaxFrame Size = 64 << 20

// Validate returns an error if options contradict each other.
func (o Options) Validate() error {
	if o.Summary && o.Pushes {
		return errors.New("--pushes has no meaning with --summary, which counts everything")
	}
	return nil
}

// A Size is the value of a flag: a number of bytes.
type Size int64

// String returns s in the form that Set reads.
func (s *Size) String() string { return humanize.IBytes(uint64(*s)) }

// Set reads a number of bytes with or without a unit, such as 512, 64MB or 1
// GiB.
func (s *Size) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt {
		return fmt.Errorf("want a size, as in 64MiB")
	}
	*s = Size(n)
	return nil
}

// Type returns the name of the value in the help text.
func (s *Size) Type() string { return "size" }
