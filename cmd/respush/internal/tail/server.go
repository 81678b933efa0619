package tail

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/seed79615202/respush/parser"
)

// Notes on what a kind of server does not show.
const (
	aboutSentinel = "this is a Sentinel: it has no keys to track, and tells of its servers on channels of its own (--psubscribe '*')"
	aboutOneNode  = "this is one node of a cluster: --cluster shows the pushes of all its primaries"
	aboutNoSlots  = "this node of a cluster has no slots: no key is written here, so there is nothing to invalidate"
)

// slow is the duration of a write from which on the server had reason to cut
// the connection off, because nothing was read meanwhile.
const slow = 100 * time.Millisecond

// mode returns the kind of a server whose answer to HELLO is v, or "" if the
// answer has none.
func mode(v parser.Value) string {
	for key, value := range v.Pairs() {
		if string(key.Bytes()) == "mode" {
			return value.String()
		}
	}
	return ""
}

// withoutSlots reports whether a node is a master without slots. text is its
// answer to CLUSTER NODES. A replica has the slots of its master, which text
// does not repeat.
func withoutSlots(text string) bool {
	const flags, slots = 2, 8 // fields of a line
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < slots {
			continue
		}
		if of := strings.Split(fields[flags], ","); slices.Contains(of, "myself") && slices.Contains(of, "master") {
			return len(fields) == slots
		}
	}
	return false
}

// warn prints what will not be shown.
func (r *run) warn(text string) { fmt.Fprintf(r.Stderr, "respush: note: %s\n", text) }

// stuckOutput says that standard output took some time to take what it was given.
func stuckOutput(d time.Duration) string {
	return fmt.Sprintf("standard output had held respush up for %v: a server cuts off who reads too slowly, see client-output-buffer-limit",
		d.Round(time.Millisecond))
}

// greeted reads the answer to HELLO. If the server is a node of a cluster, of
// which the others are not watched, it adds a request for its slots.
func (r *run) greeted(reply parser.Value) {
	r.mode = mode(reply)
	switch {
	case r.Options.Cluster:
	case r.mode == "sentinel":
		r.note(aboutSentinel)
	case r.mode == "cluster":
		r.note(aboutOneNode)
		r.requests = slices.Insert(r.requests, 0, request{
			args: []string{"CLUSTER", "NODES"}, optional: true, // the server may forbid the request
			take: func(nodes parser.Value) {
				if withoutSlots(nodes.String()) {
					r.note(aboutNoSlots)
				}
			},
		})
	}
}

// begins reports whether frame is an aggregate whose first element is name.
func begins(frame parser.Frame, name string) bool {
	for v := range frame.Value().All() {
		return string(v.Bytes()) == name
	}
	return false
}

// cutOff reports whether err is the kind of end that a server causes when its
// output buffer for a client is full.
func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}
