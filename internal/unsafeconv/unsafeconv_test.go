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

func TestStringKeepsItsMemory(t *testing.T) {
	var kept []string
	for i := range 1000 {
		kept = append(kept, unsafeconv.String([]byte(strings.Repeat("x", i))))
	}
	runtime.GC()
	_ = make([]byte, 1<<20)
	runtime.GC()
	for i, text := range kept {
		require.Equal(t, strings.Repeat("x", i), text)
	}
}

func TestCopiesTellsWhetherMemoryIsShared(t *testing.T) {
	b := []byte("shared")
	s := unsafeconv.String(b)
	b[0] = 'S'
	require.Equal(t, unsafeconv.Copies, s == "shared")
}
