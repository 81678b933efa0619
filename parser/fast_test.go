package parser_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// The test puts something else into each place of a long array of bulks, and wants what a scan byte by byte finds,
// for which no element ever stands whole.
func TestRunsOfBulksScanAsByteByByte(t *testing.T) {
	const bulk = "$4\r\nkey0\r\n"
	for _, odd := range []string{
		bulk, "$5\r\nkey00\r\n", "$4\r\n\r\n\r\n\r\n", "$04\r\nkey0\r\n", "$4\r\nkey0\n\n", "$4\r\nkey0\rx", "$4\r\nkey00\r\n", "$4\r\nkey\r\n",
		"$40000\r\n" + strings.Repeat("x", 40000) + "\r\n", "$-1\r\n", "$?\r\n;4\r\nkey0\r\n;0\r\n", ":4\r\n", "_\r\n", "+key0\r\n", "=8\r\ntxt:key0\r\n",
		"*9\r\n" + strings.Repeat(bulk, 9), ">1\r\n+x\r\n", "|1\r\n+a\r\n+b\r\n" + bulk, "!4\r\nkey0\r\n", "x",
	} {
		for at := range 24 {
			wire := []byte(">2\r\n$10\r\ninvalidate\r\n*24\r\n" + strings.Repeat(bulk, at) + odd + strings.Repeat(bulk, 23-at) + "+OK\r\n")
			var slow parser.Scanner
			want, done, wantErr := 0, false, error(nil)
			for i := 0; i < len(wire) && !done && wantErr == nil; i++ {
				var n int
				n, done, wantErr = slow.Scan(wire[i : i+1])
				want += n
			}
			for _, window := range [][]byte{wire, append([]byte(nil), wire...)[:len(wire):len(wire)]} {
				var fast parser.Scanner
				n, fastDone, err := fast.Scan(window)
				require.Equal(t, want, n, "%q at %d", odd, at)
				require.Equal(t, done, fastDone)
				require.Equal(t, wantErr, err)
				require.Equal(t, slow.Type(), fast.Type())
			}
			for cut := len(wire) - 40; done && cut < len(wire); cut++ {
				var pieces parser.Scanner
				first, pieceDone, err := pieces.Scan(wire[:cut:cut])
				require.NoError(t, err)
				if !pieceDone {
					var second int
					second, pieceDone, err = pieces.Scan(wire[first:])
					require.NoError(t, err)
					first += second
				}
				require.True(t, pieceDone)
				require.Equal(t, want, first)
			}
		}
	}
}
