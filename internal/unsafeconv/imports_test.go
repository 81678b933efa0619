package unsafeconv_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingElseImportsUnsafe reads the imports of every Go file of the
// repository, of all its modules.
func TestNothingElseImportsUnsafe(t *testing.T) {
	root := filepath.Join("..", "..")
	var found []string
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imported := range f.Imports {
			if imported.Path.Value == `"unsafe"` {
				found = append(found, path)
			}
		}
		return nil
	}))
	require.Equal(t, []string{filepath.Join(root, "internal", "unsafeconv", "unsafeconv.go")}, found)
}
