package peers

import (
	"runtime/debug"
	"strings"

	"github.com/seed79615202/respush/internal/test/workload"
)

// Reads is the largest piece that a stream gives at a time, and the size of the
// read buffer of each peer.
const Reads = 32 << 10

// A Scene is a workload, and how its stream arrives.
type Scene struct {
	workload.Workload
	Piece   int // bytes of a read, at most
	Replies int // frames of the workload that are no pushes
}

// Scenes are the workloads in full reads, and two in which each frame is a read
// of its own: L1, a push, and W0, a reply that is waited for with no push
// before it.
var Scenes = scenes()

func scenes() []Scene {
	var all []Scene
	for _, w := range workload.Workloads {
		all = append(all, Scene{w, Reads, w.Frames - 1})
	}
	push := workload.Find("F1").Frame
	reply := []byte("+OK\r\n")
	return append(all,
		Scene{workload.Workload{ID: "L1", Frame: push, Frames: 1}, len(push), 0},
		Scene{workload.Workload{ID: "W0", Frame: reply, Frames: 1}, len(reply), 1})
}

// HasPush reports whether the workload has a push.
func (sc Scene) HasPush() bool { return sc.Replies < sc.Frames }

// Alone reports whether each frame is a read of its own.
func (sc Scene) Alone() bool { return sc.Piece < Reads }

// A Peer is one way to take pushes off a stream.
//
// Invariant: at most one of module and version is set, and neither for respush
// itself and the floors.
type Peer struct {
	Name   string // as benchmark names have it
	Note   string // how it differs from the others, for people to read; may be empty
	Floor  bool   // a lower bound: it looks for no pushes
	Counts bool   // its handlers look at no elements
	Slice  bool   // it reads nothing, and so has no scenes in which frames come alone
	C      bool   // its memory is C's, so that its allocations cannot be counted
	Open   func(sc Scene) (*Run, error)

	module  string                 // its path, if it is Go
	version string                 // if it is not
	ignores func(name string) bool // pushes that are read and given to no handler; nil: none
}

// In reports whether p has anything to do in a scene.
func (p Peer) In(sc Scene) bool {
	return !(p.Slice && sc.Alone()) && (sc.HasPush() || !p.Counts)
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

// newRun returns a run over a scene as it is. pass reads the stream to its end.
func newRun(sc Scene, tally *Tally, pass func(s *workload.Stream) error) *Run {
	s := workload.NewStream(sc.Workload, sc.Piece)
	if sc.Alone() { // many reads
		s.Shorten(16)
	}
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
	all := []Peer{respush, respushBufio, respushDecoded, respushCounts, goRedis, rueidisClient, radix, radixRaw, redconWalk}
	all = append(all, hiredisPeers...)
	return append(all, floorLines, floorCopy)
}
