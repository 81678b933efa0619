package tap_test

import (
	"io"
	"math/rand/v2"
	"testing"

	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// maxInput is the longest input FuzzTap looks at, in bytes.
const maxInput = vectors.MaxGenerated + 512

// FuzzTap reads a stream through a Conn: what is read and what is dispatched must be what the oracle finds, and the same
// however the stream is cut, with time-outs anywhere, and however long the reads are. how chooses the mode and the size of
// the reads; with small limits only that the cuts change nothing is checked.
func FuzzTap(f *testing.F) {
	cuts := [][]byte{nil, {1}, {0, 1}, {7, 2, 0, 90}, {255, 3}, {0, 16}}
	i := 0
	seed := func(generated bool, input []byte) {
		f.Add(generated, input, cuts[i%len(cuts)], uint16(i*40503))
		i++
	}
	for _, c := range vectors.Cases() {
		seed(false, []byte(c.Wire))
		seed(false, []byte("$3\r\nabc\r\n"+c.Wire+"+OK\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n:1\r\n"))
		seed(false, []byte("*2\r\n"+c.Wire+c.Wire+"+OK\r\n"))
	}
	captures, err := vectors.Captures("../testdata/captures")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range captures {
		seed(false, c.Wire)
	}
	r := rand.New(rand.NewPCG(9, 10))
	for n := range 200 {
		script := make([]byte, 4+n)
		for j := range script {
			script[j] = byte(r.Uint32())
		}
		script[0] |= 48 // four frames
		seed(true, script)
	}
	f.Fuzz(func(t *testing.T, generated bool, input, cuts []byte, how uint16) {
		if len(input) > maxInput {
			return
		}
		if generated {
			input = vectors.Generate(make([]byte, 0, 512), input)
		}
		m, size, limited := modes[int(how&3)%len(modes)], 1+int(how>>6), false
		switch how >> 2 & 3 {
		case 1:
			limited, m.opts = true, append(m.opts[:len(m.opts):len(m.opts)], tap.WithLimits(small))
		case 2:
			limited, m.opts = true, append(m.opts[:len(m.opts):len(m.opts)], tap.WithLimits(small), tap.SkipOversize())
		}
		whole := read(t, &vectors.Feed{Data: input, End: io.EOF}, maxInput, m.opts)
		if !limited {
			check(t, input, m, whole)
		}
		cut := read(t, &vectors.Feed{Data: input, Cuts: cuts, End: io.EOF}, size, m.opts)
		if !whole.equal(cut) {
			t.Fatalf("%q, %s, limited %v, cuts %v, reads of %d:\n%+v\n%+v", input, m.name, limited, cuts, size, whole, cut)
		}
		for _, push := range whole.pushes {
			if f, n, err := parser.Parse([]byte(push)); err != nil || n != len(push) || !f.IsPush() {
				t.Fatalf("%q is no push, in %q", push, input)
			}
		}
	})
}
