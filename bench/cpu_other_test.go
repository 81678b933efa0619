//go:build !linux

package bench_test

import "time"

// threadTime returns 0: not known here.
func threadTime() time.Duration { return 0 }
