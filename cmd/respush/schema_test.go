package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/internal/test/redistest"
)

// docs are the pages about the lines.
const docs = "../../docs/jsonlines"

// A schema is that of all lines, and of each kind of them.
type schema struct {
	line  *jsonschema.Schema
	kinds map[string]*jsonschema.Schema
}

func compile(t *testing.T) schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.AssertContent()
	s := schema{line: compiler.MustCompile(docs + ".schema.json"), kinds: map[string]*jsonschema.Schema{}}
	for _, kind := range []string{"push", "gap", "armed", "capturedPush", "capturedReply", "oversize", "totals"} {
		s.kinds[kind] = compiler.MustCompile(docs + ".schema.json#/$defs/" + kind)
	}
	return s
}

// kindsOf returns which kinds the lines are of; each must be of one.
func (s schema) kindsOf(t *testing.T, lines []string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for _, line := range lines {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		require.NoError(t, err, line)
		require.NoError(t, s.line.Validate(v), line)
		for kind, of := range s.kinds {
			if of.Validate(v) == nil {
				found[kind]++
			}
		}
	}
	return found
}

func TestJSONLinesOfDecodeAreAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	s := compile(t)
	for _, test := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"capturedPush", "capturedReply"}},
		{[]string{"--pushes"}, []string{"capturedPush"}},
		{[]string{"--summary"}, []string{"totals"}},
		{[]string{"--max-frame", "30"}, []string{"capturedPush", "capturedReply", "oversize"}},
	} {
		args := append([]string{"--json"}, test.args...)
		for _, c := range captures.All(t) {
			if !c.Heavy() {
				args = append(args, captureDir+c.File)
			}
		}
		status, stdout, stderr := decodeOf(t, nil, args...)
		require.Zero(t, status, stderr)
		found := s.kindsOf(t, strings.Split(strings.TrimSpace(stdout), "\n"))
		require.Len(t, found, len(test.want), found)
		for _, kind := range test.want {
			require.Positive(t, found[kind], kind)
		}
	}

	// What the captures may not have.
	status, stdout, _ := decodeOf(t, strings.NewReader("|1\r\n+a\r\n,inf\r\n>2\r\n$2\r\n\xff\xfe\r\n(123456789012345678901\r\n"+
		"|1\r\n%1\r\n:1\r\n-e\r\n#t\r\n!1\r\ne\r\n=5\r\ntxt:x\r\n~2\r\n,nan\r\n,-1e30\r\n>1\r\n:1\r\n>0\r\n"+strings.Repeat("*1\r\n", 200)+":1\r\n"), "--json", "-")
	require.Zero(t, status)
	require.Equal(t, map[string]int{"capturedPush": 3, "capturedReply": 3, "oversize": 1},
		s.kindsOf(t, strings.Split(strings.TrimSpace(stdout), "\n")))
}

func TestJSONLinesOfTailAndProxyAreAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	s := compile(t)
	p := start(t, "tail", "--json", "--count", "20")
	require.Zero(t, p.exit(), p.stderr.String())
	require.Equal(t, map[string]int{"push": 20}, s.kindsOf(t, p.stdout.lines()))

	p, address := startProxy(t, redistest.Start(t).Addr, "--json", "--utc")
	client := connect(t, address)
	client.Do("HELLO", "3")
	client.Send([]string{"SUBSCRIBE", "news"})
	p.stdout.wait(t, "\n")
	require.Equal(t, map[string]int{"push": 1}, s.kindsOf(t, p.stdout.lines()))
}

// The page has no line that respush would not print, and no field is missing
// from it.
func TestDocumentedJSONLinesAreAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	s := compile(t)
	page, err := os.ReadFile(docs + ".md")
	require.NoError(t, err)
	var lines []string
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)\n```").FindAllStringSubmatch(string(page), -1) {
		lines = append(lines, strings.Split(block[1], "\n")...)
	}
	require.Len(t, s.kindsOf(t, lines), len(s.kinds), "some of each kind")
	for kind, of := range s.kinds {
		for field := range of.Properties {
			require.Regexp(t, `(?m)^\|.*`+"`"+field+"`", string(page), "%s of %s", field, kind)
		}
	}
}

func TestSchemaRefusesOtherLines(t *testing.T) {
	t.Parallel()
	s := compile(t)
	for _, line := range []string{
		`{}`, `[]`, `null`, `{"name":"x","bytes":1,"args":[]}`, `{"time":"yesterday","name":"x","bytes":1,"args":[]}`,
		`{"time":"2026-05-04T08:20:30Z","name":1,"bytes":1,"args":[]}`, `{"time":"2026-05-04T08:20:30Z","name":"x","bytes":-1,"args":[]}`,
		`{"time":"2026-05-04T08:20:30Z","name":"x","bytes":1,"args":[{"x":1}]}`, `{"time":"2026-05-04T08:20:30Z","name":"x","bytes":1,"args":[],"more":1}`,
		`{"time":"2026-05-04T08:20:30Z","client":"a:1","node":"a:1","name":"x","bytes":1,"args":[]}`,
		`{"time":"2026-05-04T08:20:30Z","event":"gap","node":"a:1","since":"2026-05-04T08:20:30Z","cause":"x"}`,
		`{"time":"2026-05-04T08:20:30Z","event":"armed","slots":[[0,16384]],"since":"2026-05-04T08:20:30Z","seconds":1}`,
		`{"file":"x","offset":0,"bytes":1,"type":"push","value":1}`, `{"file":"x","offset":0,"bytes":1,"type":"array","args":[],"name":"x"}`,
		`{"file":"x","offset":0,"bytes":1,"type":"something","value":1}`, `{"file":"x","offset":0,"bytes":1,"type":"map","value":{"map":[[1]]}}`,
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		require.NoError(t, err)
		require.Error(t, s.line.Validate(v), line)
	}
}
