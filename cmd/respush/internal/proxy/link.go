package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/seed79615202/respush/cmd/respush/internal/dial"
	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// chunk is how many bytes are passed on at once.
const chunk = 64 << 10

// maxPush bounds the memory that a push takes until it is whole; a larger one is
// passed on and not shown.
const maxPush = 64 << 20

// A link is one client and its connection to the server.
type link struct {
	client   *net.TCPConn
	upstream *net.TCPConn
	tap      *tap.Conn // of upstream
	problem  func(error)
}

// newLink returns a link whose pushes go to h, and what goes wrong to problem.
func newLink(client, upstream *net.TCPConn, h dispatch.Handler, problem func(error)) *link {
	processor := dispatch.NewProcessor(dispatch.WithPubSub(), dispatch.WithFallback(h),
		dispatch.WithErrorHandler(func(_ context.Context, _ []byte, err error) { problem(unwatchable(err)) }))
	limits := parser.Limits{MaxFrame: maxPush, MaxBulk: maxPush, MaxElements: maxPush}
	return &link{
		client: client, upstream: upstream, problem: problem,
		tap: tap.NewConn(upstream, processor, tap.Observe(), tap.SkipOversize(), tap.WithLimits(limits)),
	}
}

// run passes on what both sides say until both have ended.
func (l *link) run() {
	defer l.close()
	var up sync.WaitGroup
	up.Add(1)
	go func() {
		defer up.Done()
		if err := pass(l.upstream, l.client); err != nil {
			l.close()
		}
	}()
	if err := l.down(); err != nil {
		l.close()
	}
	up.Wait()
}

// close ends both connections, in any state.
func (l *link) close() {
	l.client.Close()
	l.tap.Close()
}

// down passes on what the server says.
func (l *link) down() error {
	err := pass(l.client, l.tap)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.problem(fmt.Errorf("connection to the server lost: %w", dial.Cause(err)))
	}
	return err
}

// unwatchable says in words why a stream of the server cannot be watched on.
func unwatchable(err error) error {
	var syntax *parser.SyntaxError
	var limit *parser.LimitError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("passed on, but no longer watched for pushes: the server's stream is malformed at offset %d: %w", syntax.Offset, syntax.Err)
	case errors.As(err, &limit):
		return fmt.Errorf("passed on, but no longer watched for pushes: the server's stream is nested too deep at offset %d", limit.Offset)
	default:
		return err
	}
}

// pass writes to dst what it reads from src, and the end of that too. A write that
// fails ends it without an error: dst is gone then, and the reading from it tells
// what is to be done about that, when what it has still sent has been passed on.
func pass(dst *net.TCPConn, src io.Reader) error {
	buf := make([]byte, chunk)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := dst.Write(buf[:n]); err != nil {
				return nil
			}
		}
		switch {
		case err == io.EOF:
			_ = dst.CloseWrite() // dst may be gone, which the reading from it tells
			return nil
		case err != nil:
			return err
		}
	}
}
