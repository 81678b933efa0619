package parser_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// noAllocs wants f to allocate nothing after a warm-up.
func noAllocs(t *testing.T, f func(), args ...any) {
	t.Helper()
	f()
	require.Zero(t, allocs.PerRun(3, f), args...)
}

func TestParseDoesNotAllocate(t *testing.T) {
	wires := []string{
		strings.Repeat("*1\r\n", 127) + "*0\r\n",
		">2\r\n+deep\r\n" + strings.Repeat("%1\r\n:1\r\n", 126) + "|1\r\n+k\r\n+v\r\n_\r\n",
		strings.Repeat("*?\r\n", 128) + strings.Repeat(".\r\n", 128),
	}
	for _, w := range workload.Workloads {
		wires = append(wires, string(w.Frame))
	}
	for _, c := range vectors.Cases() {
		if defaults(c) && (c.Want.Verdict == oracle.OK || c.Want.Verdict == oracle.Incomplete) {
			wires = append(wires, c.Wire)
		}
	}
	for _, wire := range wires {
		b := []byte(wire)
		if race.Enabled && deep(b) {
			continue
		}
		_, _, err := parser.Parse(b)
		if err != parser.ErrIncomplete {
			require.NoError(t, err)
		}
		noAllocs(t, func() { _, _, _ = parser.Parse(b) }, "%.100q", wire)
		noAllocs(t, func() { _, _, _ = parser.Parse(b[:len(b)-1]) }, "%.100q, cut", wire)
	}
}

// deep says whether a frame nests so deeply that Parse needs pooled memory, which is dropped at random under the race
// detector.
func deep(wire []byte) bool {
	most := 0
	for i, c := range wire {
		if (i == 0 || wire[i-1] == '\n') && strings.IndexByte("*%~|>", c) >= 0 {
			most++
		}
	}
	return most > 6
}

func TestScannerDoesNotAllocate(t *testing.T) {
	deep := []byte(strings.Repeat("*1\r\n", 127) + ":1\r\n")
	for _, w := range workload.Workloads {
		b := append(deep, w.Frame...)
		for _, piece := range []int{1, 7, 64, len(b)} {
			var s parser.Scanner
			noAllocs(t, func() {
				for rest := b; len(rest) > 0; {
					n, _, err := s.Scan(rest[:min(piece, len(rest))])
					if err != nil {
						t.Fatal(err)
					}
					rest = rest[n:]
				}
				if s.Type() == 0 {
					t.Fatal("no type")
				}
				s.Reset()
			}, w.ID)
		}
	}
}

// TestReaderDoesNotAllocate reads each workload in each way, off a Reader with its own buffer and in place.
func TestReaderDoesNotAllocate(t *testing.T) {
	if race.Enabled {
		t.Skip("the pool drops some of what it is given")
	}
	ways := map[string]func(r *parser.Reader) error{
		"Next": uses["Next"],
		"Skip": uses["Skip"],
		"Peek": func(r *parser.Reader) error {
			typ, err := r.PeekType()
			if err != nil {
				return err
			}
			name, push, err := r.PeekPush()
			if err != nil || push != (typ == parser.TypePush) || push && name == nil {
				return fmt.Errorf("%q %s %t: %w", name, typ, push, err)
			}
			_, err = r.Next()
			return err
		},
		"NextPush": func(r *parser.Reader) error {
			if _, ok, err := r.Driver().NextPush(false); ok || err != nil {
				return err
			}
			return r.Skip()
		},
		"NextBuffered": func(r *parser.Reader) error {
			switch err := bufferedPushes(r, false, func(parser.Frame, bool) bool { return true }); err {
			case nil:
				return r.Skip()
			case parser.ErrIncomplete:
				return r.Driver().Fill()
			default:
				return err
			}
		},
	}
	for _, w := range workload.Workloads {
		s := short(w, 32<<10, 256<<10)
		for name, way := range ways {
			own := bufio.NewReaderSize(s, 4096)
			for i, r := range []*parser.Reader{parser.NewReader(s), parser.NewReader(own), parser.NewReader(s, parser.WithBufferSize(512))} {
				var rd io.Reader = s
				if i == 1 {
					rd = own
				}
				noAllocs(t, func() {
					s.Rewind()
					own.Reset(s)
					r.Reset(rd)
					var err error
					for err == nil {
						err = way(r)
					}
					if err != io.EOF {
						t.Fatal(err)
					}
				}, "%s of %s, %d", name, w.ID, i)
			}
		}
	}
}

