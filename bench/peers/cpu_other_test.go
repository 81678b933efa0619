//go:build !linux

package peers_test

import "time"

// processTime and threadTime return 0, which means that the time is unknown.
func processTime() time.Duration { return 0 }
func threadTime() time.Duration  { return 0 }
