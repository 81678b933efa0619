package progress

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestBarComesLate(t *testing.T) {
	var out bytes.Buffer
	clock := &clock{at: time.Now()}
	bar := newBar(&out, 1000, 0, clock.now)
	bar.Add(100)
	bar.Hide()
	clock.at = clock.at.Add(Delay - 1)
	bar.Add(100)
	bar.Hide()
	require.Empty(t, out.String())

	clock.at = clock.at.Add(1)
	bar.Add(300)
	require.Contains(t, out.String(), "decoding  50% ")
	require.NotContains(t, out.String(), "\n")

	out.Reset()
	bar.Hide()
	require.Regexp(t, `^\r +\r$`, out.String())
	out.Reset()
	bar.Hide()
	require.Empty(t, out.String(), "hidden already")
}

func TestBarOfUnknownLength(t *testing.T) {
	var out bytes.Buffer
	clock := &clock{at: time.Now()}
	bar := newBar(&out, -1, 0, clock.now)
	clock.at = clock.at.Add(Delay)
	bar.Add(5 << 10)
	require.Contains(t, out.String(), "decoding (5.0 KiB")
	bar.Hide()
}

func TestBarOfGrowingFile(t *testing.T) {
	var out bytes.Buffer
	clock := &clock{at: time.Now()}
	bar := newBar(&out, 10, 0, clock.now)
	clock.at = clock.at.Add(Delay)
	for range 100 {
		bar.Add(7)
	}
	bar.Hide()
	require.NotContains(t, out.String(), "\n")
}

func TestNoBarWithoutATerminal(t *testing.T) {
	require.Nil(t, New(&bytes.Buffer{}, 10))
	file, err := os.Create(t.TempDir() + "/file")
	require.NoError(t, err)
	defer file.Close()
	bar := New(file, 10)
	require.Nil(t, bar)
	bar.Add(1)
	bar.Hide()
}
