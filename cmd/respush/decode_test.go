package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/parser"
)

// captureDir is where the captures are as files.
const captureDir = "../../testdata/captures/"

// decodeOf runs respush decode with args and stdin and returns its exit status.
func decodeOf(t *testing.T, stdin io.Reader, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	out := newPrinted()
	p := prepare(t, out, append([]string{"decode"}, args...)...)
	p.cmd.Stdin = stdin
	p.run()
	status = p.exit()
	return status, out.String(), p.stderr.String()
}

// A fileSummary is a line of decode --summary --json.
type fileSummary struct {
	File         string
	Bytes        int
	Frames       int
	Pushes       int
	NestedPushes int `json:"nested_pushes"`
	Replies      int
	Attributes   int
	Oversize     int
	TailBytes    int `json:"tail_bytes"`
	Names        []struct {
		Name   string
		Pushes int
		Bytes  int
	}
}

// The test holds the totals to what another parser counted.
func TestDecodeCountsWhatTheIndexDoes(t *testing.T) {
	t.Parallel()
	all := captures.All(t)
	args := []string{"--summary", "--json"}
	for _, c := range all {
		args = append(args, captureDir+c.File)
	}
	status, stdout, stderr := decodeOf(t, nil, args...)
	require.Zero(t, status)
	require.Empty(t, stderr)
	lines := decodeLines[fileSummary](t, stdout)
	require.Len(t, lines, len(all))
	for i, c := range all {
		got := lines[i]
		require.Equal(t, captureDir+c.File, got.File)
		require.Equal(t, len(c.Bytes), got.Bytes+got.TailBytes, c.File)
		require.Equal(t, c.Counts, captures.Counts{
			Pushes: got.Pushes, Nested: got.NestedPushes, Replies: got.Replies, Attributes: got.Attributes, Tail: got.TailBytes,
		}, c.File)
		require.Equal(t, c.Pushes+c.Replies, got.Frames, c.File)
		require.Zero(t, got.Oversize, c.File)
		sum, want, names := 0, map[string]int{}, map[string]int{}
		for _, name := range c.Names {
			want[name]++
		}
		for _, n := range got.Names {
			sum += n.Pushes
			names[n.Name] = n.Pushes
		}
		require.Equal(t, c.Pushes+c.Nested, sum, c.File)
		if !c.Truncated {
			require.Equal(t, want, names, c.File)
		}
	}
}

// decodeLines decodes lines of JSON.
func decodeLines[T any](t *testing.T, text string) (lines []T) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	for {
		var line T
		err := decoder.Decode(&line)
		if err == io.EOF {
			return lines
		}
		require.NoError(t, err)
		lines = append(lines, line)
	}
}

// A frameLine is a line of decode --json.
type frameLine struct {
	File       string
	Offset     int
	Inside     *int
	Bytes      int
	Type       string
	Name       any
	Args       []any
	Value      any
	Attributes []any
}

// The test finds every byte of every capture in a line, and in
// the line what the bytes say.
func TestDecodeJSONHasEveryByteOfTheStream(t *testing.T) {
	t.Parallel()
	all := captures.All(t)
	args := []string{"--json"}
	for _, c := range all {
		args = append(args, captureDir+c.File)
	}
	status, stdout, stderr := decodeOf(t, nil, args...)
	require.Zero(t, status)
	require.Empty(t, stderr)
	lines := decodeLines[frameLine](t, stdout)
	for _, c := range all {
		offset := 0
		for len(lines) > 0 && lines[0].File == captureDir+c.File {
			line := lines[0]
			lines = lines[1:]
			frame, n, err := parser.Parse(c.Bytes[line.Offset:])
			require.NoError(t, err, c.File)
			require.Equal(t, n, line.Bytes, c.File)
			require.Equal(t, frame.Type().String(), line.Type, c.File)
			if line.Inside == nil {
				require.Equal(t, offset, line.Offset, c.File)
				offset += n
			}
			requireSame(t, line, frame)
		}
		require.Len(t, c.Bytes, offset, c.File)
	}
	require.Empty(t, lines)
}

func requireSame(t *testing.T, line frameLine, frame parser.Frame) {
	t.Helper()
	if !frame.IsPush() {
		require.Equal(t, asJSON(frame.Value()), line.Value)
		return
	}
	args := []any{}
	for arg := range frame.Args() {
		args = append(args, asJSON(arg))
	}
	require.Equal(t, string(frame.Name()), line.Name)
	require.Equal(t, args, line.Args)
}

