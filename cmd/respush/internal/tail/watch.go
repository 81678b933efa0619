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

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/cmd/respush/internal/target"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/parser"
)

// A Watch listens to a server, or to all primaries of a cluster, for as long as
// it is told to. It connects again when a connection is lost, and prints a line
// for each gap in which pushes may have been missed.
type Watch struct {
	Target  target.Target // the server, or a node of the cluster
	Options Options       // with Broadcast, or without Track
	Stdout  io.Writer     // the pushes and gaps
	Stderr  io.Writer     // the summary, and why there is no connection
	Record  io.Writer     // gets every push that is sent; may be nil
}

// Run listens until parent ends or the Options say so, and writes the summary.
// It returns nil for an end that was asked for. Until the server has once
// answered all that it was asked, any failure ends Run, which returns it. Of a
// cluster, the node of Target has to be reached, and enough others to know who
// has which slots.
func (w Watch) Run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	defer cancel(nil)
	defer follow(parent, cancel)()
	w.Options.Format.Nodes = w.Options.Cluster
	session := Session{Target: w.Target, Options: w.Options, Stdout: w.Stdout, Stderr: w.Stderr}
	v := &watching{run: newRun(session, cancel), record: w.Record}
	v.processor = newProcessor(v.push, v.report)
	var err error
	if w.Options.Cluster {
		err = newClusterWatching(v).keep(ctx)
	} else {
		err = v.keep(ctx)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.inGap {
		v.missing += time.Since(v.lost)
	}
	return v.end(ctx, gapWords(err))
}

// watching is a Watch under way. Most of it happens on the goroutine of the
// Feed's Run; while the server moves, a second one dials, reads and fails. A
// cluster has such goroutines for each node.
type watching struct {
	*run
	record io.Writer

	mu    sync.Mutex // guards what follows, and run
	inGap bool
	lost  time.Time     // the moment up to which nothing is missing, in a gap
	said  string        // why there is no connection, as last told
	stuck time.Duration // the longest write that has been told
	noted []string
}

// keep runs a Feed until ctx ends.
func (v *watching) keep(ctx context.Context) error {
	f := v.newFeed(v.Target.Address())
	f.Channels, f.Patterns, f.ShardChannels = v.Options.Channels, v.Options.Patterns, v.Options.ShardChannels
	f.OnGap, f.OnArmed, f.OnError = v.gap, v.armed, v.failed
	return f.Run(ctx)
}

// newFeed returns a Feed without subscriptions.
func (v *watching) newFeed(addr string) *feed.Feed {
	f := &feed.Feed{Addr: addr, Dial: v.dial, ClientName: v.Options.ClientName, Processor: v.processor}
	if v.Options.Broadcast {
		f.Tracking = &feed.Tracking{Prefixes: v.Options.Prefixes}
	}
	if v.Target.Password != "" {
		f.Auth = func(context.Context) (username, password string, err error) {
			return v.Target.User, v.Target.Password, nil
		}
	}
	return f
}

// push prints, counts and records a push of the server.
func (v *watching) push(_ context.Context, handlerCtx dispatch.NotificationHandlerContext, push parser.Frame) error {
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
	v.run.push(nodeOf(handlerCtx.Conn), push)
	return nil
}

// gap tells of a gap that begins.
func (v *watching) gap(_ context.Context, g feed.Gap) {
	if errors.Is(g.Cause, feed.ErrStart) {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.inGap, v.lost = true, g.Since
	v.said = gapWords(g.Cause).Error() // the Feed tells it as an error too
	v.printGap(jsonline.Part{}, g)
}

// printGap prints and counts a gap of a part of a cluster, or of the server. The
// caller holds mu.
func (v *watching) printGap(of jsonline.Part, g feed.Gap) {
	v.gaps++
	cause := gapWords(g.Cause).Error()
	if stuck := v.printer.out.Slowest(); stuck >= slow && stuck > v.stuck {
		v.stuck = stuck
		cause += " (" + stuckOutput(stuck) + ")"
	}
	v.print(v.printer.gap(of, g.Since, cause))
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
	v.print(v.printer.armed(jsonline.Part{}, v.lost, lasted))
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

// dial connects, and finds out what kind of server that is.
func (v *watching) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, _, err := v.connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	node := ""
	if v.Options.Cluster {
		node = addr
	}
	return received(conn, node, v.flush), nil
}

// connect is dial without a reader that flushes. It also returns the mode of the
// server, as it has answered HELLO.
func (v *watching) connect(ctx context.Context, addr string) (conn net.Conn, mode string, err error) {
	conn, err = v.open(ctx, addr)
	if err == nil {
		if mode, err = v.greet(ctx, conn); err == nil {
			return conn, mode, nil
		}
		conn.Close()
	}
	if ctx.Err() == context.DeadlineExceeded {
		err = fmt.Errorf("cannot connect to %s: no answer in time", addr)
	}
	return nil, "", err
}

// open opens a connection. An address that is not the target's is one that the
// server wants its clients to move to, or another node of the cluster.
func (v *watching) open(ctx context.Context, addr string) (net.Conn, error) {
	t := v.Target
	if addr != t.Address() {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		t.Socket, t.Host, t.Port = "", host, port
	}
	return Dial(ctx, t, v.Options.TLS)
}

// greet logs in, selects the database and notes what will not be shown. The Feed
// says HELLO once more, as it does on every connection.
func (v *watching) greet(ctx context.Context, conn net.Conn) (mode string, err error) {
	options := Options{ClientName: v.Options.ClientName, Cluster: v.Options.Cluster}
	g := newRun(Session{Conn: conn, Target: v.Target, Options: options}, func(error) {})
	g.note = v.noteOnce
	g.processor = v.processor
	g.reader = parser.NewReader(conn)
	defer g.reader.Release()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	err = g.setUp(ctx)
	return g.mode, err
}
