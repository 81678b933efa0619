package feed

import "strconv"

// appendCommand appends a command as a client sends it: an array of bulks.
func appendCommand(dst []byte, args ...string) []byte {
	return appendArgs(appendHead(dst, len(args)), args...)
}

// appendHead appends the header of a command with n arguments, its name
// included.
func appendHead(dst []byte, n int) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(n), 10)
	return append(dst, "\r\n"...)
}

// appendArgs appends arguments of a command.
func appendArgs(dst []byte, args ...string) []byte {
	for _, arg := range args {
		dst = append(dst, '$')
		dst = strconv.AppendInt(dst, int64(len(arg)), 10)
		dst = append(dst, "\r\n"...)
		dst = append(dst, arg...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// The probes. HELLO without arguments changes nothing on a connection that
// tracks and is subscribed, and its answer names the role of the server. A server
// answers it even in the middle of a script that has been running for too long,
// when it refuses PING.
var (
	probeHello = appendCommand(nil, "HELLO")
	probePing  = appendCommand(nil, "PING")
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

// command is a command that the server has not answered yet.
type command struct {
	purpose purpose
	change  *change // of forChange
	names   names   // those that have not been confirmed
}

// commands is a queue of commands, in the order they were sent.
type commands struct {
	list []command
	head int
}

func (q *commands) add(c command) { q.list = append(q.list, c) }

// first returns the oldest command, or nil.
func (q *commands) first() *command {
	if q.head == len(q.list) {
		return nil
	}
	return &q.list[q.head]
}

// pop removes the oldest command.
func (q *commands) pop() {
	q.list[q.head] = command{}
	q.head++
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
}

// waiting returns the commands, oldest first.
func (q *commands) waiting() []command { return q.list[q.head:] }
