package peers

import (
	"bytes"
	"errors"
	"io"

	"github.com/seed79615202/respush/internal/test/workload"
)

// floorLines does the least work that a line-by-line parser must do, over a
// stream that is already in memory.
var floorLines = Peer{
	Name:  "floor-lines",
	Note:  "bytes.IndexByte from line to line over a slice, nothing else",
	Floor: true,
	Open: func(sc Scene) (*Run, error) {
		return newRun(sc, new(Tally), walkLines), nil
	},
}

// floorCopy does the least work that any reader must do: it copies the stream
// into its buffer.
var floorCopy = Peer{
	Name:  "floor-copy",
	Note:  "the stream's reads into a buffer of 32 KiB, nothing else",
	Floor: true,
	Open: func(sc Scene) (*Run, error) {
		buf := make([]byte, Reads)
		return newRun(sc, new(Tally), func(s *workload.Stream) error { return copyAll(s, buf) }), nil
	},
}

func walkLines(s *workload.Stream) error {
	lines := 0
	b := s.Bytes
	for len(b) > 0 {
		k := bytes.IndexByte(b, '\n')
		if k < 0 {
			return errors.New("peers: no line")
		}
		b = b[k+1:]
		lines++
	}
	if lines < s.Count {
		return errors.New("peers: too few lines")
	}
	return nil
}

func copyAll(s *workload.Stream, buf []byte) error {
	n := 0
	for {
		k, err := s.Read(buf)
		n += k
		if err == io.EOF {
			break
		}
	}
	if n != len(s.Bytes) {
		return errors.New("peers: short copy")
	}
	return nil
}
