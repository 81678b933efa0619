package peers

import (
	"runtime/debug"
	"strings"

	"github.com/seed79615202/respush/internal/test/workload"
)

// Reads is the largest piece that a stream gives at a time, and the size of the read buffer of each peer.
const Reads = 32 << 10

// A Peer is one way to take pushes off a stream.
//
// Invariant: at most one of module and version is set, and neither for respush itself and the floors.
type Peer struct {
	Name  string // as benchmark names have it
	Note  string // how it differs from the others, for people to read; may be empty
	Floor bool   // a lower bound: it looks for no pushes
	C     bool   // its memory is C's, so that its allocations cannot be counted
	Open  func(w workload.Workload) (*Run, error)

	module  string                 // its path, if it is Go
	version string                 // if it is not
	ignores func(name string) bool // pushes that are read and given to no handler; nil: none
}

// Handles reports whether p has handlers for the push called name.
func (p Peer) Handles(name string) bool {
	return !p.Floor && (p.ignores == nil || !p.ignores(name))
}

// Version returns the version of p, as far as the running program knows it.
func (p Peer) Version() string {
	if p.module == "" {
		return p.version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == p.module {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return ""
}

// A Run is a peer with a stream, made by Open. It belongs to one goroutine.
//
// Invariant: Tally changes during Pass only, and Stream is rewound by it.
type Run struct {
	Stream *workload.Stream
	Pass   func() error // reads all of Stream and handles its pushes
	Tally  *Tally
	Close  func()
}

// newRun returns a run over the workload w as it is. pass reads the stream to its end.
func newRun(w workload.Workload, tally *Tally, pass func(s *workload.Stream) error) *Run {
	s := workload.NewStream(w, Reads)
	return &Run{
		Stream: s,
		Pass: func() error {
			s.Rewind()
			return pass(s)
		},
		Tally: tally,
		Close: func() {},
	}
}

// All returns the peers, respush first, the floors last.
func All() []Peer {
	all := []Peer{respush, respushBufio, goRedis, rueidisClient, radix, radixRaw, redconWalk}
	all = append(all, hiredisPeers...)
	return append(all, floorLines, floorCopy)
}
