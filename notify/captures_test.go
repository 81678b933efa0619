package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// The test parses every push of the captures, including nested ones, as a push of the family of its name.
func TestCapturesAreReadAsTheirNamesSay(t *testing.T) {
	seen := map[notify.Family]int{}
	unknown := map[string]int{}
	total := 0
	for _, c := range captures.All(t) {
		pushes := 0
		take := func(f parser.Frame) {
			pushes++
			family := notify.FamilyOf(f.Name())
			if family == notify.FamilyUnknown {
				unknown[string(f.Name())]++
				return
			}
			v, err := views[family](f)
			require.NoError(t, err, "%s: %.200q", c.File, f.Raw())
			if seen[family]++; seen[family] > 2000 || testing.Short() && seen[family] > 200 {
				return // the others are alike, and slow to check
			}
			_, d := disagreement(f.Raw())
			require.Empty(t, d, "%s: %.200q", c.File, f.Raw())
			require.Equal(t, v.String(), notify.Describe(f))
		}
		for rest := c.Bytes; len(rest) > 0; {
			f, n, err := parser.Parse(rest)
			if err == parser.ErrIncomplete {
				break
			}
			require.NoError(t, err, c.File)
			rest = rest[n:]
			if f.IsPush() {
				take(f)
			}
			for nested := range f.NestedPushes() {
				take(nested)
			}
		}
		require.Equal(t, c.Pushes+c.Nested, pushes, c.File)
		total += pushes
	}
	require.Equal(t, map[string]int{"UNKNOWN": 1, "simple-name": 1}, unknown)
	require.Greater(t, total, 40_000)
	for family := range views {
		require.NotZero(t, seen[family], family)
	}
}
