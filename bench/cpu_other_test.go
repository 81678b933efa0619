//go:build !linux

package bench_test

import "time"

// threadTime and processTime return 0, which means that the time is unknown.
func threadTime() time.Duration  { return 0 }
func processTime() time.Duration { return 0 }
