//go:build race

// Package race tells tests whether the race detector is on. The race detector
// makes tests slow, and makes a sync.Pool drop some of the values put into it
// at random.
package race

// Enabled reports whether the race detector is on.
const Enabled = true
