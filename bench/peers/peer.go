package peers

import (
	"runtime/debug"
	"strings"

	"github.com/seed79615202/respush/internal/test/workload"
)

// Reads is the most bytes that a read of a stream returns, and the size of each
// peer's read buffer.
const Reads = 32 << 10

// A Scene is a workload and the way its stream arrives.
type Scene struct {
	workload.Workload
	Piece   int // the most bytes that a read returns
	Replies int // frames of the workload that are not pushes
}

// Scenes lists the workloads in full reads, and two scenes in which each frame
// comes in its own read. In L1 it is a push, and in W0 a reply that the client
// waits for, with no push before it.
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

// Alone reports whether each frame comes in its own read.
func (sc Scene) Alone() bool { return sc.Piece < Reads }

// A Peer is one way to take pushes off a stream.
//
// Invariant: at most one of module and version is set. Neither is set for
// respush itself, the floors, and a second way to use a module.
type Peer struct {
	Name   string // as in benchmark names
	Note   string // how it differs from the others, for people to read; may be empty
	Floor  bool   // it is a lower bound, which looks for no pushes
	Counts bool   // its handlers read no elements
	Slice  bool   // it walks a slice and reads nothing, so it has no scenes in which frames come alone
	C      bool   // it allocates in C, so its allocations cannot be counted
	Open   func(sc Scene) (*Run, error)

	module  string                 // its module path, if it is written in Go
	version string                 // its version, if it is not
	ignores func(name string) bool // whether a push is read but given to no handler; nil means that none is
}

// In reports whether p takes part in a scene.
func (p Peer) In(sc Scene) bool {
	return !(p.Slice && sc.Alone()) && (sc.HasPush() || !p.Counts)
}

// Handles reports whether p has handlers for the push called name.
func (p Peer) Handles(name string) bool {
	return !p.Floor && (p.ignores == nil || !p.ignores(name))
}

// Version returns the version of p, or "" if the running program does not know
// it.
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
// Invariant: only Pass changes Tally and rewinds Stream.
type Run struct {
	Stream *workload.Stream
	Pass   func() error // reads all of Stream and handles its pushes
	Tally  *Tally
	Close  func()
}

// newRun returns a run over a scene without conversion. pass reads the stream
// to its end.
func newRun(sc Scene, tally *Tally, pass func(s *workload.Stream) error) *Run {
	s := workload.NewStream(sc.Workload, sc.Piece)
	if sc.Alone() { // a full stream would take many reads
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

// All returns the peers. respush comes first, and the floors come last.
func All() []Peer {
	all := []Peer{respush, respushBufio, respushDecoded, respushCounts, goRedis, rueidisClient, radix, radixRaw, redconWalk}
	all = append(all, hiredisPeers...)
	return append(all, floorLines, floorCopy)
}
