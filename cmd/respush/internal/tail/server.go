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

// What a kind of server will not show.
const (
	aboutSentinel = "this is a Sentinel: it has no keys to track, and tells of its servers on channels of its own (--psubscribe '*')"
	aboutNoSlots  = "this node of a cluster has no slots: no key is written here, so there is nothing to invalidate"
)

// slow is how long a write must have held the reading up for the server to have
// had a reason to cut it off.
const slow = 100 * time.Millisecond

// mode returns the kind of server that answers HELLO with v, "" if it does not say.
func mode(v parser.Value) string {
	for key, value := range v.Pairs() {
		if string(key.Bytes()) == "mode" {
			return value.String()
		}
	}
	return ""
}

// withoutSlots reports whether the node that answers CLUSTER NODES with text is
// a master that has no slots. A replica has those of its master, which the text
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

// warn writes a note about what will not be shown.
func (r *run) warn(text string) { fmt.Fprintf(r.Stderr, "respush: note: %s\n", text) }

// stuckOutput says that standard output took some time to take what it was given.
func stuckOutput(d time.Duration) string {
	return fmt.Sprintf("standard output had held respush up for %v: a server cuts off who reads too slowly, see client-output-buffer-limit",
		d.Round(time.Millisecond))
}

// greeted takes the answer to HELLO, and has a node of a cluster asked for its
// slots.
func (r *run) greeted(reply parser.Value) {
	switch mode(reply) {
	case "sentinel":
		r.note(aboutSentinel)
	case "cluster":
		r.requests = slices.Insert(r.requests, 0, request{
			args: []string{"CLUSTER", "NODES"}, optional: true, // to ask may be forbidden
			take: func(nodes parser.Value) {
				if withoutSlots(nodes.String()) {
					r.note(aboutNoSlots)
				}
			},
		})
	}
}

// begins reports whether frame is an array or the like with name as its first
// element.
func begins(frame parser.Frame, name string) bool {
	for v := range frame.Value().All() {
		return string(v.Bytes()) == name
	}
	return false
}

// cutOff reports whether err is an end that the server makes for a client whose
// output it has no room for.
func cutOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}
