package decode_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/decode"
)

// Frames of every kind that a line tells in its own way, and where they are.
const (
	subscribed = ">3\r\n$9\r\nsubscribe\r\n$4\r\nself\r\n:1\r\n"
	reply      = "+OK\r\n"
	message    = ">3\r\n$7\r\nmessage\r\n$4\r\nself\r\n$3\r\n\x00\xff\n\r\n"
	exec       = "*2\r\n+OK\r\n" + message + "$1\r\nv\r\n"
	attributed = "|1\r\n+ttl\r\n:9\r\n*1\r\n|1\r\n+a\r\n+b\r\n:1\r\n"
	nameless   = ">1\r\n:1\r\n"
	all        = subscribed + reply + exec + attributed + nameless
)

const listed = "" +
	"         0        33  push             subscribe  channel self  1 subscribed\n" +
	"        33         5  simple string    OK\n" +
	"        38        52  array            [OK v]\n" +
	"        47        36  nested push      message  channel self  \"\\x00\\xff\\n\"\n" +
	"        90        34  array            [1]  attributes {ttl: 9}\n" +
	"       124         8  push             (no-name)  1\n"

// files writes contents to files of their own and returns their paths, and what
// restores their names in an output.
func files(t *testing.T, contents ...string) (paths []string, named *strings.Replacer) {
	t.Helper()
	dir := t.TempDir()
	for i, content := range contents {
		path := filepath.Join(dir, fmt.Sprintf("file%d", i))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		paths = append(paths, path)
	}
	return paths, strings.NewReplacer(dir+"/", "")
}

// decoded runs a Decoder over files with these contents.
func decoded(t *testing.T, opts decode.Options, contents ...string) (ok bool, stdout, stderr string) {
	t.Helper()
	if opts.MaxFrame == 0 {
		opts.MaxFrame = decode.DefaultMaxFrame
	}
	paths, named := files(t, contents...)
	var out, diagnosis bytes.Buffer
	d := decode.Decoder{Options: opts, Stdin: os.Stdin, Stdout: &out, Stderr: &diagnosis}
	ok, err := d.Run(context.Background(), paths)
	require.NoError(t, err)
	return ok, named.Replace(out.String()), named.Replace(diagnosis.String())
}

// zipped returns text as gzip data.
func zipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.String()
}

func TestListingHasALineForEachFrame(t *testing.T) {
	ok, stdout, stderr := decoded(t, decode.Options{}, all)
	require.True(t, ok)
	require.Empty(t, stderr)
	require.Equal(t, listed, stdout)
}

// The test has pushes whose bytes stand elsewhere too, as a text.
func TestNestedPushesAreAtTheirOwnOffsets(t *testing.T) {
	const inner = ">1\r\n+x\r\n"
	bulk := fmt.Sprintf("$%d\r\n%s\r\n", len(inner), inner)
	frame := "*2\r\n" + bulk + inner + inner + "*1\r\n" + inner + bulk
	for _, before := range []string{"", reply} {
		ok, stdout, _ := decoded(t, decode.Options{Pushes: true}, before+frame)
		require.True(t, ok)
		var want strings.Builder
		for _, at := range []int{4 + len(bulk), 4 + len(bulk) + len(inner), 4 + len(bulk) + 2*len(inner) + 4} {
			fmt.Fprintf(&want, "%10d %9d  nested push      x  (nothing)\n", len(before)+at, len(inner))
		}
		require.Equal(t, want.String(), stdout)
	}
}

func TestPushesAloneAreListedWhenAsked(t *testing.T) {
	ok, stdout, stderr := decoded(t, decode.Options{Pushes: true}, all)
	require.True(t, ok)
	require.Empty(t, stderr)
	var want strings.Builder
	for line := range strings.Lines(listed) {
		if strings.Contains(line, "push  ") {
			want.WriteString(line)
		}
	}
	require.Equal(t, want.String(), stdout)
	require.Equal(t, 3, strings.Count(stdout, "\n"))
}