// short returns a stream of a workload that is about as long as size.
func short(w workload.Workload, piece, size int) *workload.Stream {
	s := workload.NewStream(w, piece)
	s.Count = max(2, size/len(w.Frame))
	s.Bytes = s.Bytes[:s.Count*len(w.Frame)]
	return s
}

func TestReaderDoesNotAllocateWhenCut(t *testing.T) {
	for _, id := range []string{"F1", "F7", "F9"} {
		for _, piece := range []int{1, 7, 64} {
			s := short(workload.Find(id), piece, 64<<10)
			r := parser.NewReader(s)
			noAllocs(t, func() {
				s.Rewind()
				r.Reset(s)
				var err error
				for err == nil {
					if _, _, err = r.PeekPush(); err == nil {
						_, err = r.Next()
					}
				}
				if err != io.EOF {
					t.Fatal(err)
				}
			}, "%s cut every %d", id, piece)
		}
	}
}

// Most large frames being of one size must not make the others dear.
func TestLargeFramesDoNotAllocateAmongManySmallerOnes(t *testing.T) {
	if race.Enabled {
		t.Skip("needs the pool, which drops buffers at random under the race detector")
	}
	small, large := bulk(strings.Repeat("x", 5<<10)), bulk(strings.Repeat("x", 1<<20))
	rd := strings.NewReader("")
	r := parser.NewReader(rd, parser.WithBufferSize(4096))
	read := func(wire string) {
		rd.Reset(wire)
		r.Reset(rd)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		for range 50_000 {
			read(small)
		}
		noAllocs(t, func() { read(large) })
	}
}

var (
	sinkInt   int64
	sinkBytes int
)

func TestFramesAndValuesDoNotAllocate(t *testing.T) {
	wires := []string{
		string(workload.Find("F1").Frame), string(workload.Find("F3").Frame), string(workload.Find("F7").Frame), string(workload.Invalidate(100)),
		attribute + attribute + ">9\r\n=8\r\ntxt:name\r\n:-12\r\n,1.5\r\n#t\r\n_\r\n(12345678901234567890\r\n" +
			attribute + "%2\r\n+a\r\n$2\r\n42\r\n+b\r\n*-1\r\n~1\r\n>2\r\n+p\r\n>0\r\n:1\r\n:2\r\n=5\r\nmkd:x\r\n",
		"%?\r\n+a\r\n*?\r\n:1\r\n.\r\n+b\r\n$?\r\n;2\r\nab\r\n;0\r\n.\r\n",
		"|1\r\n+" + strings.Repeat("a", 70_000) + "\r\n+v\r\n" + invalidate,
	}
	for _, wire := range wires {
		f := parse(t, wire)
		noAllocs(t, func() {
			sinkBytes += len(f.Name()) + len(f.Raw()) + f.Len() + int(f.Type())
			for v := range f.Args() {
				use(v, 2)
			}
			for p := range f.NestedPushes() {
				sinkBytes += len(p.Name())
				use(p.Value(), 2)
			}
			use(f.Attributes(), 2)
			use(f.Value(), 2)
		}, "%.200q", wire)
	}
}

// use calls every accessor of v, and of what is in it, that does not promise new memory.
func use(v parser.Value, depth int) {
	sinkBytes += len(v.Bytes()) + v.Len() + int(v.Type()) + len(v.VerbatimFormat()) + v.Attributes().Len()
	if n, err := v.Int64(); err == nil {
		sinkInt += n
	}
	if x, err := v.Float64(); err == nil {
		sinkInt += int64(x)
	}
	if b, err := v.Bool(); err == nil && b && !v.IsNull() {
		sinkInt++
	}
	if depth == 0 {
		return
	}
	for c := range v.All() {
		use(c, depth-1)
	}
	for k, c := range v.Pairs() {
		use(k, depth-1)
		use(c, depth-1)
	}
}
