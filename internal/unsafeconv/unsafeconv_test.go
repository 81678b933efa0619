package unsafeconv_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/unsafeconv"
)

func TestString(t *testing.T) {
	for _, text := range []string{"", "a", "text", strings.Repeat("long", 1000)} {
		require.Equal(t, text, unsafeconv.String([]byte(text)))
	}
	require.Empty(t, unsafeconv.String(nil))
}

func TestAnyIsAString(t *testing.T) {
	for _, text := range []string{"", "a", "text"} {
		a := unsafeconv.Any(&text)
		require.Equal(t, any(text), a)
		require.IsType(t, "", a)
		require.Equal(t, 7, map[any]int{text: 7}[a], "as the key of a map")
	}
}

func TestConversionsKeepTheirMemory(t *testing.T) {
	var kept []any
	for i := range 1000 {
		row := make([]string, 2)
		row[1] = unsafeconv.String([]byte(strings.Repeat("x", i)))
		kept = append(kept, unsafeconv.Any(&row[1]))
	}
	runtime.GC()
	_ = make([]byte, 1<<20)
	runtime.GC()
	for i, a := range kept {
		require.Equal(t, strings.Repeat("x", i), a)
	}
}

func TestCopiesTellsWhetherMemoryIsShared(t *testing.T) {
	b := []byte("shared")
	s := unsafeconv.String(b)
	b[0] = 'S'
	require.Equal(t, unsafeconv.Copies, s == "shared")
}