func TestJSONHasALineForEachFrame(t *testing.T) {
	ok, stdout, stderr := decoded(t, decode.Options{JSON: true}, all)
	require.True(t, ok)
	require.Empty(t, stderr)
	want := []string{
		`{"file":"file0","offset":0,"bytes":33,"type":"push","name":"subscribe","args":["self",1]}`,
		`{"file":"file0","offset":33,"bytes":5,"type":"simple string","value":"OK"}`,
		`{"file":"file0","offset":38,"bytes":52,"type":"array","value":["OK","v"]}`,
		`{"file":"file0","offset":47,"inside":38,"bytes":36,"type":"push","name":"message","args":["self",{"base64":"AP8K"}]}`,
		`{"file":"file0","offset":90,"bytes":34,"type":"array","value":[1],"attributes":[["ttl",9]]}`,
		`{"file":"file0","offset":124,"bytes":8,"type":"push","name":null,"args":[1]}`,
	}
	require.Equal(t, strings.Join(want, "\n")+"\n", stdout)

	_, stdout, _ = decoded(t, decode.Options{JSON: true, Pushes: true}, all)
	require.Equal(t, strings.Join([]string{want[0], want[3], want[5]}, "\n")+"\n", stdout)
}

func TestSummaryHasTotalsOfEachInputAndOfAll(t *testing.T) {
	ok, stdout, stderr := decoded(t, decode.Options{Summary: true}, all, "", message)
	require.True(t, ok)
	require.Empty(t, stderr)
	require.Equal(t, ""+
		"--- file0: 5 frames in 132 bytes\n"+
		"    2  41 B  pushes\n"+
		"    1  36 B  nested pushes\n"+
		"    3  91 B  replies\n"+
		"    2        attributes\n"+
		"             pushes by name:\n"+
		"    1   8 B  (no-name)\n"+
		"    1  36 B  message\n"+
		"    1  33 B  subscribe\n"+
		"--- file1: 0 frames in 0 bytes\n"+
		"    0  0 B  pushes\n"+
		"    0  0 B  nested pushes\n"+
		"    0  0 B  replies\n"+
		"    0       attributes\n"+
		"--- file2: 1 frame in 36 bytes\n"+
		"    1  36 B  pushes\n"+
		"    0   0 B  nested pushes\n"+
		"    0   0 B  replies\n"+
		"    0        attributes\n"+
		"             pushes by name:\n"+
		"    1  36 B  message\n"+
		"--- total of 3 files: 6 frames in 168 bytes\n"+
		"    3  77 B  pushes\n"+
		"    1  36 B  nested pushes\n"+
		"    3  91 B  replies\n"+
		"    2        attributes\n"+
		"             pushes by name:\n"+
		"    2  72 B  message\n"+
		"    1   8 B  (no-name)\n"+
		"    1  33 B  subscribe\n", stdout)
}

func TestSummaryInJSONHasALineForEachInput(t *testing.T) {
	ok, stdout, _ := decoded(t, decode.Options{Summary: true, JSON: true}, ">1\r\n$1\r\n\xff\r\n"+nameless+reply+"$9\r\ncu", "")
	require.False(t, ok)
	require.Equal(t, ""+
		`{"file":"file0","bytes":24,"frames":3,"pushes":2,"nested_pushes":0,"replies":1,"attributes":0,"oversize":0,"tail_bytes":6,`+
		`"names":[{"name":{"base64":"/w=="},"pushes":1,"bytes":11},{"name":null,"pushes":1,"bytes":8}]}`+"\n"+
		`{"file":"file1","bytes":0,"frames":0,"pushes":0,"nested_pushes":0,"replies":0,"attributes":0,"oversize":0,"tail_bytes":0,"names":[]}`+"\n",
		stdout)
	for line := range strings.Lines(stdout) {
		require.True(t, json.Valid([]byte(line)))
	}
}

