package tail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/target"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/parser"
)

// A Watch listens to a server for as long as it is told to. It connects again
// when a connection is lost, and prints a line for each gap in which pushes may
// have been missed.
type Watch struct {
	Target  target.Target
	Options Options   // with Broadcast, or without Track
	Stdout  io.Writer // the pushes and gaps
	Stderr  io.Writer // the summary, and why there is no connection
	Record  io.Writer // gets every push that the server sends; may be nil
}

// Run listens until parent ends or the Options say so, and writes the summary.
// It returns nil for an end that was asked for. Until the server has once
// answered all that it was asked, any failure ends Run, which returns it.
func (w Watch) Run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	defer cancel(nil)
	defer follow(parent, cancel)()
	session := Session{Target: w.Target, Options: w.Options, Stdout: w.Stdout, Stderr: w.Stderr}
	v := &watching{run: newRun(session, cancel), record: w.Record}
	v.processor = newProcessor(v.push, v.report)
	v.feed = feed.Feed{
		Addr:          w.Target.Address(),
		Dial:          v.dial,
		ClientName:    w.Options.ClientName,
		Channels:      w.Options.Channels,
		Patterns:      w.Options.Patterns,
		ShardChannels: w.Options.ShardChannels,
		Processor:     v.processor,
		OnGap:         v.gap,
		OnArmed:       v.armed,
		OnError:       v.failed,
	}
	if w.Options.Broadcast {
		v.feed.Tracking = &feed.Tracking{Prefixes: w.Options.Prefixes}
	}
	if w.Target.Password != "" {
		v.feed.Auth = func(context.Context) (username, password string, err error) {
			return w.Target.User, w.Target.Password, nil
		}
	}
	err := v.feed.Run(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.inGap {
		v.missing += time.Since(v.lost)
	}
	return v.end(ctx, gapWords(err))
}

// watching is a Watch under way. Most of it happens on the goroutine of the
// Feed's Run; while the server moves, a second one dials, reads and fails.
type watching struct {
	*run
	feed   feed.Feed
	record io.Writer

	mu    sync.Mutex // guards what follows, and run
	inGap bool
	lost  time.Time     // the moment up to which nothing is missing, in a gap
	said  string        // why there is no connection, as last told
	stuck time.Duration // the longest write that has been told
	noted []string
}

// push prints, counts and records a push of the server.
func (v *watching) push(ctx context.Context, handlerCtx dispatch.NotificationHandlerContext, push parser.Frame) error {
	if handlerCtx.Conn == nil {
		return nil // a flush of the Feed's own: it is told as a gap
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.record != nil && !v.stopped {
		if _, err := v.record.Write(push.Raw()); err != nil {
			v.stop(err)
			return nil
		}
	}
	return v.run.push(ctx, handlerCtx, push)
}

// gap tells of a gap that begins.
func (v *watching) gap(_ context.Context, g feed.Gap) {
	if errors.Is(g.Cause, feed.ErrStart) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.gaps++
	v.inGap, v.lost = true, g.Since
	cause := gapWords(g.Cause).Error()
	v.said = cause // the Feed tells it as an error too
	if stuck := v.printer.out.Slowest(); stuck >= slow && stuck > v.stuck {
		v.stuck = stuck
		cause += " (" + stuckOutput(stuck) + ")"
	}
	v.print(v.printer.gap(g.Since, cause))
}

// armed tells of a gap that ends.
func (v *watching) armed(_ context.Context, c feed.Coverage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.listening, v.said = true, ""
	if !v.inGap {
		return
	}
	v.inGap = false
	lasted := c.AsOf.Sub(v.lost)
	v.missing += lasted
	v.print(v.printer.armed(v.lost, lasted))
}

// print ends the run if a line could not be printed. The caller holds mu.
func (v *watching) print(err error) {
	if err == nil {
		err = v.printer.flush()
	}
	if err != nil {
		v.stop(err)
	}
}

// failed ends the run if there has been no connection yet. Later it tells why
// there is none, when that changes: the Feed tries again.
func (v *watching) failed(ctx context.Context, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	err = gapWords(err)
	if !v.listening {
		v.stop(err)
		return
	}
	if said := err.Error(); said != v.said && ctx.Err() == nil && v.inGap {
		v.said = said
		fmt.Fprintf(v.Stderr, "respush: not connected: %s; trying again\n", said)
	}
}

// flush is that of run.
func (v *watching) flush() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.run.flush()
}

// noteOnce warns of something once.
func (v *watching) noteOnce(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !slices.Contains(v.noted, text) {
		v.noted = append(v.noted, text)
		v.warn(text)
	}
}

// dial connects, and finds out what kind of server that is. An address that is
// not the target's is one that the server wants its clients to move to.
func (v *watching) dial(ctx context.Context, addr string) (net.Conn, error) {
	t := v.Target
	if addr != t.Address() {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		t.Socket, t.Host, t.Port = "", host, port
	}
	conn, err := Dial(ctx, t, v.Options.TLS)
	if err == nil {
		if err = v.greet(ctx, conn); err == nil {
			return received(conn, v.flush), nil
		}
		conn.Close()
	}
	if ctx.Err() == context.DeadlineExceeded {
		err = fmt.Errorf("cannot connect to %s: no answer in time", addr)
	}
	return nil, err
}

// greet logs in, selects the database and notes what will not be shown. The Feed
// says HELLO once more, as it does on every connection.
func (v *watching) greet(ctx context.Context, conn net.Conn) error {
	g := newRun(Session{Conn: conn, Target: v.Target, Options: Options{ClientName: v.Options.ClientName}}, func(error) {})
	g.note = v.noteOnce
	g.processor = v.processor
	g.reader = parser.NewReader(conn)
	defer g.reader.Release()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return g.setUp(ctx)
}
