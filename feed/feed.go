package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// Tracking asks a server for the invalidations of keys, with CLIENT TRACKING ON
// BCAST.
type Tracking struct {
	// Prefixes limits the keys to those that begin with one of them. No prefix
	// may begin with another, as servers refuse that. None means all keys.
	Prefixes []string
	// NoLoop leaves out the keys that this connection itself changes. A Feed
	// changes none.
	NoLoop bool
}

// Probe says how a Feed finds out whether its server is still there. It asks the
// server, twice if it tracks keys, and all answers have to arrive in time.
//
// A dead server is noticed after Every + Within at the latest, and a Feed that
// is armed is never further behind than that. Every has to be below the
// server's idle timeout if that is set (timeout in redis.conf).
type Probe struct {
	// Every is the longest time from one question to the next. The Feed varies
	// it a little. 0 means 3 s.
	Every time.Duration
	// Within is the time in which the answers have to arrive, those to the
	// set-up included. 0 means 2 s.
	Within time.Duration
}

// The defaults of Probe.
const (
	DefaultEvery  = 3 * time.Second
	DefaultWithin = 2 * time.Second
)

// Feed keeps one connection to a server for its pushes. Fill in the fields, then
// call Run. The fields must not change after the first call of a method. The
// package documentation says what may be relied on.
//
// All methods may be called concurrently.
type Feed struct {
	// Addr is host:port, or the path of a unix socket. A host is resolved at
	// each dial.
	Addr string
	// Dial opens a connection. nil means a net.Dialer; DialTLS returns a
	// function for TLS. ctx ends after five seconds.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// Auth returns the credentials for the next connection. It is called at each
	// dial, so that they may change. An empty username is that of the default
	// user, and an empty password means none. nil means that the server needs none.
	Auth func(ctx context.Context) (username, password string, err error)
	// ClientName is the name of the connection in CLIENT LIST, if not empty.
	ClientName string
	// Tracking asks for invalidations. nil means none.
	Tracking *Tracking
	// Channels, Patterns and ShardChannels are subscribed to from the start.
	// Subscribe and Unsubscribe change them later.
	Channels, Patterns, ShardChannels []string
	// Processor handles the pushes, those of publish and subscribe included. If it
	// is nil, Run sets it to one without handlers. The handlers run on the
	// goroutine of Run. The Client of their handler context is the *Feed, and the
	// Conn the net.Conn. For a flush that the Feed makes itself, Conn is nil.
	Processor *dispatch.Processor
	// Limits bounds the frames that the server may send, as with
	// [parser.WithLimits]. It has to admit the replies to the set-up, such as that
	// to HELLO. A frame over a limit ends the connection, which is a gap, even if
	// Processor has [dispatch.WithSkipOversize].
	Limits parser.Limits
	// Queues are those behind which handlers of Processor work. With Tracking
	// they must not drop pushes: their policy is Block or CoalesceToFlush.
	Queues []*dispatch.Queue
	// Probe says how often the server is asked whether it is there.
	Probe Probe
	// Backoff makes the Backoff of a Run. nil means a jittered one between
	// 100 ms and 5 s.
	Backoff func() Backoff
	// OnGap is called when a gap begins, after the caches have been flushed, on
	// the goroutine of Run. It may be nil, as may OnArmed and OnError. The three
	// may run concurrently, and OnGap may come before the OnArmed of the
	// generation that it ends. None may block.
	OnGap func(ctx context.Context, g Gap)
	// OnArmed is called when a gap has ended, on the goroutine of Run or on a
	// worker of one of the Queues.
	OnArmed func(ctx context.Context, c Coverage)
	// OnError is called for each attempt that failed and will be repeated, on the
	// goroutine of Run or on one that prepares a move. The cause of a gap is told
	// to OnGap only.
	OnError func(ctx context.Context, err error)
	// Logger receives what the three functions receive. nil means no log.
	Logger *slog.Logger

	current atomic.Pointer[generation]

	mu       sync.Mutex // guards what follows, and the state of sessions
	running  bool
	shutting bool // Shutdown has been called
	over     *dispatch.Overlay
	session  *session     // the one that is served, or nil
	wanted   [kinds]names // subscriptions that each connection begins with
	changes  []*change    // changes that have not ended
	end      context.CancelCauseFunc
	ended    chan struct{} // closed when Run returns
	stats    Stats

	serving *session // what Run's goroutine reads from
	member  *member  // what the Feed is to its Cluster, or nil
}

