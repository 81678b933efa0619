package captures

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/testdata"
)

func TestEveryFileIsInTheIndex(t *testing.T) {
	listed := map[string]bool{dir + "/index.tsv": true}
	for _, c := range All(t) {
		listed[dir+"/"+c.File] = true
	}
	require.NoError(t, fs.WalkDir(testdata.Captures, dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			require.True(t, listed[path], path)
			delete(listed, path)
		}
		return err
	}))
	require.Empty(t, listed)
}

func TestIndexIsParsedOrRefused(t *testing.T) {
	all, err := parseIndex(header + "\na.resp\tGET a\t5\t3\t1\t2\t0\t1\tx y*2 x\nb.resp\t\t0\t9\t0\t0\t0\t0\tx*4 y  … (whole list: z)\n")
	require.NoError(t, err)
	require.Equal(t, []Capture{
		{File: "a.resp", Commands: "GET a", size: 5, Names: []string{"x", "y", "y", "x"},
			Counts: Counts{Pushes: 3, Nested: 1, Replies: 2, Tail: 1}},
		{File: "b.resp", Names: []string{"x", "x", "x", "x", "y"}, Truncated: true, Counts: Counts{Pushes: 9}},
	}, all)

	for _, text := range []string{
		"", "file\tcommands", header + "\na.resp\t", header + "\na\t\tx\t0\t0\t0\t0\t0\t",
		header + "\na\t\t0\t1\t0\t0\t0\t0\t", header + "\na\t\t0\t1\t0\t0\t0\t0\tx*2", header + "\na\t\t0\t1\t0\t0\t0\t0\tx*y",
		header + "\na\t\t0\t1\t0\t0\t0\t0\tx …",
	} {
		_, err := parseIndex(text)
		require.Error(t, err, text)
	}
}

func TestPiecesAreOfTheirSizeAndStutter(t *testing.T) {
	text := strings.Repeat("0123456789", 10)
	for _, size := range []int{1, 3, 100, 1000} {
		require.NoError(t, iotest.TestReader(NewPieces([]byte(text), size), []byte(text)), size)
	}

	p := NewStutter([]byte("abc"), 2)
	buffer := make([]byte, 10)
	for _, want := range []string{"ab", "c", ""} {
		n, err := p.Read(buffer)
		require.Zero(t, n)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		n, err = p.Read(buffer)
		require.Equal(t, want, string(buffer[:n]))
		require.Equal(t, want == "", err == io.EOF)
	}
}
