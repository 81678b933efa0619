package notify_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/notify"
)

// described returns the line for a push written with a LF for each CR LF.
func described(t *testing.T, wire string) string {
	return notify.Describe(parse(t, shape{wire: wire}.bytes()))
}

func TestDescribeTellsPushesOfUnknownNames(t *testing.T) {
	for _, test := range []struct{ name, wire, want string }{
		{"every type", ">5\n" + bulk("UNKNOWN") + "~2\n:1\n:2\n%1\n+a\n,1.5\n#t\n(123456789012345678901\n",
			"UNKNOWN  (1 2) {a: 1.5} true 123456789012345678901"},
		{"errors", ">3\n" + bulk("UNKNOWN") + "-ERR no\n!5\nSYN\x01x\n", `UNKNOWN  error "ERR no" error "SYN\x01x"`},
		{"verbatim", ">2\n" + bulk("UNKNOWN") + "=8\nmkd:# hi\n", `UNKNOWN  "# hi"`},
		{"empty lists", ">5\n+UNKNOWN\n*0\n~0\n%0\n_\n", "UNKNOWN  [] () {} null"},
		{"deep", ">2\n" + bulk("UNKNOWN") + "*1\n*1\n*1\n*1\n*1\n*2\n:1\n:2\n", "UNKNOWN  [[[[[1 element]]]]]"},
		{"deep map", ">2\n" + bulk("UNKNOWN") + "*1\n*1\n*1\n*1\n%1\n:1\n:2\n", "UNKNOWN  [[[[{2 elements}]]]]"},
		{"deep and empty", ">2\n" + bulk("UNKNOWN") + "*1\n*1\n*1\n*1\n*0\n", "UNKNOWN  [[[[[]]]]]"},
		{"streamed", ">2\n" + bulk("UNKNOWN") + "$?\n;3\nabc\n;2\nde\n;0\n", "UNKNOWN  abcde"},
		{"long number", ">2\n" + bulk("UNKNOWN") + "(" + strings.Repeat("1", 100) + "\n", `UNKNOWN  "` + strings.Repeat("1", 64) + `"... (100 bytes)`},
		{"binary name", ">2\n" + bulk("a\x00 b") + ":1\n", `"a\x00\x20b"  1`},
		{"longest name", ">2\n" + bulk(strings.Repeat("n", 64)) + ":1\n", strings.Repeat("n", 64) + "  1"},
		{"longest word", ">2\n" + bulk("UNKNOWN") + bulk(strings.Repeat("w", 64)), "UNKNOWN  " + strings.Repeat("w", 64)},
		{"long name", ">2\n" + bulk(strings.Repeat("n", 65)) + ":1\n", `"` + strings.Repeat("n", 64) + `"...\x20(65\x20bytes)  1`},
		{"empty name", ">2\n" + bulk("") + ":1\n", `""  1`},
		{"no name", ">2\n:1\n:2\n", "(no-name)  1 2"},
		{"no elements", ">0\n", "(no-name)  (nothing)"},
		{"name only", ">1\n+UNKNOWN\n", "UNKNOWN  (nothing)"},
		{"other shape", ">3\n" + bulk("invalidate") + ":1\n:2\n", "invalidate  1 2"},
		{"other shape, nothing", ">1\n" + bulk("invalidate"), "invalidate  (nothing)"},
		{"other shape, moves", ">3\n" + bulk("SMIGRATED") + ":5\n*1\n*2\n" + bulk("a:1", "b:2"), "SMIGRATED  5 [[a:1 b:2]]"},
		{"attributes", "|1\n+ttl\n:9\n>2\n+server-cpu-usage\n:42\n", "server-cpu-usage  42  attributes {ttl: 9}"},
		{"empty attributes", "|0\n>2\n+server-cpu-usage\n:42\n", "server-cpu-usage  42"},
		{"reply", "*2\n+a\n%1\n:1\n:2\n", "[a {1: 2}]"},
		{"reply with attributes", "|1\n+ttl\n:9\n+OK\n", "OK  attributes {ttl: 9}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, described(t, test.wire))
		})
	}
}

// numbered returns n texts of which each is another.
func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, "k"+strconv.Itoa(i))
	}
	return all
}

func TestLinesHaveTenElementsOfALongList(t *testing.T) {
	keys := bulk(numbered(1000)...)
	require.Equal(t, "invalidate  1000 keys  k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 ... 990 more", described(t, ">2\n+invalidate\n*1000\n"+keys))
	require.Equal(t, "many  k0 k1 k2 k3 k4 k5 k6 k7 k8 k9 ... 990 more", described(t, ">1001\n+many\n"+keys))
	require.Equal(t, "invalidate  10 keys  k0 k1 k2 k3 k4 k5 k6 k7 k8 k9", described(t, ">2\n+invalidate\n*10\n"+bulk(numbered(10)...)))
	require.Contains(t, described(t, ">2\n+map\n%500\n"+keys), "k18: k19, ... 490 more}")

	slots, moves := ">22\n+SMIGRATING\n:5\n", ">3\n+SMIGRATED\n:5\n*60\n"
	for i := range 20 {
		slots += fmt.Sprintf(":%d\n", i)
		moves += "+a:1\n+b:2\n" + fmt.Sprintf("+%d\n", i)
	}
	require.Equal(t, "SMIGRATING  seq 5  slots 0,1,2,3,4,5,6,7,8,9, ... 10 more", described(t, slots))
	require.Contains(t, described(t, moves), "; a:1 to b:2 slots 9; ... 10 more")
}

