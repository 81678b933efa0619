package feed_test

import (
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/seed79615202/respush/feed"
)

// BenchmarkGuardLoad is Begin and Keep, with so many other loads under way.
func BenchmarkGuardLoad(b *testing.B) {
	for _, others := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			g, keys := loading(others)
			store := func() {}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				g.Begin(keys[i%len(keys)]).Keep(store)
			}
		})
	}
}

// BenchmarkGuardInvalidate invalidates keys that nobody loads, with so many
// other loads under way.
func BenchmarkGuardInvalidate(b *testing.B) {
	for _, others := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			g, keys := loading(others)
			var list [][]byte
			for _, key := range keys {
				list = append(list, []byte(key))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				g.Invalidate(list[i%len(list)])
			}
		})
	}
}

// BenchmarkGuardFlush flushes, with so many loads under way.
func BenchmarkGuardFlush(b *testing.B) {
	for _, others := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			g, _ := loading(others)
			b.ReportAllocs()
			for b.Loop() {
				g.Flush()
			}
		})
	}
}

// BenchmarkGuardParallel loads keys in all goroutines, of which one in eight
// times an invalidation is handled.
func BenchmarkGuardParallel(b *testing.B) {
	g, keys := loading(0)
	store := func() {}
	var goroutines atomic.Int64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		key := make([]byte, 0, 32)
		for i := int(goroutines.Add(1)) * 37; pb.Next(); i++ {
			k := keys[i%len(keys)]
			g.Begin(k).Keep(store)
			if i%8 == 0 {
				key = append(key[:0], k...)
				g.Invalidate(key)
			}
		}
	})
}

// loading returns a Guard with loads under way, and other keys than theirs.
func loading(n int) (g *feed.Guard, keys []string) {
	g = new(feed.Guard)
	for i := range n {
		g.Begin("loading:" + strconv.Itoa(i))
	}
	for i := range 1024 {
		keys = append(keys, "user:1000:profile:"+strconv.Itoa(i))
	}
	return g, keys
}
