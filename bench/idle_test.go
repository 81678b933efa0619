package bench_test

import (
	"bufio"
	"testing"

	"github.com/seed79615202/respush/dispatch"
)

// BenchmarkIdle is N0 of the workloads: the call a client makes before each of its replies when there is no push.
func BenchmarkIdle(b *testing.B) {
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
}

var idles = []struct {
	name string
	make func(tb testing.TB) *idle
}{
	{"frame=N0", func(tb testing.TB) *idle { return newIdle(tb, reply(), dispatch.WithPubSub()) }},
	{"frame=N0/mode=default", func(tb testing.TB) *idle { return newIdle(tb, reply()) }},
	{"frame=N0/mode=default/source=bufio", func(tb testing.TB) *idle { return newIdle(tb, bufio.NewReader(reply())) }},
}
