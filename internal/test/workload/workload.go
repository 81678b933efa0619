// Package workload holds the streams with which the benchmarks in bench and
// bench/peers measure respush and other clients. The allocation tests of every
// package use them too.
package workload

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// Key is the key of every invalidation.
const Key = "user:00000000042"

// A Workload is one frame, or group of frames, that a stream repeats.
type Workload struct {
	ID     string // as in benchmark names
	Frame  []byte
	Frames int // frames in Frame
}

// Workloads lists the streams of pushes. F9 has nine replies before its push.
var Workloads = []Workload{
	{"F1", Invalidate(1), 1},
	{"F2", []byte(">2\r\n$10\r\ninvalidate\r\n_\r\n"), 1},
	{"F3", message(64), 1},
	{"F4", message(1 << 10), 1},
	{"F5", message(16 << 10), 1},
	{"F6", message(1 << 20), 1},
	{"F7", []byte(">4\r\n$6\r\nMOVING\r\n:123\r\n:30\r\n$17\r\nredis-node-2:6379\r\n"), 1},
	{"F8", Invalidate(1000), 1},
	{"F9", append([]byte("+OK\r\n$64\r\n"+strings.Repeat("v", 64)+"\r\n*3\r\n$1\r\na\r\n$2\r\nbb\r\n$3\r\nccc\r\n:1234\r\n"+
		"_\r\n#t\r\n,3.25\r\n%1\r\n$5\r\nfield\r\n$5\r\nvalue\r\n+QUEUED\r\n"), Invalidate(1)...), 10},
}

// Find returns the workload called id.
func Find(id string) Workload {
	for _, w := range Workloads {
		if w.ID == id {
			return w
		}
	}
	panic("workload: no workload " + id)
}

// Invalidate returns an invalidation of n keys.
func Invalidate(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, ">2\r\n$10\r\ninvalidate\r\n*%d\r\n", n)
	for range n {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(Key), Key)
	}
	return b.Bytes()
}

// message returns a published message of n bytes.
func message(n int) []byte {
	return fmt.Appendf(nil, ">3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$%d\r\n%s\r\n", n, strings.Repeat("x", n))
}

// streamSize is the least size of a stream. It is larger than the caches close
// to a core.
const streamSize = 4 << 20

// Stream is a repeated workload that can be read any number of times, with
// Rewind before each time.
type Stream struct {
	Bytes []byte
	Count int // workloads in Bytes
	off   int
	max   int // the most bytes that a Read returns
}

// NewStream returns a stream of w of at least 4 MiB, read in pieces of up to
// piece bytes.
func NewStream(w Workload, piece int) *Stream {
	n := (streamSize + len(w.Frame) - 1) / len(w.Frame)
	return &Stream{Bytes: bytes.Repeat(w.Frame, n), Count: n, max: piece}
}

// Shorten divides the number of workloads in the stream by in, but keeps at
// least two of them.
func (s *Stream) Shorten(in int) {
	frame := len(s.Bytes) / s.Count
	s.Count = min(s.Count, max(2, s.Count/in))
	s.Bytes = s.Bytes[:s.Count*frame]
}

// Rewind starts the stream again.
func (s *Stream) Rewind() { s.off = 0 }

// Read reads the next piece.
func (s *Stream) Read(p []byte) (int, error) {
	if s.off == len(s.Bytes) {
		return 0, io.EOF
	}
	p = p[:min(len(p), s.max)]
	n := copy(p, s.Bytes[s.off:])
	s.off += n
	return n, nil
}
