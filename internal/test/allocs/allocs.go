// Package allocs counts allocations for tests of code that pools its memory.
package allocs

import (
	"runtime/debug"
	"testing"
)

// PerRun is like testing.AllocsPerRun, but it turns off garbage collections,
// which could empty pools at any moment.
func PerRun(runs int, f func()) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	return testing.AllocsPerRun(runs, f)
}