// asJSON returns v the way lines have it. The captures are all text.
func asJSON(v parser.Value) any {
	switch v.Type() {
	case parser.TypeNull:
		return nil
	case parser.TypeBoolean:
		return v.String() == "t"
	case parser.TypeInteger, parser.TypeBigNumber:
		return json.Number(v.String())
	case parser.TypeDouble:
		if v.String() == "inf" {
			return "inf"
		}
		f, _ := v.Float64()
		return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
	case parser.TypeSimpleError, parser.TypeBulkError:
		return map[string]any{"error": v.String()}
	case parser.TypeMap:
		pairs := []any{}
		for key, val := range v.Pairs() {
			pairs = append(pairs, []any{asJSON(key), asJSON(val)})
		}
		return map[string]any{"map": pairs}
	case parser.TypeArray, parser.TypeSet:
		values := []any{}
		for child := range v.All() {
			values = append(values, asJSON(child))
		}
		return values
	default:
		return v.String()
	}
}

// pushToSelf is a capture that has everything a listing tells.
const pushToSelf = "redis-7.0.15/publish-to-self-in-multi.resp"

const pushToSelfListed = "" +
	"         0        33  push             subscribe  channel self  1 subscribed\n" +
	"        33         5  simple string    OK\n" +
	"        38         9  simple string    QUEUED\n" +
	"        47         9  simple string    QUEUED\n" +
	"        56         9  simple string    QUEUED\n" +
	"        65        55  array            [OK 1 v]\n" +
	"        74        35  nested push      message  channel self  \"m1\"\n" +
	"       120         7  simple string    PONG\n"

// The test reads the same stream in every way there is.
func TestDecodeReadsTheSameFromEveryInput(t *testing.T) {
	t.Parallel()
	path := captureDir + pushToSelf
	plain, err := os.ReadFile(path)
	require.NoError(t, err)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	for _, half := range [][]byte{plain[:50], plain[50:]} { // as cat a.gz b.gz gives it
		_, err = z.Write(half)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		z.Reset(&zipped)
	}
	misnamed := filepath.Join(t.TempDir(), "zipped.resp")
	require.NoError(t, os.WriteFile(misnamed, zipped.Bytes(), 0o600))
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	for _, test := range []struct {
		name  string
		stdin io.Reader
		args  []string
	}{
		{"file", nil, []string{path}},
		{"zipped file", nil, []string{misnamed}},
		{"pipe", bytes.NewReader(plain), nil},
		{"pipe named -", bytes.NewReader(plain), []string{"-"}},
		{"zipped pipe", bytes.NewReader(zipped.Bytes()), []string{"-"}},
		{"redirected file", file, nil},
	} {
		status, stdout, stderr := decodeOf(t, test.stdin, test.args...)
		require.Zero(t, status, test.name)
		require.Empty(t, stderr, test.name)
		require.Equal(t, pushToSelfListed, stdout, test.name)
	}

	status, stdout, stderr := decodeOf(t, bytes.NewReader(plain), path, "-")
	require.Zero(t, status)
	require.Empty(t, stderr)
	require.Equal(t, "==> "+path+" <==\n"+pushToSelfListed+"\n==> - <==\n"+pushToSelfListed, stdout)
}

// The test cuts a stream everywhere, and spoils it everywhere.
func TestDecodeTellsWhereAStreamIsCutOrCorrupt(t *testing.T) {
	t.Parallel()
	plain, err := os.ReadFile(captureDir + pushToSelf)
	require.NoError(t, err)
	dir := t.TempDir()
	args := []string{"--json"}
	for n := range plain {
		cut := filepath.Join(dir, "cut"+strings.Repeat("x", n))
		require.NoError(t, os.WriteFile(cut, plain[:n], 0o600))
		args = append(args, cut)
	}
	status, stdout, stderr := decodeOf(t, nil, args...)
	require.Equal(t, exitError, status)
	ends := map[string]int{} // by file: where its last frame ends
	for _, line := range decodeLines[frameLine](t, stdout) {
		if line.Inside == nil {
			require.Equal(t, ends[line.File], line.Offset)
			ends[line.File] += line.Bytes
		}
	}
	told := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	boundaries := 0
	for n, cut := range args[1:] {
		if ends[cut] == n {
			boundaries++
			continue
		}
		require.Less(t, ends[cut], n)
		require.Regexp(t, `^respush: .*/cutx*: cut short at offset \d+: the last \d+ bytes do not make a whole frame \(in the [a-z ]+ that begins at \d+\)$`, told[0])
		told = told[1:]
	}
	require.Empty(t, told)
	require.Equal(t, 7, boundaries, "the end of each frame but the last, and the beginning of the first")

	for n := range plain {
		spoilt := bytes.Clone(plain)
		spoilt[n] = '\n'
		if plain[n] == '\n' {
			spoilt[n] = '\r'
		}
		require.NoError(t, os.WriteFile(args[n+1], spoilt, 0o600))
	}
	status, stdout, stderr = decodeOf(t, nil, args...)
	require.Equal(t, exitError, status)
	require.NotEmpty(t, decodeLines[frameLine](t, stdout))
	malformed := regexp.MustCompile(`(?m)^respush: .*/cutx*: (malformed at offset \d+: [a-zA-Z ]+( \(in the [a-z ]+ that begins at \d+\))?|cut short at .*)$`)
	require.Len(t, malformed.FindAllString(stderr, -1), strings.Count(stderr, "\n"))
	require.Contains(t, stderr, "/cut: malformed at offset 0: unknown or misplaced type byte\n")
	// All that is in a type, length, count or terminator, and not in a text.
	require.Greater(t, strings.Count(stderr, "malformed"), len(plain)/3)
}

