package workload

import (
	"testing"
	"time"
)

// Beside alternates between bare and with in blocks of the given number of
// calls, and returns how often each was called. It reports the mean time of
// with as ns/op. It reports as added-ns/op how much longer the fastest block of
// with took than the fastest block of bare, divided by the number of calls.
func Beside(b *testing.B, block int, bare, with func()) (calls int) {
	leastBare, leastWith, sum := time.Hour, time.Hour, time.Duration(0)
	bare()
	with()
	for b.Loop() {
		begun := time.Now()
		for range block {
			bare()
		}
		between := time.Now()
		for range block {
			with()
		}
		took := time.Since(between)
		leastBare, leastWith, sum = min(leastBare, between.Sub(begun)), min(leastWith, took), sum+took
	}
	calls = b.N * block
	b.ReportMetric(float64(sum.Nanoseconds())/float64(calls), "ns/op")
	b.ReportMetric(float64((leastWith-leastBare).Nanoseconds())/float64(block), "added-ns/op")
	return calls + 1
}
