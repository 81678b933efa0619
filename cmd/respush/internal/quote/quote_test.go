package quote_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
)

func TestTextIsQuotedAndCut(t *testing.T) {
	x64 := strings.Repeat("x", 64)
	x63 := strings.Repeat("x", 63)
	for _, test := range []struct{ name, in, want string }{
		{"empty", "", `""`},
		{"plain", "hello world", `"hello world"`},
		{"binary", "\x00\xff\r\n", `"\x00\xff\r\n"`},
		{"escape sequence", "\x1b[31m", `"\x1b[31m"`},
		{"unicode", "héllo", `"héllo"`},
		{"text direction", "a\u202eb", `"a\u202eb"`},
		{"at the limit", x64, `"` + x64 + `"`},
		{"over the limit", x64 + "y", `"` + x64 + `"... (65 bytes)`},
		{"5 MiB", strings.Repeat("x", 5<<20), `"` + x64 + `"... (5242880 bytes)`},
		{"cut before a character", x63 + "é", `"` + x63 + `"... (65 bytes)`},
		{"cut after a character", strings.Repeat("é", 32) + "é", `"` + strings.Repeat("é", 32) + `"... (66 bytes)`},
		{"cut amid stray bytes", strings.Repeat("\x80", 66), `"` + strings.Repeat(`\x80`, 64) + `"... (66 bytes)`},
		{"cut amid a torn character", x63 + "\xc3z", `"` + x63 + `\xc3"... (65 bytes)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, quote.Text([]byte(test.in)))
		})
	}
}

func TestWordIsBareWhereItReadsAsOne(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "user:1", "user:1"},
		{"unicode", "clé:1", "clé:1"},
		{"empty", "", `""`},
		{"space", "a b", `"a b"`},
		{"wide space", "a\u3000b", `"a\u3000b"`},
		{"quote", `a"b`, `"a\"b"`},
		{"backslash", `a\x00`, `"a\\x00"`},
		{"binary", "k\x00\xff", `"k\x00\xff"`},
		{"long", strings.Repeat("k", 100), `"` + strings.Repeat("k", 64) + `"... (100 bytes)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.want, quote.Word([]byte(test.in)))
		})
	}
}

func TestNameHasNoSpace(t *testing.T) {
	require.Equal(t, "MOVING", quote.Name([]byte("MOVING")))
	require.Equal(t, `"my\x20\x20push"`, quote.Name([]byte("my  push")))
}

func TestLineIsWholeAndPrintable(t *testing.T) {
	require.Equal(t, "WRONGPASS invalid \"pair\"", quote.Line("WRONGPASS invalid \"pair\""))
	require.Equal(t, `a\x1b[2Jb\nc\xff`, quote.Line("a\x1b[2Jb\nc\xff"))
	require.Empty(t, quote.Line(""))
}
