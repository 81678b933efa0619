package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// folder matches a folder in the first column of a table, as in `parser/`.
var folder = regexp.MustCompile("`([^`]+)/`")

// within gives the folders that a paragraph of ARCHITECTURE.md says the table
// under it is about.
var within = map[string]string{"## Folders": "", "`cmd/respush/internal/`": "cmd/respush/internal", "`internal/test/`": "internal/test"}

func TestEveryFolderHasALineInTheArchitecture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	require.NoError(t, err)
	listed, base := map[string]bool{}, ""
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) > 2 {
			for _, match := range folder.FindAllStringSubmatch(cells[1], -1) {
				listed[filepath.Join(base, match[1])] = true
			}
			continue
		}
		for mark, dir := range within {
			if strings.Contains(line, mark) {
				base = dir
			}
		}
	}
	for dir := range listed {
		require.DirExists(t, filepath.Join(root, dir))
	}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if entry.Name() == "testdata" || entry.Name() == ".git" {
			return filepath.SkipDir
		}
		sources, err := filepath.Glob(filepath.Join(path, "*.go"))
		dir, _ := filepath.Rel(root, path)
		program := filepath.Dir(dir) == "examples" // the README lists them
		if len(sources) > 0 && !program {
			require.True(t, listed[dir], "ARCHITECTURE.md has no line for %s", dir)
		}
		return err
	}))
}

func TestTheREADMEListsEveryProgram(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	programs, err := filepath.Glob(filepath.Join(root, "examples", "*", "main.go"))
	require.NoError(t, err)
	require.NotEmpty(t, programs)
	for _, program := range programs {
		require.Contains(t, string(text), "| `go run ./examples/"+filepath.Base(filepath.Dir(program)))
	}
}