// Errors of Run and of the fields.
var (
	errRunning = errors.New("feed: Run has been called already")
	errDrops   = errors.New("feed: a Queue that drops pushes makes a cache stale; its policy must be Block or CoalesceToFlush")
)

// stopped is the cause of a context that Stop or Shutdown has ended.
type stopped struct{ err error }

// Error returns a text that nobody sees: Run returns err.
func (s *stopped) Error() string { return "feed: stopped" }

// Run keeps the Feed connected until ctx ends, and then returns the error of
// ctx. After [Feed.Stop] it returns the error given to that, and after
// [Feed.Shutdown] nil.
//
// As long as it has never been armed, Run also returns the [*SetupError] of a
// server that refuses a command, since somebody has to change something: the
// password, the permissions, the server. Errors of the network, and those of a
// server that is not ready yet, are repeated from the start. Later every error
// is.
//
// A Feed runs once at a time. It may run again after Run has returned, with the
// subscriptions that it had then, and after Shutdown with those of the fields.
func (f *Feed) Run(ctx context.Context) error {
	if err := f.check(); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f.mu.Lock()
	if f.running {
		f.mu.Unlock()
		return errRunning
	}
	f.load()
	f.prepareOverlay()
	gen, since := f.disarm()
	f.running, f.shutting, f.end, f.ended = true, false, stop, make(chan struct{})
	f.mu.Unlock()
	defer f.finish()

	f.tell(ctx, Gap{Gen: gen.gen, Since: since, Addr: f.Addr, Cause: ErrStart})
	err := f.keep(ctx)
	var s *stopped
	switch {
	case errors.As(context.Cause(ctx), &s):
		return s.err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}

// check returns an error if the fields contradict each other.
func (f *Feed) check() error {
	if f.Addr == "" {
		return errors.New("feed: no address")
	}
	if f.Tracking == nil {
		return nil
	}
	for i, p := range f.Tracking.Prefixes {
		for j, q := range f.Tracking.Prefixes {
			if i != j && strings.HasPrefix(q, p) {
				return fmt.Errorf("feed: prefix %q begins with prefix %q, and servers refuse prefixes that overlap", q, p)
			}
		}
	}
	for _, q := range f.Queues {
		if o := q.Overflow(); o == dispatch.DropNewest || o == dispatch.DropOldest {
			return errDrops
		}
	}
	return nil
}

// finish ends a Run: the Feed vouches for nothing any more. This is no gap,
// since nobody waits for its end.
func (f *Feed) finish() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Coverage().Armed {
		f.disarm()
	} else {
		f.replace(f.Coverage().Gen, false, 0) // counts the time
	}
	if f.shutting {
		f.wanted = [kinds]names{} // for load
	}
	f.running = false
	close(f.ended)
}

// Stop ends Run, which returns err. A handler may call it. If the Feed is not
// running, Stop does nothing.
func (f *Feed) Stop(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running {
		f.end(&stopped{err})
	}
}

// Shutdown ends Run in order. It ends all subscriptions, waits until the server
// has confirmed that, and until the handlers and the Queues have handled every
// push that came before. Run then returns nil, and so does Shutdown. If ctx ends
// first, Run returns at once, and Shutdown returns the error of ctx.
//
// A handler that runs on the goroutine of Run or behind one of the Queues must
// not call it.
func (f *Feed) Shutdown(ctx context.Context) error {
	f.mu.Lock()
	if !f.running {
		f.mu.Unlock()
		return nil
	}
	ended := f.ended
	f.shutting = true
	if s := f.session; s == nil || !s.sendEnd() {
		f.end(&stopped{})
	}
	f.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		f.Stop(nil)
		<-ended
		return ctx.Err()
	}
	return f.drain(ctx)
}

// drain waits until the Queues have handled what they hold.
func (f *Feed) drain(ctx context.Context) error {
	drained := make(chan struct{}, len(f.Queues))
	for _, q := range f.Queues {
		if !q.Barrier(func() { drained <- struct{}{} }) {
			continue // Close waits for them
		}
		select {
		case <-drained:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// prepareOverlay makes the observers of the pushes that the Feed itself needs to
// see. The caller holds f.mu.
func (f *Feed) prepareOverlay() {
	if f.over != nil {
		return
	}
	if f.Processor == nil {
		f.Processor = dispatch.NewProcessor()
	}
	f.over = f.Processor.Overlay()
	see := func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		f.serving.see(push)
		return nil
	}
	for _, name := range seen {
		_ = f.over.Observe(name, see) // cannot fail, since each name is new
	}
}
