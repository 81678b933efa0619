package tap

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// Whatever plain passes over, the general path passes over too, as whole replies.
func TestPlainIsRightOrLeavesIt(t *testing.T) {
	check := func(wire string) {
		n := plain([]byte(wire))
		for rest := wire[:n]; rest != ""; {
			f, k, err := parser.Parse([]byte(rest))
			require.NoError(t, err, "%q", wire)
			require.False(t, f.IsPush())
			require.False(t, f.HasNestedPushes())
			rest = rest[k:]
		}
		require.Zero(t, plain([]byte(wire[n:])), "it stops only where it must: %q", wire)
	}
	for _, c := range vectors.Cases() {
		for _, behind := range []string{"", "+OK\r\n+OK\r\n", "x", "$1\r\na\r\n"} {
			check(c.Wire + behind)
		}
		for at := range min(len(c.Wire), 100) {
			check(c.Wire[:at])
			check(c.Wire[at:])
		}
	}
}

func TestPlainCountsWholeRepliesAlone(t *testing.T) {
	long := func(n int, digits string) string { return "$" + digits + "\r\n" + strings.Repeat("x", n) + "\r\n" }
	for _, c := range []struct {
		wire string
		n    int
	}{
		{"", 0}, {"$", 0}, {"+OK\r\n", 0}, {"+OK\r\n+OK\r\n", 5}, {"+OK\r\n+OK\r\n+OK\r\n", 10}, {"+OK\r\nxxx", 5}, {"+OKx\r\nxxx", 0}, {"+OK\n\rxxx", 0},
		{"$0\r\n\r\n", 0}, {"$0\r\n\r\nxx", 6}, {"$1\r\na\r\nx", 7}, {"$1\r\na\rxx", 0}, {"$1\r\nab\r\nx", 0}, {"$1\n\ra\r\nx", 0}, {"$1\r\r\na\r\n", 0},
		{"$-1\r\nxxx", 0}, {"$-1\r\n+OK\r\n", 0}, {"$?\r\n;0\r\n", 0}, {"$\r\n\r\nxxxxx", 0}, {"$a\r\nxxxxx", 0},
		{"$00\r\n\r\nxx", 0}, {"$01\r\na\r\n", 0}, {"$+1\r\na\r\n", 0}, {"$:\r\nxxxxxxxxxxxx\r\n", 0}, {"$/\r\n\r\nxx", 0},
		{long(9, "9"), 9 + 6}, {long(10, "10"), 10 + 7}, {long(99, "99"), 99 + 7}, {long(100, "100"), 100 + 8}, {long(999, "999"), 999 + 8},
		{long(1000, "1000"), 1000 + 9}, {long(9999, "9999"), 9999 + 9}, {long(10000, "10000"), 0}, {long(99, "099"), 0}, {long(99, "0099"), 0},
		{"$1\r\na\r\n$1\r\nb\r\nx", 14}, {"$1\r\na\r\n$1\r\nbcd\r\n", 7}, {"$1\r\na\r\n$1\r\nb\rx\n", 7}, {"$2\r\nab\r\n$1\r\nb\r\nx", 15},
		{"$1\r\na\r\n$10\r\n0123456789\r\n", 7 + 17}, {"$1\r\na\r\n+OK\r\n$1\r\na\r\nx", 19}, {"$1\r\na\r\n:1\r\nxxxx", 7},
		{long(98, "99"), 0}, {long(100, "99"), 0}, {long(9999, "9999")[:10007], 0}, {"$9999\r\nxx", 0},
	} {
		require.Equal(t, c.n, plain([]byte(c.wire)), "%.20q", c.wire)
	}
}
