package bench_test

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pinned is the Go release that these expectations are for. Other releases may
// inline and prove different things.
const pinned = "go1.26"

// A hotFunction runs at least once for every push, reply or element. The tests
// check how the compiler compiles it.
type hotFunction struct {
	dir     string // the folder of its package
	name    string // as the compiler prints it: f, T.m or (*T).m
	checks  int    // the most bounds checks allowed, or uncounted
	inlined bool   // whether it must be inlined into its callers
}

const uncounted = -1

// hotFunctions lists all hot functions. A load at a computed offset counts as
// two checks where the compiler checks both the slice and the word.
var hotFunctions = []hotFunction{
	{"parser", "plainRun", 4, false}, // the word of a header and the end of a bulk, both also in alike
	{"parser", "plainLength", 0, false},
	{"parser", "plainHead", 2, false},         // the end of the name
	{"parser", "(*shortHead).opens", 2, true}, // the last word of the head
	{"parser", "(*shortHead).loads", uncounted, true},
	{"parser", "(*shortHead).elements", 0, false},
	{"parser", "(*Driver).NextBuffered", 5, false}, // two of opens, the name, the frame
	{"parser", "(*Driver).ID", 0, true},
	{"parser", "(*Reader).shortFrame", 1, false}, // the frame
	{"parser", "(*Driver).LonePush", 2, false},   // the frame, the byte after it
	{"parser", "(*Reader).passed", 0, false},
	{"parser", "(*Reader).fresh", 0, true},
	{"parser", "frameMeta.nameAt", 0, true},
	{"parser", "frameMeta.nameEnd", 0, true},
	{"parser", "frameMeta.typ", uncounted, true},
	{"parser", "Frame.IsPush", uncounted, true},
	{"parser", "Frame.HasNestedPushes", uncounted, true},
	{"parser", "Frame.Raw", uncounted, true},
	{"parser", "Value.Type", uncounted, true},
	{"parser", "Value.All", uncounted, true},
	{"parser", "Value.All.func1", uncounted, true},
	{"parser", "Value.Pairs", uncounted, true},
	{"parser", "Value.Pairs.func1", uncounted, true},
	{"parser", "Frame.Args", uncounted, true},
	{"parser", "Frame.Args.func1", uncounted, true},
	{"parser", "Elements.All", uncounted, true},
	{"parser", "Elements.All.func1", uncounted, true},
	{"parser", "Elements.Texts", uncounted, true},
	{"parser", "Elements.Texts.func1", uncounted, true},
	{"parser", "Elements.Len", uncounted, true},
	{"parser", "Elements.IsNull", uncounted, true},
	{"parser", "shortLength", uncounted, true},
	{"notify", "Invalidation.Keys", uncounted, true},
	{"notify", "Invalidation.FlushAll", uncounted, true},
	{"notify", "Invalidation.Len", uncounted, true},
	{"dispatch", "(*call).count", uncounted, true},
	{"dispatch", "(*counters).of", 0, false},
	{"dispatch", "(*call).publish", uncounted, true},
	{"dispatch", "borrow", uncounted, true},
	{"dispatch", "expire", uncounted, true},
	{"dispatch", "registry.(*Registry[go.shape.*uint8]).Snapshot", uncounted, true},
	{"dispatch", "registry.Snapshot[go.shape.*uint8].Lookup", uncounted, true},
}

// A remark is what the compiler prints about one line of a file.
type remark struct {
	file string // its name, without the folder
	line int
	text string
}

var remarkLine = regexp.MustCompile(`^(?:.*/)?([a-z_0-9]+\.go):(\d+):\d+: (.*)$`)

// remarks builds a package of the module with the given compiler flags and
// returns the compiler's remarks.
func remarks(t *testing.T, dir, flags string) (all []remark) {
	t.Helper()
	if !strings.HasPrefix(runtime.Version(), pinned) {
		t.Skipf("expectations are for %s, this is %s", pinned, runtime.Version())
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("expectations are for amd64")
	}
	cmd := exec.Command("go", "build", "-gcflags="+flags, "./"+dir)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		if m := remarkLine.FindStringSubmatch(lines.Text()); m != nil {
			line, err := strconv.Atoi(m[2])
			require.NoError(t, err)
			all = append(all, remark{m[1], line, m[3]})
		}
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, all)
	return all
}

// A span is the lines of a function.
type span struct {
	file        string
	first, last int
}

// spans returns the spans of a package's functions, keyed by the names that the
// compiler prints. It ignores files that build constraints exclude.
func spans(t *testing.T, dir string) map[string]span {
	t.Helper()
	pkg, err := build.ImportDir(filepath.Join("..", dir), 0)
	require.NoError(t, err)
	all := map[string]span{}
	set := token.NewFileSet()
	for _, file := range pkg.GoFiles {
		parsed, err := parser.ParseFile(set, filepath.Join(pkg.Dir, file), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				all[compilerName(f)] = span{file, set.Position(f.Pos()).Line, set.Position(f.End()).Line}
			}
		}
	}
	return all
}

// compilerName returns the name that the compiler prints for f, or "" if f is a
// method of a generic type.
func compilerName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	switch t := f.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if of, ok := t.X.(*ast.Ident); ok {
			return "(*" + of.Name + ")." + f.Name.Name
		}
	case *ast.Ident:
		return t.Name + "." + f.Name.Name
	}
	return ""
}

// TestHotFunctionsHaveFewBoundsChecks counts the bounds checks that the
// compiler could not eliminate.
func TestHotFunctionsHaveFewBoundsChecks(t *testing.T) {
	found := map[string][]remark{}
	where := map[string]map[string]span{}
	for _, f := range hotFunctions {
		if f.checks == uncounted {
			continue
		}
		if where[f.dir] == nil {
			where[f.dir] = spans(t, f.dir)
			found[f.dir] = remarks(t, f.dir, "-d=ssa/check_bce/debug=1")
		}
		t.Run(f.name, func(t *testing.T) {
			at, ok := where[f.dir][f.name]
			require.True(t, ok, "%s has no function %s", f.dir, f.name)
			var checks []remark
			for _, r := range found[f.dir] {
				if r.file == at.file && r.line >= at.first && r.line <= at.last {
					checks = append(checks, r)
				}
			}
			require.LessOrEqual(t, len(checks), f.checks, "%v", checks)
		})
	}
}

// TestHotFunctionsAreInlined checks that the compiler can inline every function
// that must be inlined.
func TestHotFunctionsAreInlined(t *testing.T) {
	can := map[string]map[string]bool{}
	for _, f := range hotFunctions {
		if !f.inlined {
			continue
		}
		if can[f.dir] == nil {
			can[f.dir] = map[string]bool{}
			for _, r := range remarks(t, f.dir, "-m") {
				if name, ok := strings.CutPrefix(r.text, "can inline "); ok {
					can[f.dir][name] = true
				}
			}
		}
		require.True(t, can[f.dir][f.name], "%s: %s is not inlined", f.dir, f.name)
	}
}
