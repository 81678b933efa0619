// Package tail listens to one server, or to all primaries of a cluster, and
// prints every push that they send.
package tail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/cmd/respush/internal/tally"
	"github.com/seed79615202/respush/cmd/respush/internal/target"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/command"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A Session has the connection, the options and the files of Run. Ready may be
// nil.
type Session struct {
	Conn    net.Conn      // closed by Run
	Target  target.Target // its login and database
	Options Options
	Stdout  io.Writer // the pushes
	Stderr  io.Writer // the summary
	Record  io.Writer // receives every byte that the server sends; may be nil
	// Ready is called on a goroutine of its own once the set-up is done, with a
	// context that ends with the session. If it returns an error, the session
	// ends and Run returns that error.
	Ready func(ctx context.Context) error
}

// Run listens until parent ends, the Options demand an end or the connection
// fails. It then writes the summary. It returns nil for an end that the caller
// asked for; the end of Options.For is one if the set-up was done before. The
// caller makes sure that parent ends then, with the cause ErrElapsed.
func (s Session) Run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	defer cancel(nil)
	defer follow(parent, cancel)()
	r := newRun(s, cancel)
	r.processor = newProcessor(func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		r.push("", push)
		return nil
	}, r.report)
	r.reader = parser.NewReader(r.received(s.Conn))
	defer context.AfterFunc(ctx, func() { s.Conn.Close() })()
	defer s.Conn.Close()

	err := r.setUp(ctx)
	if err == nil {
		err = r.listen(ctx)
	}
	return r.end(ctx, err)
}

// follow ends a context, with a cause of this package, when parent ends.
func follow(parent context.Context, cancel context.CancelCauseFunc) (stop func() bool) {
	return context.AfterFunc(parent, func() {
		if cause := context.Cause(parent); cause == ErrElapsed {
			cancel(cause)
			return
		}
		cancel(errInterrupted)
	})
}

// A run is the state of Session.Run. Handlers run on the goroutine that reads,
// so nothing in it is locked. Once it has stopped, pushes are neither printed
// nor counted.
type run struct {
	Session
	cancel    context.CancelCauseFunc
	reader    *parser.Reader
	processor *dispatch.Processor
	note      func(text string)
	mode      string    // of the server, as it has answered HELLO
	requests  []request // of the set-up, not yet sent
	printer   *printer
	since     time.Time
	tally     tally.Tally
	nodes     map[string]int // pushes by the node of a cluster; nil for one server
	unknown   int            // pushes whose names notify does not know
	leftOut   int            // pushes that the filter does not pick
	gaps      int            // times in which pushes may have been missed
	missing   time.Duration  // of the gaps
	stopped   bool
	listening bool
}

func newRun(s Session, cancel context.CancelCauseFunc) *run {
	r := &run{
		Session: s,
		cancel:  cancel,
		printer: newPrinter(s.Stdout, s.Options.Format),
		since:   time.Now(),
	}
	r.note = r.warn
	return r
}

// received returns what conn receives, recorded if that is asked for. What was
// printed is out before it waits.
func (r *run) received(conn io.Reader) io.Reader {
	if r.Record != nil {
		conn = io.TeeReader(conn, r.Record)
	}
	return output.FlushingReader{Reader: conn, Flush: r.flush}
}

// newProcessor returns a processor that gives every push to one handler. A push
// over a limit is dropped, except by a Feed, for which it is a gap.
func newProcessor(push dispatch.HandlerFunc, report func(ctx context.Context, name []byte, err error)) *dispatch.Processor {
	return dispatch.NewProcessor(
		dispatch.WithPubSub(),
		dispatch.WithSkipOversize(),
		dispatch.WithFallback(push),
		dispatch.WithErrorHandler(report),
	)
}

// setUp sends the commands one at a time and waits for the answer to each.
// Pushes that arrive meanwhile are printed.
func (r *run) setUp(ctx context.Context) error {
	first := hello(r.Target, r.Options.ClientName)
	first.take = r.greeted
	r.requests = append([]request{first}, r.Options.requests(r.Target.DB)...)
	for len(r.requests) > 0 {
		req := r.requests[0]
		r.requests = r.requests[1:]
		if err := r.Conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return explain(err, "before "+req.args[0])
		}
		_, writeErr := r.Conn.Write(command.Append(nil, req.args...))
		if err := r.await(ctx, req); err != nil {
			return err // even if the write has failed: the server may have said why
		}
		if writeErr != nil {
			return explain(writeErr, "during "+req.args[0])
		}
	}
	return r.Conn.SetDeadline(time.Time{})
}

// await reads up to the answer to req, which it reads too.
func (r *run) await(ctx context.Context, req request) error {
	for !r.stopped {
		frame, err := r.reader.Next()
		if err != nil {
			return explain(err, "during "+req.args[0])
		}
		answered, err := req.answer(frame) // before a handler runs: frame is borrowed
		r.processor.Dispatch(ctx, dispatch.NotificationHandlerContext{}, frame)
		if answered || err != nil {
			return err
		}
	}
	return nil
}

