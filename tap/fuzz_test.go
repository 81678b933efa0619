package tap_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/seed79615202/respush/internal/test/race"
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

// TestRandomFramesWithAnyScalarTextPass is the property of passing: whatever the scalars of a stream say, it passes byte
// for byte, and each push between its frames is found, however it is cut and however long the reads are.
func TestRandomFramesWithAnyScalarTextPass(t *testing.T) {
	seeds := uint64(60)
	if race.Enabled || testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 11))
		var stream []byte
		for range 1 + r.IntN(4) {
			script := make([]byte, 8+r.IntN(60))
			for i := range script {
				script[i] = byte(r.Uint32())
			}
			frames := vectors.Generate(make([]byte, 0, 512), script)
			if _, _, err := parser.Parse(frames); err != nil {
				continue
			}
			stream = append(stream, frames...)
			text := make([]byte, r.IntN(6))
			for i := range text {
				text[i] = "0-.eNa\r\n +x\x00\xff"[r.IntN(13)]
			}
			line := ":,(#+-"[r.IntN(6)]
			stream = append(append(append(stream, line), bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))...), "\r\n>1\r\n+p\r\n"...)
		}
		for _, m := range modes {
			whole := read(t, &vectors.Feed{Data: stream, End: io.EOF}, maxInput, m.opts)
			check(t, stream, m, whole)
			for cut := range stream {
				size := 1 + (cut*7+int(seed))%64
				got := read(t, &vectors.Feed{Data: stream, Cuts: []byte{byte(1 + cut%255), 0, byte(cut / 255), 255}, End: io.EOF}, size, m.opts)
				if !whole.equal(got) {
					t.Fatalf("%q, %s, cut %d, reads of %d:\n%+v\n%+v", stream, m.name, cut, size, whole, got)
				}
			}
		}
	}
}