// The test reads on behind every kind of input that is wrong.
func TestInputsBehindAWrongOneAreRead(t *testing.T) {
	ok, stdout, stderr := decoded(t, decode.Options{}, reply, reply+"oops\r\n", "", reply+">1\r\n", zipped(t, reply)[:20], reply)
	require.False(t, ok)
	const okLine = "         0         5  simple string    OK\n"
	require.Equal(t, "==> file0 <==\n"+okLine+"\n==> file1 <==\n"+okLine+"\n==> file2 <==\n\n==> file3 <==\n"+okLine+
		"\n==> file4 <==\n"+okLine+"\n==> file5 <==\n"+okLine, stdout)
	require.Equal(t, ""+
		"respush: file1: malformed at offset 5: unknown or misplaced type byte\n"+
		"respush: file3: cut short at offset 9: the last 4 bytes do not make a whole frame (in the push that begins at 5)\n"+
		"respush: file4: compressed data cut short behind offset 5\n", stderr)
}

func TestUnreadableInputsAreTold(t *testing.T) {
	dir := t.TempDir()
	for _, opts := range []decode.Options{{JSON: true}, {Summary: true}, {}} {
		var out, diagnosis bytes.Buffer
		d := decode.Decoder{Stdin: os.Stdin, Stdout: &out, Stderr: &diagnosis, Options: opts}
		ok, err := d.Run(context.Background(), []string{filepath.Join(dir, "no\nne"), dir})
		require.NoError(t, err)
		require.False(t, ok)
		require.Empty(t, out.String())
		require.Equal(t, "respush: "+dir+"/no\\nne: no such file or directory\nrespush: "+dir+": is a directory\n", diagnosis.String())
	}
}

// The test opens a named pipe that nobody writes to.
func TestOpeningCanBeInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	ctx, interrupt := context.WithCancel(context.Background())
	interrupt()
	var out, diagnosis bytes.Buffer
	d := decode.Decoder{Stdin: os.Stdin, Stdout: &out, Stderr: &diagnosis}
	var ok bool
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ok, err = d.Run(ctx, []string{path, path})
	}()
	select {
	case <-ended:
		require.NoError(t, err)
		require.False(t, ok)
	case <-time.After(30 * time.Second):
		require.FailNow(t, "the opening does not end")
	}
	require.Empty(t, out.String())
	require.Equal(t, "respush: "+path+": interrupted at offset 0\n", diagnosis.String())

	writer, err := os.OpenFile(path, os.O_RDWR, 0) // ends the opening that waits
	require.NoError(t, err)
	require.NoError(t, writer.Close())
}

func TestFramesOverTheLimitAreNamed(t *testing.T) {
	large := ">2\r\n$7\r\nunknown\r\n$100000\r\n" + strings.Repeat("x", 100_000) + "\r\n"
	stream := reply + large + "*2\r\n" + message + "$200000\r\n" + strings.Repeat("x", 200_000) + "\r\n:1\r\n" + reply
	opts := decode.Options{MaxFrame: 1 << 10}
	ok, stdout, stderr := decoded(t, opts, stream)
	require.True(t, ok)
	require.Empty(t, stderr)
	require.Equal(t, ""+
		"         0         5  simple string    OK\n"+
		"         5    100028  push             unknown  not looked into: larger than --max-frame 1.0 KiB\n"+
		"    100033    200055  array            not looked into: larger than --max-frame 1.0 KiB\n"+
		"    300088         5  simple string    OK\n", stdout)

	opts.JSON = true
	_, stdout, _ = decoded(t, opts, stream)
	require.Contains(t, stdout, `{"file":"file0","offset":5,"bytes":100028,"type":"push","name":"unknown","oversize":true}`+"\n")
	require.Contains(t, stdout, `{"file":"file0","offset":100033,"bytes":200055,"type":"array","oversize":true}`+"\n")

	_, stdout, _ = decoded(t, decode.Options{MaxFrame: 1 << 10, Pushes: true}, stream)
	require.Equal(t, 1, strings.Count(stdout, "\n"))

	_, stdout, _ = decoded(t, decode.Options{MaxFrame: 1 << 10, Summary: true}, stream)
	require.Contains(t, stdout, "--- file0: 4 frames in 300,093 bytes\n")
	require.Contains(t, stdout, "    2  300 kB  too large or too deep, not looked into\n")
	require.Contains(t, stdout, "    1  100 kB  unknown\n")

	// Inside what is not looked into the stream is checked all the same.
	ok, _, stderr = decoded(t, decode.Options{MaxFrame: 1 << 10}, reply+large[:len(large)-2]+"zz", reply+large[:50_000])
	require.False(t, ok)
	require.Equal(t, ""+
		"respush: file0: malformed at offset 100031: line or bulk not ended by CR LF (in the push that begins at 5)\n"+
		"respush: file1: cut short at offset 50005: the last 50000 bytes do not make a whole frame (in the push that begins at 5)\n", stderr)
}

