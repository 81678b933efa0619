package tail

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/seed79615202/respush/cmd/respush/internal/dial"
	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/cmd/respush/internal/record"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/parser"
)

// ErrElapsed is the cause of a context that has ended as Options.For demands.
var ErrElapsed = errors.New("time is up (--for)")

// Other causes of a context that has ended as the options demand.
var (
	errCounted     = errors.New("tail: count reached")
	errInterrupted = errors.New("tail: interrupted")
)

// asked reports whether the caller asked for the end that cause stands for.
func asked(cause error) bool {
	return cause == errCounted || cause == ErrElapsed || cause == errInterrupted
}

// refused returns a sentence for an error reply to req. It does not repeat a
// password that req holds.
func refused(req request, reply string) error {
	if req.args[0] == "HELLO" {
		return refusedCommand("HELLO", reply)
	}
	return refusedCommand(quote.Line(strings.Join(req.args, " ")), reply)
}

// refusedCommand is refused for a command of which nothing needs to be hidden.
func refusedCommand(command, reply string) error {
	code, _, _ := strings.Cut(reply, " ")
	reply = quote.Line(strings.TrimRight(reply, ", ")) // replies to unknown commands end in this
	switch {
	case code == "WRONGPASS":
		return fmt.Errorf("wrong user or password (%s)", reply)
	case code == "NOAUTH":
		return fmt.Errorf("the server wants a password, as in redis://user:password@host or REDISCLI_AUTH (%s)", reply)
	case command == "HELLO" && (code == "NOPROTO" || strings.Contains(strings.ToLower(reply), "unknown command")):
		return fmt.Errorf("the server does not speak RESP3, which pushes need (%s)", reply)
	case command == "HELLO":
		return fmt.Errorf("HELLO 3: %s", reply)
	default:
		return fmt.Errorf("%s: %s", command, reply)
	}
}

// explain returns a sentence for an error of the connection that occurred
// during the named action.
func explain(err error, doing string) error {
	var syntax *parser.SyntaxError
	var limit *parser.LimitError
	var recording *record.Error
	switch {
	case errors.As(err, &recording):
		return recording
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the server went away in mid-frame %s", doing)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the server closed the connection %s", doing)
	case errors.As(err, &syntax):
		return fmt.Errorf("the server sent what is not RESP %s: %w", doing, err)
	case errors.As(err, &limit):
		return fmt.Errorf("the server sent too much %s: %w", doing, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer in time %s", doing)
	default:
		return fmt.Errorf("connection lost %s: %w", doing, err)
	}
}

// gapWords says why pushes may have been missed, or why a connection was not
// set up.
func gapWords(err error) error {
	var setup *feed.SetupError
	var said parser.ServerError
	var limit *parser.LimitError
	var syntax *parser.SyntaxError
	switch {
	case errors.As(err, &setup) && errors.As(setup.Err, &said):
		return refusedCommand(setup.Command, string(said))
	case errors.Is(err, feed.ErrArrayPubSub):
		return errors.New("the server confirms subscriptions with arrays, not pushes: it does not speak RESP3 throughout, and its messages cannot be told from replies")
	case errors.Is(err, feed.ErrNoAnswer):
		return errors.New("the server did not answer in time")
	case errors.Is(err, feed.ErrClosed):
		return errors.New("the server closed the connection")
	case errors.Is(err, feed.ErrRole):
		return errors.New("the role of the server has changed")
	case errors.Is(err, feed.ErrReplica):
		return errors.New("the server is not a primary")
	case errors.Is(err, feed.ErrMoved):
		return errors.New("the slots have another primary, or may have had one meanwhile")
	case errors.Is(err, feed.ErrTopology):
		return errors.New("the cluster has not confirmed in time who has which slots")
	case errors.Is(err, feed.ErrUnsubscribed):
		return errors.New("the server ended a subscription")
	case errors.As(err, &said):
		return fmt.Errorf("the server says: %s", quote.Line(string(said)))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server went away in mid-frame")
	case errors.As(err, &syntax):
		return fmt.Errorf("the server sent what is not RESP: %w", syntax)
	case errors.As(err, &limit):
		return fmt.Errorf("the server sent too much: %w", limit)
	case errors.As(err, new(*net.OpError)):
		return fmt.Errorf("connection lost: %w", dial.Cause(err))
	default:
		return errors.New(quote.Line(strings.TrimPrefix(err.Error(), "feed: ")))
	}
}
