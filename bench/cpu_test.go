package bench_test

import (
	"runtime"
	"testing"
)

// timeThread makes b report, beside the time that passes, the processor time
// that the calling goroutine uses, as cpu-ns/op, where the benchmark's loop
// does ops operations a time. The two times differ when there are more
// goroutines than processors, or something else runs on the machine. The
// function it returns ends the measurement, behind the loop.
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
