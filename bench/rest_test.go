package bench_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// rests lists what may come on a connection before it is at rest.
var rests = []struct {
	name string
	feed func(r *resting)
}{
	{"nothing", func(*resting) {}},
	{"push", func(r *resting) { r.feed(workload.Invalidate(1)) }},
	{"burst", func(r *resting) { r.feed(burst) }},
	{"burst-and-64-pushes", func(r *resting) {
		r.feed(burst)
		for range 64 {
			r.feed(workload.Invalidate(1))
		}
	}},
}

// burst fills a buffer of the default size.
var burst = bytes.Repeat(workload.Invalidate(1), 2*parser.DefaultBufferSize/len(workload.Invalidate(1)))

// BenchmarkRest measures the memory of a connection under Serve on which
// nothing comes, depending on what has come before. B/conn counts the heap and
// the goroutine's stack, including all that Serve, the Reader and its buffer
// hold, but not the connection itself. An op is one such connection, from start
// to end.
func BenchmarkRest(b *testing.B) {
	const conns = 2000
	for _, after := range rests {
		b.Run("after="+after.name+"/impl=respush", func(b *testing.B) {
			var most float64
			for b.Loop() {
				r := newResting(conns)
				before := inUse()
				r.serve(b)
				after.feed(r)
				most = max(most, float64(inUse()-before)/conns)
				r.end()
			}
			b.ReportMetric(most, "B/conn")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/conns, "ns/op")
		})
	}
}

// inUse returns the number of heap and stack bytes in use.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC() // the second collection empties the pools
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// resting is a set of connections in memory, each with its own call of Serve.
type resting struct {
	conns []*restingConn
	idle  sync.WaitGroup // counts the connections that do not yet wait for bytes
	ended sync.WaitGroup
}

func newResting(n int) *resting {
	r := &resting{conns: make([]*restingConn, n)}
	for i := range r.conns {
		r.conns[i] = &restingConn{all: r, feed: make(chan []byte)}
	}
	return r
}

// serve starts to serve all connections, and returns when they wait for bytes.
func (r *resting) serve(tb testing.TB) {
	p := dispatch.NewProcessor()
	if err := p.HandleFunc("invalidate", func(context.Context, from, parser.Frame) error { return nil }); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(cancel)
	r.idle.Add(len(r.conns))
	for _, c := range r.conns {
		r.ended.Add(1)
		go func() {
			defer r.ended.Done()
			if err := p.Serve(ctx, from{Conn: c}, parser.NewReader(c), nil); err != nil {
				tb.Error(err)
			}
		}()
	}
	r.idle.Wait()
}

// feed gives every connection the bytes b. It returns when all connections have
// read them and wait for more.
func (r *resting) feed(b []byte) {
	r.idle.Add(len(r.conns))
	for _, c := range r.conns {
		c.feed <- b
	}
	r.idle.Wait()
}

// end ends all connections.
func (r *resting) end() {
	for _, c := range r.conns {
		close(c.feed)
	}
	r.ended.Wait()
}

// restingConn is a connection in memory, for reading only.
type restingConn struct {
	net.Conn
	all  *resting
	feed chan []byte
	rest []byte
}

func (c *restingConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		c.all.idle.Done()
		var ok bool
		if c.rest, ok = <-c.feed; !ok {
			return 0, io.EOF
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
