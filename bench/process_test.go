package bench_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/seed79615202/respush/bench"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// reads is the largest piece a stream gives at a time.
const reads = 32 << 10

// passes runs body for passes over a stream and reports the time per frame, or
// group of frames.
func passes(b *testing.B, s *bench.Stream, body func()) {
	b.SetBytes(int64(len(s.Bytes)))
	b.ReportAllocs()
	for b.Loop() {
		s.Rewind()
		body()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(s.Count), "ns/op")
}

// pass returns a function that takes all pushes off the stream and the replies
// between them, and checks how many there were.
func pass(tb testing.TB, w bench.Workload, s *bench.Stream, opts ...dispatch.Option) func() {
	p := dispatch.NewProcessor(append([]dispatch.Option{dispatch.WithPubSub()}, opts...)...)
	seen := 0
	count := func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		seen++
		return nil
	}
	for _, name := range []string{"invalidate", "message", "MOVING"} {
		if err := p.HandleFunc(name, count); err != nil {
			tb.Fatal(err)
		}
	}
	return drain(tb, w, s, p, &seen)
}

// drain is pass for a processor that is given.
func drain(tb testing.TB, w bench.Workload, s *bench.Stream, p dispatch.NotificationProcessor, seen *int) func() {
	rd := parser.NewReader(s)
	ctx := context.Background()
	return func() {
		*seen = 0
		rd.Reset(s)
		for {
			if err := p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{}, rd); err != nil {
				tb.Fatal(err)
			}
			if w.Frames == 1 {
				break
			}
			if err := rd.Skip(); err == io.EOF {
				break
			} else if err != nil {
				tb.Fatal(err)
			}
		}
		if *seen != s.Count {
			tb.Fatalf("%d pushes handled, not %d", *seen, s.Count)
		}
	}
}

func BenchmarkProcess(b *testing.B) {
	for _, w := range bench.Workloads {
		s := bench.NewStream(w, reads)
		b.Run("frame="+w.ID+"/impl=respush", func(b *testing.B) { passes(b, s, pass(b, w, s)) })
		b.Run("frame="+w.ID+"/impl=floor-lines", func(b *testing.B) { passes(b, s, func() { walkLines(b, s) }) })
		b.Run("frame="+w.ID+"/impl=floor-copy", func(b *testing.B) { passes(b, s, func() { copyAll(b, s) }) })
	}
}

var buffer = make([]byte, reads)

// copyAll is the least a reader has to do: copy the stream into its buffer.
func copyAll(tb testing.TB, s *bench.Stream) {
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

// walkLines is the least a parser has to do that goes from line to line, over
// a stream that is in memory already.
func walkLines(tb testing.TB, s *bench.Stream) {
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