func TestLinesHaveTheBeginningOfALongText(t *testing.T) {
	x64, x63 := strings.Repeat("x", 64), strings.Repeat("x", 63)
	for _, test := range []struct{ name, text, want string }{
		{"at the limit", x64, `"` + x64 + `"`},
		{"over the limit", x64 + "y", `"` + x64 + `"... (65 bytes)`},
		{"5 MiB", strings.Repeat("x", 5<<20), `"` + x64 + `"... (5242880 bytes)`},
		{"before a character", x63 + "é", `"` + x63 + `"... (65 bytes)`},
		{"before a long character", x63 + "😀", `"` + x63 + `"... (67 bytes)`},
		{"within a long character", x63[:61] + "😀", `"` + x63[:61] + `"... (65 bytes)`},
		{"after a character", strings.Repeat("é", 33), `"` + strings.Repeat("é", 32) + `"... (66 bytes)`},
		{"amid stray bytes", strings.Repeat("\x80", 66), `"` + strings.Repeat(`\x80`, 64) + `"... (66 bytes)`},
		{"amid a torn character", x63 + "\xc3z", `"` + x63 + `\xc3"... (65 bytes)`},
		{"before a stray byte", x64 + "\x80", `"` + x64 + `"... (65 bytes)`},
		{"escape sequence", "\x1b[31m", `"\x1b[31m"`},
		{"text direction", "a\u202eb", `"a\u202eb"`},
		{"line ends", "a\r\nb", `"a\r\nb"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			wire := fmt.Sprintf(">3\r\n+message\r\n+news\r\n$%d\r\n%s\r\n", len(test.text), test.text)
			require.Equal(t, "message  channel news  "+test.want, notify.Describe(parse(t, []byte(wire))))
		})
	}
}

func TestWordsAreQuotedWhereTheyNeedIt(t *testing.T) {
	for text, want := range map[string]string{
		"user:1":                 "user:1",
		"clé:1":                  "clé:1",
		"\ufffd":                 "\ufffd",
		"":                       `""`,
		"a b":                    `"a b"`,
		"a\u3000b":               `"a\u3000b"`,
		`a"b`:                    `"a\"b"`,
		`a\x00`:                  `"a\\x00"`,
		"k\x00\xff":              `"k\x00\xff"`,
		strings.Repeat("k", 100): `"` + strings.Repeat("k", 64) + `"... (100 bytes)`,
	} {
		wire := fmt.Sprintf(">2\r\n+invalidate\r\n$%d\r\n%s\r\n", len(text), text)
		require.Equal(t, "invalidate  1 key  "+want, notify.Describe(parse(t, []byte(wire))))
	}
}

// TestLinesAreBounded makes everything on a line as long as it can be.
func TestLinesAreBounded(t *testing.T) {
	text := strings.Repeat("\x00", 300)
	element := bulk(text)
	for range 4 {
		element = "*12\n" + strings.Repeat(element, 11) + bulk("x")
	}
	ends := strings.Repeat(bulk(text, text, strings.Repeat("10000-16000,", 20)+"1"), 20)
	for _, wire := range []string{
		">3\n" + bulk(text) + element + element,
		"|1\n" + element + bulk(text) + ">2\n+UNKNOWN\n%1\n" + bulk(text) + element,
		">2\n+invalidate\n*20\n" + strings.Repeat(bulk(text), 20),
		">4\n" + bulk("pmessage", text, text) + element,
		">3\n+SMIGRATED\n:5\n*60\n" + ends,
		">4\n+MOVING\n:1\n:1\n" + bulk(text+":1"),
	} {
		line := described(t, wire)
		require.LessOrEqual(t, len(line), longest)
		require.Empty(t, oddLine(line))
	}
	require.Contains(t, described(t, ">2\n+invalidate\n*20\n"+strings.Repeat(bulk(text), 20)), `"... (300 bytes) ... 10 more`)
}

func TestSlotMoveIsSaidInWords(t *testing.T) {
	m, err := notify.ParseSlotMigration(parse(t, shape{wire: ">7\n+SMIGRATED\n:5\n" + bulk("a:1", "b:2", "1,3-4") + bulk("c 3", "7")}.bytes()))
	require.NoError(t, err)
	var lines []string
	for move := range m.Moves() {
		lines = append(lines, move.String())
	}
	require.Equal(t, []string{"a:1 to b:2 slots 1,3-4", `to "c 3" slots 7`}, lines)
}
