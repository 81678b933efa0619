//go:build !linux

package peers_test

import "time"

// processTime and threadTime return 0: not known here.
func processTime() time.Duration { return 0 }
func threadTime() time.Duration  { return 0 }
