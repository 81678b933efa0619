// Package docs holds the code that the documentation shows. A test compares the
// documentation with the code, so that every snippet compiles and, if possible,
// runs.
package docs

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the top of the repository.
const root = "../.."

// packages are the public packages, whose doc comments have snippets.
var packages = []string{"parser", "registry", "dispatch", "notify", "tap", "goredis", "feed"}

// table is the beginning of the only indented block that is not code. It lists
// the types that Value.Any returns.
const table = "simple, bulk, verbatim string "

func TestEverySnippetIsCodeThatCompiles(t *testing.T) {
	sources := compiled(t)
	pages, err := filepath.Glob(filepath.Join(root, "*.md"))
	require.NoError(t, err)
	guides, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	count := 0
	for _, page := range append(pages, guides...) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, snippet := range fenced(string(text)) {
			assertShown(t, sources, page, snippet)
			count++
		}
	}
	for _, dir := range packages {
		for _, snippet := range commented(t, filepath.Join(root, dir)) {
			assertShown(t, sources, dir, snippet)
			count++
		}
	}
	require.Greater(t, count, 10)
}

// assertShown fails the test unless a source contains every part of snippet,
// in order. Lines of "..." separate the parts.
func assertShown(t *testing.T, sources map[string]string, where, snippet string) {
	t.Helper()
	parts := strings.Split("\n"+unindented(snippet), "\n...\n")
	for _, source := range sources {
		if contains(source, parts) {
			return
		}
	}
	assert.Fail(t, "no Example, test or program contains a snippet", "%s:\n%s", where, snippet)
}

func contains(source string, parts []string) bool {
	for _, part := range parts {
		_, rest, ok := strings.Cut(source, "\n"+strings.Trim(part, "\n")+"\n")
		if !ok {
			return false
		}
		source = "\n" + rest
	}
	return true
}

// compiled returns the text of every test and example in the repository,
// without indentation.
func compiled(t *testing.T) map[string]string {
	t.Helper()
	sources := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		example := strings.HasPrefix(path, filepath.Join(root, "examples")) && strings.HasSuffix(path, ".go")
		if err != nil || !example && !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		sources[path] = "\n" + unindented(string(text)) + "\n"
		return err
	}))
	return sources
}

func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}

// fenced returns the Go code of a Markdown page.
func fenced(page string) (snippets []string) {
	for {
		_, rest, ok := strings.Cut(page, "```go\n")
		if !ok {
			return snippets
		}
		snippet, rest, _ := strings.Cut(rest, "```\n")
		snippets, page = append(snippets, snippet), rest
	}
}

// commented returns the code blocks in the doc comments of a package and of
// what it exports.
func commented(t *testing.T, dir string) (snippets []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, "github.com/seed79615202/respush/"+filepath.Base(dir))
	require.NoError(t, err)
	texts := []string{pkg.Doc}
	for _, f := range pkg.Funcs {
		texts = append(texts, f.Doc)
	}
	for _, typ := range pkg.Types {
		texts = append(texts, typ.Doc)
		for _, f := range append(typ.Funcs, typ.Methods...) {
			texts = append(texts, f.Doc)
		}
	}
	for _, text := range texts {
		for _, block := range new(comment.Parser).Parse(text).Content {
			if code, ok := block.(*comment.Code); ok && !strings.HasPrefix(code.Text, table) {
				snippets = append(snippets, code.Text)
			}
		}
	}
	return snippets
}
