package bench_test

import (
	"bufio"
	"bytes"
	"go/ast"
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

// pinned is the Go release that the expectations here are for: what another one inlines or proves is its own affair.
const pinned = "go1.26"

// A remark is what the compiler said about a line of a file.
type remark struct {
	file string // its name, without the folder
	line int
	text string
}

var remarkLine = regexp.MustCompile(`^(?:.*/)?([a-z_0-9]+\.go):(\d+):\d+: (.*)$`)

// remarks builds a package of the module with flags for the compiler, and returns what that says.
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

// span returns the lines of a function, by its name, in a file of the module.
func span(t *testing.T, file, name string) (first, last int) {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, filepath.Join("..", file), nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == name {
			return set.Position(f.Pos()).Line, set.Position(f.End()).Line
		}
	}
	t.Fatalf("%s has no function %s", file, name)
	return 0, 0
}

// TestFastPathBoundsChecks holds the fast path to the bounds checks that it cannot do without. A load at a computed place
// counts as two where the compiler checks the slice and the word.
func TestFastPathBoundsChecks(t *testing.T) {
	all := remarks(t, "parser", "-d=ssa/check_bce/debug=1")
	for _, want := range []struct {
		file, function string
		checks         int
	}{
		{"fast.go", "plainRun", 4}, // the word of a header, the end of a bulk; both in alike
		{"fast.go", "plainLength", 0},
		{"fast.go", "plainHead", 2}, // the end of the name
		{"fast.go", "opens", 2},     // the last word of the head
		{"fast.go", "elements", 0},
		{"push.go", "shortPushes", 5}, // those of opens, a name, a frame, what is behind it
		{"push.go", "passed", 0},
	} {
		t.Run(want.function, func(t *testing.T) {
			first, last := span(t, "parser/"+want.file, want.function)
			var found []remark
			for _, r := range all {
				if r.file == want.file && r.line >= first && r.line <= last {
					found = append(found, r)
				}
			}
			require.LessOrEqual(t, len(found), want.checks, "%v", found)
		})
	}
}

// TestFastPathInlines holds what is called once a push, or more often, to being inlined.
func TestFastPathInlines(t *testing.T) {
	for dir, functions := range map[string][]string{
		"parser": {"(*shortHead).opens", "(*shortHead).loads", "(*Reader).advance", "(*Reader).fresh", "frameMeta.nameAt",
			"frameMeta.nameEnd", "frameMeta.typ", "Frame.IsPush", "Frame.HasNestedPushes", "Frame.Raw", "Value.Type",
			"Value.All", "Value.All.func1", "Value.Pairs", "Value.Pairs.func1", "Frame.Args", "Frame.Args.func1", "Elements.All",
			"Elements.All.func1", "Elements.Texts", "Elements.Texts.func1", "Elements.Len", "Elements.IsNull", "shortLength"},
		"notify": {"Invalidation.Keys", "Invalidation.FlushAll", "Invalidation.Len"},
		"dispatch": {"(*call).count", "(*call).publish", "(*Processor).find", "borrow", "expire",
			"registry.(*Registry[go.shape.*uint8]).Snapshot", "registry.Snapshot[go.shape.*uint8].Lookup"},
	} {
		can := map[string]bool{}
		for _, r := range remarks(t, dir, "-m") {
			if name, ok := strings.CutPrefix(r.text, "can inline "); ok {
				can[name] = true
			}
		}
		for _, f := range functions {
			require.True(t, can[f], "%s: %s is not inlined", dir, f)
		}
	}
}
