package captures

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/seed79615202/respush/testdata"
)

// dir is the folder of the captures in testdata.Captures.
const dir = "captures"

// A Capture is one stream and a description of its contents.
//
// Invariant: Names has Pushes+Nested elements, or fewer if Truncated is true.
type Capture struct {
	File      string   // its path below testdata/captures
	Commands  string   // what caused the stream, for people to read
	Bytes     []byte   // the decompressed stream; all callers share it and must not change it
	Names     []string // of the pushes in wire order, including nested ones
	Truncated bool     // Names is only the beginning of the list
	Counts

	size int // of Bytes, according to the index
}

// Counts holds the number of frames of each kind in a stream.
type Counts struct {
	Pushes     int // top-level pushes
	Nested     int // pushes inside another frame
	Replies    int // top-level frames of any other type
	Attributes int
	Tail       int // bytes after the last whole frame
}

// Heavy reports whether c is large. Tests read a large capture in a few ways
// only, since it is special only in its size.
func (c Capture) Heavy() bool { return len(c.Bytes) > 64<<10 }

// All returns every capture in the order of the index.
func All(tb testing.TB) []Capture {
	tb.Helper()
	all, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// load reads the index and the files that it lists, once.
var load = sync.OnceValues(func() ([]Capture, error) {
	index, err := fs.ReadFile(testdata.Captures, path.Join(dir, "index.tsv"))
	if err != nil {
		return nil, err
	}
	all, err := parseIndex(string(index))
	if err != nil {
		return nil, err
	}
	for i := range all {
		c := &all[i]
		if c.Bytes, err = read(c.File); err != nil {
			return nil, err
		}
		if len(c.Bytes) != c.size {
			return nil, fmt.Errorf("captures: %s has %d bytes, but the index says %d", c.File, len(c.Bytes), c.size)
		}
	}
	return all, nil
})

// read returns the content of a file, decompressed if its name ends in .gz.
func read(file string) ([]byte, error) {
	b, err := fs.ReadFile(testdata.Captures, path.Join(dir, file))
	if err != nil || !strings.HasSuffix(file, ".gz") {
		return b, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("captures: %s: %w", file, err)
	}
	if b, err = io.ReadAll(z); err != nil {
		return nil, fmt.Errorf("captures: %s: %w", file, err)
	}
	return b, nil
}
