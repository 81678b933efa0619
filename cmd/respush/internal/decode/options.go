package decode

import (
	"errors"
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Options say what to print of the frames.
type Options struct {
	Pushes   bool // only pushes, those inside other frames too
	JSON     bool // one object a line
	Summary  bool // only totals
	MaxFrame Size // larger frames are named, and not looked into
}

// DefaultMaxFrame keeps the memory that a capture can ask for within what any
// machine has.
const DefaultMaxFrame Size = 64 << 20

// Validate reports options that contradict each other.
func (o Options) Validate() error {
	if o.Summary && o.Pushes {
		return errors.New("--pushes has no meaning with --summary, which counts everything")
	}
	return nil
}

// A Size is a number of bytes, as a flag.
type Size int64

// String returns s as Set takes it.
func (s *Size) String() string { return humanize.IBytes(uint64(*s)) }

// Set reads a number of bytes with or without a unit, as in 512, 64MB or 1 GiB.
func (s *Size) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt {
		return fmt.Errorf("want a size, as in 64MiB")
	}
	*s = Size(n)
	return nil
}

// Type returns what help calls a Size.
func (s *Size) Type() string { return "size" }
