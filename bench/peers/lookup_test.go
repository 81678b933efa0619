package peers_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9/push"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/registry"
)

// A table is a registry of handlers. Each table looks names up in the form in
// which its processor has them.
type table struct {
	register   func(name string) error
	unregister func(name string) error
	lookup     func(i int) bool // the name of keys[i]
}

// nothing is a go-redis style handler that does nothing.
type nothing struct{}

func (nothing) HandlePushNotification(context.Context, push.NotificationHandlerContext, []interface{}) error {
	return nil
}

// keyCount is the number of names that are looked up in turn. It is a power of
// two.
const keyCount = 64

// tables maps the name of an implementation to a function that makes an empty
// registry.
var tables = []struct {
	impl string
	make func(keys [keyCount]string) table
}{
	{"respush", func(keys [keyCount]string) table {
		r := registry.New[push.NotificationHandler]()
		var names [keyCount][]byte
		for i, key := range keys {
			names[i] = []byte(key)
		}
		return table{
			func(name string) error { return r.Register(name, nothing{}, false) },
			r.Unregister,
			func(i int) bool {
				_, ok := r.Lookup(names[i%keyCount])
				return ok
			},
		}
	}},
	{"go-redis", func(keys [keyCount]string) table {
		r := push.NewRegistry()
		return table{
			func(name string) error { return r.RegisterHandler(name, nothing{}, false) },
			r.UnregisterHandler,
			func(i int) bool { return r.GetHandler(keys[i%keyCount]) != nil },
		}
	}},
}

// BenchmarkLookup measures the cost of a look-up for one reader: alone, beside
// a second reader, and beside a second reader and a writer that runs flat out.
// With more goroutines than processors the reader also waits to be scheduled;
// cpu-ns/op counts only the time that its thread has used.
func BenchmarkLookup(b *testing.B) {
	for _, c := range []struct {
		names, readers int
		writer         bool
	}{{1, 1, false}, {10, 1, false}, {100, 1, false}, {1000, 1, false}, {100, 2, false}, {100, 1, true}, {100, 2, true}} {
		for _, t := range tables {
			writer := map[bool]string{false: "none", true: "flatout"}[c.writer]
			b.Run(fmt.Sprintf("names=%d/readers=%d/writer=%s/impl=%s", c.names, c.readers, writer, t.impl), func(b *testing.B) {
				look(b, c.names, c.readers, c.writer, t.make)
			})
		}
	}
}

// look times one of several readers.
func look(b *testing.B, names, readers int, writer bool, fresh func([keyCount]string) table) {
	name := func(i int) string { return fmt.Sprintf("notification-%d", i) }
	var keys [keyCount]string
	for i := range keys {
		keys[i] = name(i * 7919 % names)
	}
	t := fresh(keys)
	for i := range names {
		require.NoError(b, t.register(name(i)))
	}
	var stop atomic.Bool
	var others sync.WaitGroup
	beside := func(f func(i int) error) {
		others.Add(1)
		go func() {
			defer others.Done()
			for i := 0; !stop.Load(); i++ {
				if err := f(i); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	for range readers - 1 {
		beside(func(i int) error {
			if !t.lookup(i) {
				return fmt.Errorf("a name is missing")
			}
			return nil
		})
	}
	if writer {
		beside(func(int) error {
			if err := t.register("another"); err != nil {
				return err
			}
			return t.unregister("another")
		})
	}
	defer func() {
		stop.Store(true)
		others.Wait()
	}()
	b.ReportAllocs()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun := threadTime()
	i := 0
	for b.Loop() {
		if !t.lookup(i) {
			b.Fatal("a name is missing")
		}
		i++
	}
	if used := threadTime() - begun; used > 0 {
		b.ReportMetric(float64(used.Nanoseconds())/float64(b.N), "cpu-ns/op")
	}
}
