package parser_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// TestLineIsConsumedAsItComes feeds lines full of what may begin or end a CR LF. That each byte is consumed at once, and
// so never looked at again, is what makes the work linear, however the line is cut.
func TestLineIsConsumedAsItComes(t *testing.T) {
	const size = 64 << 10
	for _, text := range []string{"\r", "\n", "\r\ra"} {
		for _, typ := range "+(" {
			line := string(typ) + strings.Repeat(text, size/len(text))
			for _, piece := range []int{1, 4096, len(line)} {
				var s parser.Scanner
				for rest := []byte(line); len(rest) > 0; {
					p := rest[:min(piece, len(rest))]
					if n, done, err := s.Scan(p); n != len(p) || done || err != nil {
						t.Fatalf("%d of %d bytes, %v, %v", n, len(p), done, err)
					}
					rest = rest[len(p):]
				}
				n, done, err := s.Scan([]byte("\r\n+OK"))
				require.NoError(t, err)
				require.True(t, done)
				require.Equal(t, 2, n)
			}
		}
	}
}

// TestLineEndsAtItsFirstCRLF cuts lines in two and three at every place.
func TestLineEndsAtItsFirstCRLF(t *testing.T) {
	for _, line := range []string{"+\r\n", "+\r\r\n", "+\n\r\n", "+\n\r\r\n", "-a\rb\nc\n\rd\r\n", ":1\n\r\n", "(\r\r\r\r\n", "#\n\n\n\r\n", ",\r1\r\r2\r\n"} {
		for _, around := range []struct{ before, behind string }{{"", ""}, {"*1\r\n", ""}, {"*2\r\n", ":1\r\n"}, {">2\r\n", ":1\r\n"}, {">2\r\n+p\r\n", ""}, {"%1\r\n", "_\r\n"}} {
			wire := around.before + line + around.behind
			stream := []byte(wire + "\n\r\n")
			_, n, err := parser.Parse(stream)
			require.NoError(t, err, "%q", wire)
			require.Equal(t, len(wire), n, "%q", wire)
			for first := range len(wire) {
				for second := first; second <= len(wire); second++ {
					got, _, ok := scanPieces(parser.NewScanner(parser.Limits{}), stream, []int{first, second, len(stream)})
					require.True(t, ok)
					require.Equal(t, outcome(len(wire), nil, 0), got, "%q cut at %d and %d", wire, first, second)
				}
			}
		}
	}
}
