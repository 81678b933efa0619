package bench_test

import (
	"testing"

	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// sink keeps the results of benchmarks, so that the compiler cannot drop the
// work.
var sink int

// An access is something a handler does with a push.
type access struct {
	name   string
	wire   []byte
	allocs bool // whether do allocates
	do     func(f parser.Frame) int
}

// second returns the push's second element, which is the one after its name.
func second(f parser.Frame) parser.Value {
	for v := range f.Args() {
		return v
	}
	return parser.Value{}
}

var accesses = []access{
	{"frame=F1/op=Name", workload.Find("F1").Frame, false, func(f parser.Frame) int { return len(f.Name()) }},
	{"frame=F1/op=Len", workload.Find("F1").Frame, false, func(f parser.Frame) int { return f.Len() }},
	{"frame=F1/op=Args", workload.Find("F1").Frame, false, func(f parser.Frame) int {
		n := 0
		for v := range f.Args() {
			n += v.Len()
		}
		return n
	}},
	{"frame=F1/op=Keys", workload.Find("F1").Frame, false, keys},
	{"frame=F8/op=Keys", workload.Find("F8").Frame, false, keys},
	{"frame=F3/op=Bytes", workload.Find("F3").Frame, false, func(f parser.Frame) int { return len(second(f).Bytes()) }},
	{"frame=F7/op=Int64", workload.Find("F7").Frame, false, func(f parser.Frame) int {
		n, _ := second(f).Int64()
		return int(n)
	}},
	{"frame=F7/op=Float64", workload.Find("F7").Frame, false, func(f parser.Frame) int {
		x, _ := second(f).Float64()
		return int(x)
	}},
	{"frame=map/op=Pairs", []byte(">2\r\n+m\r\n%3\r\n+a\r\n:1\r\n+b\r\n:2\r\n+c\r\n:3\r\n"), false, func(f parser.Frame) int {
		n := 0
		for k, v := range second(f).Pairs() {
			i, _ := v.Int64()
			n += len(k.Bytes()) + int(i)
		}
		return n
	}},
	{"frame=F1/op=NestedPushes", workload.Find("F1").Frame, false, func(f parser.Frame) int {
		n := 0
		for range f.NestedPushes() {
			n++
		}
		return n
	}},
	{"frame=exec/op=NestedPushes", []byte("*3\r\n+OK\r\n>3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$2\r\nm1\r\n:1\r\n$1\r\nv\r\n"), false, func(f parser.Frame) int {
		n := 0
		for p := range f.NestedPushes() {
			n += len(p.Name())
		}
		return n
	}},
	{"frame=F3/op=String", workload.Find("F3").Frame, true, func(f parser.Frame) int { return len(second(f).String()) }},
	{"frame=F1/op=Any", workload.Find("F1").Frame, true, func(f parser.Frame) int {
		a, _ := f.Value().Any()
		return len(a.([]any))
	}},
	{"frame=F1/op=Clone", workload.Find("F1").Frame, true, func(f parser.Frame) int { return len(f.Clone().Raw()) }},
}

// keys reads the keys of an invalidation, as a cache does.
func keys(f parser.Frame) int {
	n := 0
	for v := range f.Args() {
		for key := range v.All() {
			n += len(key.Bytes())
		}
	}
	return n
}

func BenchmarkValue(b *testing.B) {
	for _, a := range accesses {
		b.Run(a.name+"/impl=respush", func(b *testing.B) {
			f := frame(b, a.wire)
			b.ReportAllocs()
			defer timeThread(b, 1)()
			for b.Loop() {
				sink += a.do(f)
			}
		})
	}
}

func frame(tb testing.TB, wire []byte) parser.Frame {
	f, n, err := parser.Parse(wire)
	if err != nil || n != len(wire) {
		tb.Fatalf("%d of %d bytes: %v", n, len(wire), err)
	}
	return f
}
