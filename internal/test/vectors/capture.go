package vectors

import (
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed79615202/respush/internal/test/oracle"
)

// Capture is a piece of what a server sent. It consists of whole frames, unless
// its only frame is longer than a piece may be.
type Capture struct {
	Name   string // the file's path below the folder it was read from, with slashes
	Offset int    // of the piece in the file
	Wire   []byte
}

const (
	captureMax = 64 << 10 // bytes read from one file
	pieceMax   = 4 << 10  // bytes of one piece
)

// Captures reads the first 64 KiB of each capture below dir. It returns them in
// pieces of at most 4 KiB that begin and end at frame boundaries. A longer
// frame is cut to its first 4 KiB, and the rest of its file is left out.
func Captures(dir string) ([]Capture, error) {
	var all []Capture
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !(strings.HasSuffix(path, ".resp") || strings.HasSuffix(path, ".resp.gz")) {
			return err
		}
		stream, err := readCapture(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all = append(all, pieces(filepath.ToSlash(name), stream)...)
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%s: no captures", dir)
	}
	return all, err
}

// readCapture reads and decompresses the beginning of one file.
func readCapture(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var rd io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if rd, err = gzip.NewReader(file); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(rd, captureMax))
}

// pieces cuts stream into pieces between frames.
func pieces(name string, stream []byte) []Capture {
	var all []Capture
	first, last := 0, 0
	for last < len(stream) {
		r := oracle.Parse(stream[last:], oracle.Limits{})
		n := r.N
		if r.Verdict != oracle.OK || n > pieceMax {
			break
		}
		if last+n-first > pieceMax {
			all = append(all, Capture{name, first, stream[first:last]})
			first = last
		}
		last += n
	}
	if first < last {
		all = append(all, Capture{name, first, stream[first:last]})
	}
	if last < len(stream) {
		all = append(all, Capture{name, last, stream[last:min(len(stream), last+pieceMax)]})
	}
	return all
}

// Frames returns the frames of a piece. If bytes are left after the last whole
// frame, they are the last element.
func (c Capture) Frames() [][]byte {
	var all [][]byte
	for rest := c.Wire; len(rest) > 0; {
		r := oracle.Parse(rest, oracle.Limits{})
		if r.Verdict != oracle.OK {
			return append(all, rest)
		}
		all = append(all, rest[:r.N])
		rest = rest[r.N:]
	}
	return all
}
