package tap_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// sizes are those of a client's reads, in bytes.
var sizes = []int{1, 2, 7, 64, 4096}

// cutAt is a stream that arrives in two pieces.
func cutAt(stream []byte, at int) io.Reader {
	return io.MultiReader(captures.NewPieces(stream[:at], len(stream)), captures.NewPieces(stream[at:], len(stream)))
}

// Whatever the cuts and the reads are, a client sees what the oracle says, and sees the same.
func TestFilterAgreesWithTheOracleAtEveryCut(t *testing.T) {
	const longest = 400 // of a wire that is cut everywhere
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			for _, c := range vectors.Cases() {
				if c.Limits != (vectors.Case{}.Limits) {
					continue
				}
				stream := []byte(c.Wire)
				whole := read(t, cutAt(stream, 0), len(stream)+1, m.opts)
				check(t, stream, m, whole)
				step := 1 + len(stream)/longest
				if race.Enabled {
					step += len(stream) / 16
				}
				for at := 0; at < len(stream); at += step {
					size := sizes[at%len(sizes)]
					got := read(t, cutAt(stream, at), size, m.opts)
					require.True(t, whole.equal(got), "%s cut at %d, reads of %d", c.Name, at, size)
				}
			}
		})
	}
}

// stream is many wires one after another: what is behind a frame is never taken for a part of it.
func stream() (all []byte) {
	for i, c := range vectors.Cases() {
		if e := expect([]byte(c.Wire), false); e.err != nil || e.tail || e.either || len(c.Wire) > 1<<10 {
			continue
		}
		all = append(all, c.Wire...)
		if i%3 == 0 {
			all = append(all, "$3\r\nabc\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n"...)
		}
	}
	return all
}

func TestFilterOfALongStreamAgreesWithTheOracle(t *testing.T) {
	long := stream()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			for _, size := range sizes {
				for _, piece := range []int{1, 3, 17, 100, 1000, len(long)} {
					check(t, long, m, read(t, captures.NewPieces(long, piece), size, m.opts))
				}
			}
		})
	}
}

func TestFilterOfCapturesAgreesWithTheOracle(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			for n, c := range captures.All(t) {
				whole := read(t, captures.NewPieces(c.Bytes, len(c.Bytes)+1), len(c.Bytes)+1, m.opts)
				check(t, c.Bytes, m, whole)
				for i, size := range sizes {
					for j, piece := range sizes {
						if len(c.Bytes) > 1<<10 && (n+i+j)%len(sizes) != 0 {
							continue // each size once, with another one for each capture
						}
						if (c.Heavy() || race.Enabled && len(c.Bytes) > 4<<10) && min(piece, size) < 64 {
							continue // byte by byte that takes long
						}
						got := read(t, captures.NewPieces(c.Bytes, piece), size, m.opts)
						require.True(t, whole.equal(got), "%s in pieces of %d, reads of %d", c.File, piece, size)
					}
				}
				if len(c.Bytes) > 1<<10 || race.Enabled {
					continue
				}
				for at := range c.Bytes {
					require.True(t, whole.equal(read(t, cutAt(c.Bytes, at), 512, m.opts)), "%s cut at %d", c.File, at)
				}
			}
		})
	}
}

// The captures' own index knows how many pushes there are, top-level and nested ones, and their names.
func TestFilterCountsTheCaptures(t *testing.T) {
	for _, c := range captures.All(t) {
		r := read(t, captures.NewPieces(c.Bytes, 1000), 512, nil)
		require.Len(t, r.pushes, c.Pushes+c.Nested, c.File)
		for i, name := range c.Names {
			f, _, err := parser.Parse([]byte(r.pushes[i]))
			require.NoError(t, err)
			require.Equal(t, name, string(f.Name()), c.File)
		}
	}
}
