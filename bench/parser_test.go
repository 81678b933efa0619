package bench_test

import (
	"io"
	"testing"

	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// BenchmarkPushes measures the part of BenchmarkProcess that is not dispatch:
// scanning the pushes.
func BenchmarkPushes(b *testing.B) {
	for _, id := range []string{"F1", "F2", "F3", "F7", "F8"} {
		s := workload.NewStream(workload.Find(id), reads)
		b.Run("frame="+id+"/impl=respush", func(b *testing.B) {
			rd := parser.NewReader(s)
			seen := 0
			passes(b, s, func() {
				rd.Reset(s)
				var burst parser.Burst
				for {
					_, _, ok, err := rd.Driver().NextBuffered(&burst, false)
					if ok {
						seen++
					} else if err == parser.ErrIncomplete {
						err = rd.Driver().Fill()
					}
					if err == io.EOF {
						return
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
			if seen == 0 {
				b.Fatal("no push")
			}
		})
	}
}