// The test reads from a pipe that stays open.
func TestDecodePrintsFramesAsTheyCome(t *testing.T) {
	t.Parallel()
	rd, wr, err := os.Pipe()
	require.NoError(t, err)
	defer wr.Close()
	out := newPrinted()
	p := prepare(t, out, "decode", "-")
	p.cmd.Stdin = rd
	p.run()
	require.NoError(t, rd.Close())
	for _, step := range []struct{ wire, want string }{
		{"+OK\r\n", "         0         5  simple string    OK\n"},
		{">2\r\n+x\r\n:1\r\n>2\r\n+y", "         5        12  push             x  1\n"},
		{"\r\n:2\r\n", "        17        12  push             y  2\n"},
	} {
		_, err = io.WriteString(wr, step.wire)
		require.NoError(t, err)
		out.wait(t, step.want)
	}
	require.Len(t, out.lines(), 3)
	p.interrupt()
	require.Equal(t, "respush: -: interrupted at offset 29", failed(t, p, exitError))
}

// The test is respush decode | head -1.
func TestDecodeEndsWellWhenItsOutputIsClosed(t *testing.T) {
	t.Parallel()
	rd, wr, err := os.Pipe()
	require.NoError(t, err)
	p := prepare(t, wr, "decode", captureDir+"redis-7.0.15/storm-default-40000-single-key-pushes.resp.gz")
	p.run()
	require.NoError(t, wr.Close())
	_, err = rd.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, rd.Close())
	require.Zero(t, p.exit())
	require.Empty(t, p.stderr.String())
}

func TestDecodeTellsOfAFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	p := prepare(t, full, "decode", captureDir+pushToSelf)
	p.run()
	require.Equal(t, "respush: cannot write: no space left on device", failed(t, p, exitError))
}

// The test lets a reading take long, once with a terminal for standard
// error and once without.
func TestDecodeShowsProgressOnATerminalAlone(t *testing.T) {
	t.Parallel()
	master, terminal, err := pty.Open()
	require.NoError(t, err)
	defer master.Close()
	shown := newPrinted()
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(shown, master) // ends with the last user of the terminal
	}()

	p := prepare(t, io.Discard, "decode")
	p.cmd.Stderr = terminal
	stdin, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	begin := time.Now()
	p.run()
	require.NoError(t, terminal.Close())
	// In the same time as the one with a terminal, one without.
	silent := prepare(t, io.Discard, "decode")
	silentStdin, err := silent.cmd.StdinPipe()
	require.NoError(t, err)
	silent.run()

	for again := time.NewTicker(20 * time.Millisecond); !strings.Contains(shown.String(), "decoding"); <-again.C {
		for _, wr := range []io.Writer{stdin, silentStdin} {
			_, err = io.WriteString(wr, "+OK\r\n")
			require.NoError(t, err)
		}
		require.Less(t, time.Since(begin), deadline)
	}
	require.Greater(t, time.Since(begin), time.Second)
	require.NoError(t, stdin.Close())
	require.NoError(t, silentStdin.Close())
	require.Zero(t, p.exit())
	<-copied
	require.Regexp(t, `\r +\r$`, shown.String(), "taken off again")
	require.Zero(t, silent.exit())
	require.Empty(t, silent.stderr.String())
}

// The test prints to the terminal that also shows the progress: the
// lines come out whole.
func TestDecodeKeepsItsLinesWholeBesideTheProgress(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "decode", captureDir+pushToSelf)
	cmd.Env = append(os.Environ(), actAsCommand+"=1")
	master, err := pty.Start(cmd)
	require.NoError(t, err)
	defer master.Close()
	shown := newPrinted()
	_, _ = io.Copy(shown, master) // ends with the process
	require.NoError(t, cmd.Wait())
	require.Equal(t, pushToSelfListed, strings.ReplaceAll(shown.String(), "\r\n", "\n"))
}

// The test asks for a FILE when standard input is a terminal.
func TestDecodeDoesNotReadFromATerminal(t *testing.T) {
	t.Parallel()
	master, terminal, err := pty.Open()
	require.NoError(t, err)
	defer master.Close()
	p := prepare(t, newPrinted(), "decode")
	p.cmd.Stdin = terminal
	p.run()
	require.NoError(t, terminal.Close())
	require.Equal(t, "respush: no FILE, and standard input is a terminal", failed(t, p, exitUsage))
}
