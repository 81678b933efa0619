package bench_test

import (
	"context"
	"io"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// replyRuns are the ways to read the replies of F9, which BenchmarkReplies
// measures.
var replyRuns = []struct {
	impl  string
	start func(tb testing.TB, s *workload.Stream) (pass func())
}{
	{"respush", func(tb testing.TB, s *workload.Stream) func() {
		p, seen := counting(tb)
		r := parser.NewReader(s)
		ctx := context.Background()
		return func() {
			r.Reset(s)
			replies := 0
			for {
				if err := p.ProcessPendingNotifications(ctx, dispatch.NotificationHandlerContext{}, r); err != nil {
					tb.Fatal(err)
				}
				if _, err := r.Next(); err == io.EOF {
					break
				} else if err != nil {
					tb.Fatal(err)
				}
				replies++
			}
			requireGroups(tb, s, replies, seen())
		}
	}},
	{"respush-next", func(tb testing.TB, s *workload.Stream) func() {
		r := parser.NewReader(s)
		return func() {
			r.Reset(s)
			replies, pushes := 0, 0
			for {
				f, err := r.Next()
				if err == io.EOF {
					break
				} else if err != nil {
					tb.Fatal(err)
				}
				if f.IsPush() {
					pushes++
				} else {
					replies++
				}
			}
			requireGroups(tb, s, replies, pushes)
		}
	}},
	{"respush-scanner", func(tb testing.TB, s *workload.Stream) func() {
		var sc parser.Scanner
		return func() {
			replies, pushes := 0, 0
			for {
				n, err := s.Read(buffer)
				if err == io.EOF {
					break
				}
				for b := buffer[:n]; len(b) > 0; {
					n, done, err := sc.Scan(b)
					if err != nil && err != parser.ErrIncomplete {
						tb.Fatal(err)
					}
					b = b[n:]
					if done && sc.Type() == parser.TypePush {
						pushes++
					} else if done {
						replies++
					}
				}
			}
			requireGroups(tb, s, replies, pushes)
		}
	}},
}

// requireGroups checks that all frames of a stream of F9 have been read.
func requireGroups(tb testing.TB, s *workload.Stream, replies, pushes int) {
	if replies != 9*s.Count || pushes != s.Count {
		tb.Fatalf("%d replies and %d pushes in %d groups", replies, pushes, s.Count)
	}
}

// BenchmarkReplies measures the cost of nine replies and a push. They are read
// by a processor and Reader.Next, by Reader.Next alone, and by a Scanner in its
// caller's buffer.
func BenchmarkReplies(b *testing.B) {
	w := workload.Find("F9")
	s := workload.NewStream(w, reads)
	for _, r := range replyRuns {
		b.Run("frame=F9/impl="+r.impl, func(b *testing.B) { passes(b, s, r.start(b, s)) })
	}
	b.Run("frame=F9/impl=walk", func(b *testing.B) { passes(b, s, func() { walk(b, s) }) })
}
