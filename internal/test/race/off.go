//go:build !race

// Package race tells tests whether the race detector is on: it makes them slow,
// and a sync.Pool drop at random what it is given.
package race

// Enabled says that the race detector is on.
const Enabled = false
