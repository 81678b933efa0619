// Package api compares what the public packages export with a committed
// listing, so that every change of the API shows up in review. It also checks
// that every exported name has a doc comment.
package api

import (
	"bytes"
	"flag"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the listings instead of comparing with them")

// root is the top of the repository.
const root = "../../.."

// packages returns the top-level folders that hold a package for users.
func packages(t *testing.T) (names []string) {
	t.Helper()
	dirs, err := os.ReadDir(root)
	require.NoError(t, err)
	for _, dir := range dirs {
		if !dir.IsDir() || dir.Name() == "e2e" || dir.Name() == "testdata" {
			continue // e2e has only tests
		}
		pkg, err := build.ImportDir(filepath.Join(root, dir.Name()), 0)
		if err == nil && len(pkg.GoFiles) > 0 && !pkg.IsCommand() {
			names = append(names, dir.Name())
		}
	}
	require.Subset(t, names, []string{"parser", "registry", "dispatch", "notify", "tap", "goredis"})
	return names
}

// load parses a package as it is built without build tags.
func load(t *testing.T, name string) (*token.FileSet, *doc.Package) {
	t.Helper()
	dir := filepath.Join(root, name)
	pkg, err := build.ImportDir(dir, 0)
	require.NoError(t, err)
	fset := token.NewFileSet()
	var files []*ast.File
	for _, file := range pkg.GoFiles {
		parsed, err := parser.ParseFile(fset, filepath.Join(dir, file), nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, parsed)
	}
	docs, err := doc.NewFromFiles(fset, files, "github.com/seed79615202/respush/"+name)
	require.NoError(t, err)
	return fset, docs
}

func TestExportedNamesAreThoseOfTheListing(t *testing.T) {
	for _, name := range packages(t) {
		fset, pkg := load(t, name)
		var got strings.Builder
		for _, d := range declarations(pkg) {
			got.WriteString(signature(t, fset, d.node))
		}
		file := filepath.Join("testdata", name+".txt")
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(got.String()), 0o644))
			continue
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err, "package %s has no listing; run make api to write it", name)
		require.Equal(t, string(want), got.String(), "the API of package %s has changed; run make api to update its listing", name)
	}
}

// A declaration is a constant, variable, function, type or method, with its doc
// comment.
type declaration struct {
	names []string
	text  string
	node  ast.Decl
}

func declarations(pkg *doc.Package) (all []declaration) {
	values := func(vs []*doc.Value) {
		for _, v := range vs {
			all = append(all, declaration{v.Names, v.Doc, v.Decl})
		}
	}
	functions := func(fs []*doc.Func) {
		for _, f := range fs {
			all = append(all, declaration{[]string{f.Name}, f.Doc, f.Decl})
		}
	}
	values(pkg.Consts)
	values(pkg.Vars)
	functions(pkg.Funcs)
	for _, typ := range pkg.Types {
		all = append(all, declaration{[]string{typ.Name}, typ.Doc, typ.Decl})
		values(typ.Consts)
		values(typ.Vars)
		functions(typ.Funcs)
		functions(typ.Methods)
	}
	return all
}

// blanks matches the alignment of a declaration.
var blanks = regexp.MustCompile(`[ \t]+`)

// signature returns a declaration without comments, bodies and alignment.
func signature(t *testing.T, fset *token.FileSet, decl ast.Decl) string {
	t.Helper()
	if f, ok := decl.(*ast.FuncDecl); ok {
		f.Body = nil
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			n.Doc = nil
		case *ast.GenDecl:
			n.Doc = nil
		case *ast.TypeSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.ValueSpec:
			n.Doc, n.Comment = nil, nil
		case *ast.Field:
			n.Doc, n.Comment = nil, nil
		}
		return true
	})
	var b bytes.Buffer
	require.NoError(t, (&printer.Config{Mode: printer.UseSpaces, Tabwidth: 1}).Fprint(&b, fset, decl))
	var lines strings.Builder
	for line := range strings.Lines(b.String()) {
		if line = blanks.ReplaceAllString(strings.TrimRight(line, " \n"), " "); strings.TrimSpace(line) != "" {
			lines.WriteString(line + "\n")
		}
	}
	return lines.String()
}

func TestEveryExportedNameHasADocComment(t *testing.T) {
	for _, name := range packages(t) {
		_, pkg := load(t, name)
		require.True(t, strings.HasPrefix(pkg.Doc, "Package "+name+" "), "package %s has no comment", name)
		for _, d := range declarations(pkg) {
			switch node := d.node.(type) {
			case *ast.FuncDecl:
				begins(t, name, d.text, d.names[0])
			case *ast.GenDecl:
				for _, spec := range node.Specs {
					assertComment(t, name, d, node, spec)
				}
			}
		}
	}
}

// assertComment checks the comments of a type with its exported fields and
// methods, or of constants or variables. The comment of a group counts for each
// of its members. The comment of a type counts for the fields and methods that
// it mentions.
func assertComment(t *testing.T, pkg string, d declaration, group *ast.GenDecl, spec ast.Spec) {
	t.Helper()
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		if len(group.Specs) == 1 {
			begins(t, pkg, d.text, spec.Names[0].Name)
			return
		}
		assert.NotEmpty(t, d.text+spec.Doc.Text()+spec.Comment.Text(), "%s: no comment on %s", pkg, spec.Names[0])
	case *ast.TypeSpec:
		begins(t, pkg, d.text, spec.Name.Name)
		fields := new(ast.FieldList)
		switch typ := spec.Type.(type) {
		case *ast.StructType:
			fields = typ.Fields
		case *ast.InterfaceType:
			fields = typ.Methods
		}
		if len(fields.List) < 2 {
			return // the comment on the type covers its only field or method
		}
		for _, field := range fields.List {
			for _, name := range field.Names {
				if name.IsExported() && !regexp.MustCompile(`\b`+name.Name+`\b`).MatchString(d.text) {
					assert.NotEmpty(t, field.Doc.Text()+field.Comment.Text(), "%s: no comment on %s.%s", pkg, spec.Name, name)
				}
			}
		}
	}
}

// begins checks that a comment begins with the name that it documents.
func begins(t *testing.T, pkg, text, name string) {
	t.Helper()
	assert.Regexp(t, `^((A|An|The) )?`+regexp.QuoteMeta(name)+`\b`, text, "%s: the comment on %s", pkg, name)
}
