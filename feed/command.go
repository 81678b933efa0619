package feed

import "github.com/seed79615202/respush/internal/command"

// The probes. HELLO without arguments changes nothing on a connection that
// tracks and is subscribed, and its answer names the role of the server. A server
// answers it even in the middle of a script that has been running for too long,
// when it refuses PING.
var (
	probeHello = command.Append(nil, "HELLO")
	probePing  = command.Append(nil, "PING")
)

// purpose says what a command is for.
type purpose uint8

const (
	forHello     purpose = iota // HELLO 3
	forNotices                  // CLIENT MAINT_NOTIFICATIONS, which may be refused
	forTracking                 // CLIENT TRACKING
	forChange                   // a subscription or its end: confirmed by pushes, refused by a reply
	forRole                     // the first probe, for the set-up
	forReadiness                // the last probe, which ends the set-up
	forRound                    // a probe of a round
	forHandover                 // a probe after which the connection may be left for its successor
	forEnd                      // a probe after which the connection may be closed
)

// request is a command that the server has not answered yet.
type request struct {
	purpose purpose
	change  *change // of forChange
	names   names   // those that have not been confirmed
}

// requests is a queue of requests, in the order they were sent.
type requests struct {
	list []request
	head int
}

func (q *requests) add(c request) { q.list = append(q.list, c) }

// first returns the oldest request, or nil.
func (q *requests) first() *request {
	if q.head == len(q.list) {
		return nil
	}
	return &q.list[q.head]
}

// pop removes the oldest request.
func (q *requests) pop() {
	q.list[q.head] = request{}
	q.head++
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
}

// waiting returns the requests, oldest first.
func (q *requests) waiting() []request { return q.list[q.head:] }
