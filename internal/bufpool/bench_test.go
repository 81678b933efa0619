package bufpool_test

import (
	"fmt"
	"testing"

	"github.com/valyala/bytebufferpool"

	"github.com/seed79615202/respush/internal/bufpool"
)

var sink []byte

// BenchmarkBuffer is the cost of a buffer that a frame is put into and that is given back: of one size, and of a large
// one among a hundred of 100 bytes (size=mixed, for all of them).
func BenchmarkBuffer(b *testing.B) {
	var single bytebufferpool.Pool
	for _, impl := range []struct {
		name string
		use  func(n int)
	}{
		{"respush", func(n int) {
			buf := bufpool.Get(n)
			buf.B = buf.B[:n]
			bufpool.Put(buf)
		}},
		{"bytebufferpool", func(n int) {
			buf := single.Get()
			if cap(buf.B) < n {
				buf.B = make([]byte, n)
			}
			buf.B = buf.B[:n]
			single.Put(buf)
		}},
		{"make", func(n int) { sink = make([]byte, n) }},
	} {
		for _, n := range []int{100, 4 << 10, 64 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("size=%d/impl=%s", n, impl.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					impl.use(n)
				}
			})
		}
		b.Run("size=mixed/impl="+impl.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for range 100 {
					impl.use(100)
				}
				impl.use(1 << 20)
			}
		})
	}
}
