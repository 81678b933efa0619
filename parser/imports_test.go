package parser_test

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/seed79615202/respush"

// sources gives the Go files of a directory of this repository that are no tests, whatever their build tags.
func sources(t *testing.T, dir string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	require.NoError(t, err)
	files := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := goparser.ParseFile(token.NewFileSet(), name, nil, goparser.SkipObjectResolution)
		require.NoError(t, err)
		files[filepath.ToSlash(strings.TrimPrefix(name, ".."+string(filepath.Separator)))] = f
	}
	return files
}

// imports gives what a file imports.
func imports(f *ast.File) (paths []string) {
	for _, s := range f.Imports {
		path, _ := strconv.Unquote(s.Path.Value)
		paths = append(paths, path)
	}
	return paths
}

// standard says whether a path is one of the standard library.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func TestParserImportsNoFmtAndNoReflect(t *testing.T) {
	files := sources(t, "parser")
	require.NotEmpty(t, files)
	for name, f := range files {
		for _, path := range imports(f) {
			switch path {
			case "fmt", "reflect", "log", "log/slog":
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

func TestParserStartsNoGoroutineAndPrintsNothing(t *testing.T) {
	for name, f := range sources(t, "parser") {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", name)
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "print" || id.Name == "println" || id.Name == "recover") {
					t.Errorf("%s calls %s", name, id.Name)
				}
			}
			return true
		})
	}
}

// oneWay says what each package may import that is not in the standard library. What of this module is not listed may be
// imported by none of them.
var oneWay = map[string][]string{
	"registry":            {},
	"internal/unsafeconv": {},
	"internal/bufpool":    {"github.com/valyala/bytebufferpool"},
	"internal/command":    {},
	"internal/livevar":    {},
	"parser":              {module + "/internal/bufpool", module + "/internal/unsafeconv", "github.com/valyala/bytebufferpool"},
	"dispatch":            {module + "/parser", module + "/registry", module + "/internal/bufpool", module + "/internal/livevar", "github.com/valyala/bytebufferpool"},
	"notify":              {module + "/parser"},
	"tap":                 {module + "/dispatch", module + "/parser", module + "/internal/bufpool", "github.com/valyala/bytebufferpool"},
	"feed":                {module + "/dispatch", module + "/internal/command", module + "/internal/livevar", module + "/notify", module + "/parser"},
	"goredis": {
		module + "/dispatch", module + "/feed", module + "/parser",
		"github.com/redis/go-redis/v9", "github.com/redis/go-redis/v9/auth", "github.com/redis/go-redis/v9/push",
	},
}

func TestImportsPointOneWay(t *testing.T) {
	for dir, allowed := range oneWay {
		for name, f := range sources(t, dir) {
			for _, path := range imports(f) {
				if !standard(path) {
					require.Contains(t, allowed, path, name)
				}
			}
		}
	}
}