// answer reports whether frame answers the request. It returns an error if that
// is a refusal.
func (req request) answer(frame parser.Frame) (bool, error) {
	switch {
	case frame.IsPush():
		return req.confirm != "" && string(frame.Name()) == req.confirm, nil
	case isError(frame) && req.optional:
		return true, nil
	case isError(frame):
		return false, refused(req, string(frame.Value().Bytes()))
	case req.confirm != "" && begins(frame, req.confirm):
		return false, fmt.Errorf("the server's confirmation of %s is of type %v, not push: it does not speak RESP3 throughout, and its messages cannot be told from replies",
			req.args[0], frame.Type())
	case req.args[0] == "HELLO" && frame.Type() != parser.TypeMap:
		return false, fmt.Errorf("the server does not speak RESP3, which pushes need (HELLO 3 answered with %v)", frame.Type())
	default:
		if req.take != nil {
			req.take(frame.Value())
		}
		return true, nil
	}
}

// listen prints pushes until the connection fails or r stops.
func (r *run) listen(ctx context.Context) error {
	r.listening = true
	var ready sync.WaitGroup
	if r.Ready != nil {
		ready.Add(1)
		go func() {
			defer ready.Done()
			if err := r.Ready(ctx); err != nil && ctx.Err() == nil {
				r.cancel(err)
			}
		}()
	}
	err := r.processor.Serve(ctx, dispatch.NotificationHandlerContext{}, r.reader, r.reply)
	r.cancel(r.ended(err))
	ready.Wait()
	return nil
}

// ended describes how the connection ended.
func (r *run) ended(err error) error {
	var said *replyError
	if errors.As(err, &said) {
		return said
	}
	if err == nil {
		err = io.EOF
	}
	explained := explain(err, "after "+tally.CountOf(r.tally.Pushes, "push", "pushes"))
	if stuck := r.printer.out.Slowest(); stuck >= slow && cutOff(err) {
		return fmt.Errorf("%w (%s)", explained, stuckOutput(stuck))
	}
	return explained
}

// end writes what has not been written yet. It returns the reason for the end
// unless the caller asked for it.
func (r *run) end(ctx context.Context, err error) error {
	flushErr := r.flush()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if flushErr != nil {
		err = flushErr
	}
	if output.Closed(err) {
		return err
	}
	if r.listening || r.tally.Pushes > 0 {
		r.summarise()
	}
	switch {
	case err == ErrElapsed && !r.listening:
		return fmt.Errorf("%w before the server had answered", err)
	case asked(err):
		return nil
	default:
		return err
	}
}

// summarise writes the totals, with a row for each name, the most frequent
// first, and the errors.
func (r *run) summarise() {
	stats := r.processor.Stats()
	fmt.Fprintf(r.Stderr, "--- %s\n", r.tally.Rate(time.Since(r.since)))
	table := tally.NewTable(r.Stderr)
	table.Tally(&r.tally)
	for _, node := range slices.Sorted(maps.Keys(r.nodes)) {
		table.Count(uint64(r.nodes[node]), "from "+quote.Line(node))
	}
	table.Count(uint64(r.unknown), "unhandled (names unknown to respush)")
	table.Count(stats.Errors+stats.Panics, "errors")
	if r.leftOut > 0 {
		table.Count(uint64(r.leftOut), "left out (--only, --match)")
	}
	if stats.Oversize > 0 {
		table.Count(stats.Oversize, "too large, not shown")
	}
	if r.gaps > 0 {
		table.Count(uint64(r.gaps), fmt.Sprintf("gaps, %v together", r.missing.Round(time.Millisecond)))
	}
	_ = table.Flush() // nobody reads it in that case
}

// push prints and counts a push that the filter picks. The node is the one of a
// cluster that sent it, or empty. It stops the run if that push was the last.
func (r *run) push(node string, push parser.Frame) {
	switch {
	case r.stopped:
		return
	case !r.Options.Filter.Picks(push):
		r.leftOut++
		return
	}
	r.tally.AddFrame(push)
	if r.nodes != nil {
		r.nodes[node]++
	}
	if notify.FamilyOf(push.Name()) == notify.FamilyUnknown {
		r.unknown++
	}
	if err := r.printer.print(node, push); err != nil {
		r.stop(err)
		return
	}
	if r.tally.Pushes == r.Options.Count {
		r.stop(errCounted)
	}
}

// A replyError is an error reply that answers no command of the set-up.
type replyError struct{ text string }

func (e *replyError) Error() string { return "the server says: " + quote.Line(e.text) }

// reply handles a reply outside of the set-up. Nothing was asked, so an error
// reply is the reason for which the server ends the connection.
func (r *run) reply(frame parser.Frame) error {
	if !isError(frame) {
		return nil
	}
	return &replyError{frame.Value().String()}
}

// report prints that a handler has failed. The processor counts it too.
func (r *run) report(_ context.Context, name []byte, err error) {
	fmt.Fprintf(r.Stderr, "respush: push %s: %s\n", quote.Word(name), quote.Line(err.Error()))
}

func (r *run) flush() error {
	if err := r.printer.flush(); err != nil {
		r.stop(err)
		return err
	}
	return nil
}

func (r *run) stop(cause error) {
	r.stopped = true
	r.cancel(cause)
}

func isError(frame parser.Frame) bool {
	return frame.Type() == parser.TypeSimpleError || frame.Type() == parser.TypeBulkError
}
