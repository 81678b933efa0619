package feed

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/seed79615202/respush/parser"
)

// Gap is a time in which pushes may have been missed. It begins when a Feed
// loses its coverage and ends when the Feed is armed again.
type Gap struct {
	// Gen is the generation that begins with the gap. Coverage returns the same
	// one when the Feed is armed again, unless there has been another gap.
	Gen uint64
	// Since is the moment up to which nothing is missing, as Coverage.AsOf was.
	// It is the zero Time for the gap that precedes the first arming.
	Since time.Time
	// Addr is the address of the server.
	Addr string
	// Cause says why: one of the errors of this package, an error of the
	// connection, or a *parser.SyntaxError or *parser.LimitError of its stream.
	Cause error
}

// The causes of gaps that a Feed finds itself.
var (
	// ErrStart is the cause of the gap that precedes the first arming of a Run.
	ErrStart = errors.New("feed: not armed yet")
	// ErrClosed means that the server closed the connection between frames.
	ErrClosed = errors.New("feed: server closed the connection")
	// ErrNoAnswer means that a probe was not answered in time.
	ErrNoAnswer = errors.New("feed: no answer in time")
	// ErrQueueLate means that a Queue had not handled in time what the server
	// sent before it answered a probe.
	ErrQueueLate = errors.New("feed: queue has not handled its pushes in time")
	// ErrRole means that the role of the server has changed.
	ErrRole = errors.New("feed: role of the server has changed")
	// ErrUnsubscribed means that the server ended a subscription unasked, as it
	// does when the slot of a shard channel moves to another node.
	ErrUnsubscribed = errors.New("feed: server ended a subscription")
	// ErrUnexpected means that the server sent a reply that nothing asked for.
	ErrUnexpected = errors.New("feed: reply without a command")
	// ErrArrayPubSub means that the server confirms subscriptions with arrays
	// though it accepted RESP3, so that messages are no pushes.
	ErrArrayPubSub = errors.New("feed: server sends publish and subscribe as arrays in spite of HELLO 3")
)

// SetupError is the refusal of a command by which a Feed sets up its connection
// or changes its subscriptions.
type SetupError struct {
	Command string // such as HELLO, CLIENT TRACKING or SUBSCRIBE
	Addr    string // of the server
	Err     error  // a parser.ServerError with the text of the server, or an error of this package
}

// Error returns the command, the address and the text of the server.
func (e *SetupError) Error() string {
	return fmt.Sprintf("feed: %s at %s: %v", e.Command, e.Addr, e.Err)
}

// Unwrap returns e.Err.
func (e *SetupError) Unwrap() error { return e.Err }

// passing reports whether err is the refusal of a server that may accept the
// same command later without anybody changing anything.
func passing(err error) bool {
	var text parser.ServerError
	if !errors.As(err, &text) {
		return false
	}
	for _, code := range [...]string{"LOADING ", "MASTERDOWN ", "CLUSTERDOWN ", "TRYAGAIN ", "BUSY ", "ERR max number of clients"} {
		if strings.HasPrefix(string(text), code) {
			return true
		}
	}
	return false
}

// count adds a gap to the counts by its cause.
func (s *Stats) count(cause error) {
	var syntax *parser.SyntaxError
	var limit *parser.LimitError
	s.Gaps++
	switch {
	case errors.Is(cause, ErrStart):
		s.GapsStart++
	case errors.Is(cause, ErrNoAnswer):
		s.GapsNoAnswer++
	case errors.Is(cause, ErrQueueLate):
		s.GapsQueueLate++
	case errors.Is(cause, ErrRole):
		s.GapsRole++
	case errors.As(cause, &syntax), errors.As(cause, &limit), errors.Is(cause, ErrUnexpected), errors.Is(cause, ErrArrayPubSub):
		s.GapsStream++
	case errors.Is(cause, ErrClosed), errors.Is(cause, io.ErrUnexpectedEOF):
		s.GapsClosed++
	default:
		s.GapsOther++
	}
}