func TestFramesNestedTooDeepAreNamed(t *testing.T) {
	deep := reply + strings.Repeat("*1\r\n", 1000) + ":1\r\n"
	ok, stdout, stderr := decoded(t, decode.Options{}, deep, reply+strings.Repeat("*?\r\n", 1000))
	require.False(t, ok)
	require.Contains(t, stdout, "         5      4004  array            not looked into: nested more than 128 levels deep\n")
	require.Equal(t, "respush: file1: nested too deep at offset 517: more than 128 levels (in the array that begins at 5)\n", stderr)

	ok, stdout, _ = decoded(t, decode.Options{JSON: true}, deep)
	require.True(t, ok)
	require.Contains(t, stdout, `{"file":"file0","offset":5,"bytes":4004,"type":"array","oversize":true}`+"\n")

	// A sum of elements beyond int64, too deep to be counted one level after
	// the other.
	ok, _, stderr = decoded(t, decode.Options{}, strings.Repeat("*2\r\n", 128)+"*9223372036854775807\r\n")
	require.False(t, ok)
	require.Equal(t, "respush: file0: nested too deep at offset 512: more than 128 levels (in the array that begins at 0)\n", stderr)
}

// brokenPipe is an output that nobody reads.
type brokenPipe struct{ err error }

func (b brokenPipe) Write([]byte) (int, error) { return 0, b.err }

func TestFailureOfTheOutputEndsTheReading(t *testing.T) {
	paths, _ := files(t, all, all)
	for _, opts := range []decode.Options{{}, {Summary: true}, {Summary: true, JSON: true}} {
		opts.MaxFrame = decode.DefaultMaxFrame
		var diagnosis bytes.Buffer
		d := decode.Decoder{Options: opts, Stdin: os.Stdin, Stdout: brokenPipe{os.ErrClosed}, Stderr: &diagnosis}
		_, err := d.Run(context.Background(), paths)
		require.ErrorIs(t, err, os.ErrClosed)
		require.EqualError(t, err, "cannot write: file already closed")
		require.Empty(t, diagnosis.String())
	}
}

func TestOptionsThatContradictEachOtherAreRefused(t *testing.T) {
	require.NoError(t, decode.Options{Summary: true, JSON: true}.Validate())
	require.NoError(t, decode.Options{Pushes: true, JSON: true}.Validate())
	require.Error(t, decode.Options{Summary: true, Pushes: true}.Validate())

	var s decode.Size
	for text, want := range map[string]decode.Size{"512": 512, "64MB": 64e6, "64MiB": 64 << 20, "1 GiB": 1 << 30} {
		require.NoError(t, s.Set(text))
		require.Equal(t, want, s)
	}
	require.Equal(t, "size", s.Type())
	for _, text := range []string{"", "0", "-1", "many", "64XB", "16EiB"} {
		require.Error(t, s.Set(text), text)
	}
	s = decode.DefaultMaxFrame
	require.Equal(t, "64 MiB", s.String())
}
