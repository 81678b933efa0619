package bench_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/seed79615202/respush/internal/test/workload"
)

// reads is the most bytes that a read of a stream returns.
const reads = 32 << 10

// passes times body, which makes one pass over a stream, and reports the time
// per frame or group of frames. B/op and allocs/op are those of a whole pass. A
// first pass warms up.
func passes(b *testing.B, s *workload.Stream, body func()) {
	s.Rewind()
	body()
	b.SetBytes(int64(len(s.Bytes)))
	b.ReportAllocs()
	defer timeThread(b, s.Count)()
	for b.Loop() {
		s.Rewind()
		body()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Count), "ns/op")
}

func BenchmarkProcess(b *testing.B) {
	for _, c := range idles {
		b.Run(c.name+"/impl=respush", func(b *testing.B) {
			n := c.make(b)
			b.ReportAllocs()
			defer timeThread(b, 1)()
			for b.Loop() {
				if err := n.process(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, r := range runs() {
		b.Run(r.name+"/impl=respush", func(b *testing.B) {
			s := r.stream()
			passes(b, s, r.start(b, r.frame, s))
		})
		if r.name != "frame="+r.frame.ID {
			continue // compare it with the floors of its workload
		}
		s := r.stream()
		b.Run(r.name+"/impl=floor-lines", func(b *testing.B) { passes(b, s, func() { walkLines(b, s) }) })
		b.Run(r.name+"/impl=floor-copy", func(b *testing.B) { passes(b, s, func() { copyAll(b, s) }) })
	}
}

var buffer = make([]byte, reads)

// copyAll does the least work that any reader must do: it copies the stream
// into its buffer.
func copyAll(tb testing.TB, s *workload.Stream) {
	n := 0
	for {
		k, err := s.Read(buffer)
		n += k
		if err == io.EOF {
			break
		}
	}
	if n != len(s.Bytes) {
		tb.Fatal("short copy")
	}
}

var lines int

// walkLines does the least work that a line-by-line parser must do, over a
// stream that is already in memory.
func walkLines(tb testing.TB, s *workload.Stream) {
	b := s.Bytes
	for len(b) > 0 {
		k := bytes.IndexByte(b, '\n')
		if k < 0 {
			tb.Fatal("no line")
		}
		b = b[k+1:]
		lines++
	}
}
