package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// named matches a test that a page names, as in `parser.TestName`.
var named = regexp.MustCompile("`([a-z/0-9]+)\\.(Test\\w+)`")

func TestEveryTestThatAPageNamesExists(t *testing.T) {
	for _, page := range []string{"docs/failures.md", "docs/comparison.md", "SECURITY.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		require.NoError(t, err)
		found := named.FindAllStringSubmatch(string(text), -1)
		require.NotEmpty(t, found, page)
		for _, match := range found {
			require.True(t, hasTest(t, match[1], match[2]), "%s names %s.%s", page, match[1], match[2])
		}
	}
}

func TestEveryFailureNamesItsTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "failures.md"))
	require.NoError(t, err)
	rows := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what ") {
			continue
		}
		rows++
		require.Regexp(t, named, line)
	}
	require.Equal(t, 29, rows)
}

// hasTest reports whether a package has a test.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(text), "\nfunc "+name+"(t *testing.T) {") {
			return true
		}
	}
	return false
}
