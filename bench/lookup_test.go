package bench_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed79615202/respush/registry"
)

// registered returns a registry of n names, and some of these names in a
// scattered order.
func registered(tb testing.TB, n int) (r *registry.Registry[int], keys [64][]byte) {
	r = registry.New[int]()
	for i := range n {
		if err := r.Register(nameOf(i), i+1, false); err != nil {
			tb.Fatal(err)
		}
	}
	for i := range keys {
		keys[i] = []byte(nameOf(i * 7919 % n))
	}
	return r, keys
}

func nameOf(i int) string { return fmt.Sprintf("notification-%d", i) }

// A writer registers and unregisters a name over and over until it is stopped.
type writer struct {
	name  string
	pause time.Duration // between two rounds; 0 means none, and -1 no writer at all
}

var writers = []writer{{"none", -1}, {"1kHz", time.Millisecond}, {"flatout", 0}}

// run starts w. The returned function stops w and waits until it has ended.
func (w writer) run(tb testing.TB, r *registry.Registry[int]) (stop func()) {
	if w.pause < 0 {
		return func() {}
	}
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Add(1)
	go func() {
		defer all.Done()
		tick := closed
		if w.pause > 0 {
			t := time.NewTicker(w.pause)
			defer t.Stop()
			tick = t.C
		}
		for {
			select {
			case <-done:
				return
			case <-tick:
			}
			if err := r.Register("another", 1, false); err != nil {
				tb.Error(err)
			}
			if err := r.Unregister("another"); err != nil {
				tb.Error(err)
			}
		}
	}()
	return func() {
		close(done)
		all.Wait()
	}
}

// closed is a channel that is always ready.
var closed = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()

// look looks keys up until it is stopped.
func look(r *registry.Registry[int], keys *[64][]byte, stop *atomic.Bool) {
	for !stop.Load() {
		for _, key := range keys {
			if _, ok := r.Lookup(key); !ok {
				panic("bench: a name is missing")
			}
		}
	}
}

// BenchmarkLookup measures the cost of a look-up for one of several readers.
// With more goroutines than processors, cpu-ns/op is the figure to look at,
// because the rest of the time the reader waits to be scheduled.
func BenchmarkLookup(b *testing.B) {
	for _, names := range []int{1, 10, 100, 1000, 10000} {
		benchmarkLookup(b, names, 1, writers[0])
	}
	for _, readers := range []int{1, 2, 8} {
		for _, w := range writers {
			if readers > 1 || w.pause >= 0 {
				benchmarkLookup(b, 100, readers, w)
			}
		}
	}
}

func benchmarkLookup(b *testing.B, names, readers int, w writer) {
	b.Run(fmt.Sprintf("names=%d/readers=%d/writer=%s/impl=respush", names, readers, w.name), func(b *testing.B) {
		r, keys := registered(b, names)
		var stop atomic.Bool
		var others sync.WaitGroup
		for range readers - 1 {
			others.Add(1)
			go func() {
				defer others.Done()
				look(r, &keys, &stop)
			}()
		}
		end := w.run(b, r)
		defer func() {
			stop.Store(true)
			others.Wait()
			end()
		}()
		i := 0
		defer timeThread(b, 1)()
		for b.Loop() {
			if _, ok := r.Lookup(keys[i%len(keys)]); !ok {
				b.Fatal("a name is missing")
			}
			i++
		}
	})
}
