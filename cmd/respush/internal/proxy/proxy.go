// Package proxy passes connections on to a server, and prints the pushes that
// flow back.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/dial"
	"github.com/seed79615202/respush/cmd/respush/internal/pushline"
	"github.com/seed79615202/respush/cmd/respush/internal/quote"
)

// A Proxy has the options and the files of Run.
type Proxy struct {
	Listener net.Listener // of TCP clients; closed by Run
	Upstream string       // host:port of the server
	Format   pushline.Format
	Stdout   io.Writer // the pushes
	Stderr   io.Writer // errors, and the summary
	Record   io.Writer // receives every push that the proxy sees; may be nil
}

// Run passes clients on until ctx ends, or until Stdout or Record fails. It
// then closes all connections and writes the summary. It returns nil if ctx has
// ended.
func (p Proxy) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{Proxy: p, cancel: cancel}
	r.show = newShow(p, cancel)
	defer context.AfterFunc(ctx, func() { p.Listener.Close() })()

	err := r.accept(ctx)
	cancel(err)
	r.links.Wait()
	closeErr := r.show.close()
	if closeErr != nil {
		return closeErr
	}
	r.summarise()
	return err
}

// A run is the state of Proxy.Run.
type run struct {
	Proxy
	cancel  context.CancelCauseFunc
	show    *show
	links   sync.WaitGroup
	clients int

	mu sync.Mutex // of Stderr
}

// accept passes on every client that connects, until ctx ends.
func (r *run) accept(ctx context.Context) error {
	defer r.Listener.Close()
	for {
		conn, err := r.Listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case err == nil:
			r.clients++
			r.links.Add(1)
			go func() {
				defer r.links.Done()
				r.pass(ctx, conn.(*net.TCPConn))
			}()
		case exhausted(err):
			r.tell("cannot accept a client for now", dial.Cause(err))
			pause(ctx)
		default:
			return fmt.Errorf("cannot accept clients: %w", dial.Cause(err))
		}
	}
}

// pass connects a client to the server, and passes on the bytes of both until
// both have ended.
func (r *run) pass(ctx context.Context, client *net.TCPConn) {
	defer client.Close()
	name := client.RemoteAddr().String()
	upstream, err := dial.TCP(ctx, &net.Dialer{}, r.Upstream)
	if err != nil {
		if ctx.Err() == nil {
			r.tell(name, err)
		}
		return
	}
	defer upstream.Close()
	l := newLink(client, upstream.(*net.TCPConn), r.show.handler(name), func(problem error) {
		if ctx.Err() == nil { // otherwise this process caused the error
			r.tell(name, problem)
		}
	})
	defer context.AfterFunc(ctx, l.close)()
	l.run()
	r.show.missed(l.tap.Stats().Oversize)
}

// summarise writes the totals of the pushes, with a row for each name, and what
// was not shown.
func (r *run) summarise() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.show.summarise(r.Stderr, r.clients)
}

// tell writes a line about an error.
func (r *run) tell(about string, problem error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.Stderr, "respush: %s: %s\n", about, quote.Line(problem.Error()))
}

// exhausted reports whether err of an Accept will pass.
func exhausted(err error) bool {
	for _, passing := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

// pause waits until resources may be free again.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(100 * time.Millisecond):
	}
}
