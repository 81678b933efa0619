package bench_test

import (
	"runtime"
	"testing"
)

// timeThread makes b report the calling goroutine's processor time as
// cpu-ns/op, in addition to the elapsed time. Each iteration of the benchmark's
// loop does ops operations. The two times differ when there are more goroutines
// than processors, or when something else runs on the machine. The caller calls
// stop after the loop to end the measurement.
func timeThread(b *testing.B, ops int) (stop func()) {
	runtime.LockOSThread()
	begun := threadTime()
	return func() {
		used := threadTime() - begun
		runtime.UnlockOSThread()
		if used > 0 {
			b.ReportMetric(float64(used.Nanoseconds())/float64(b.N)/float64(ops), "cpu-ns/op")
		}
	}
}
