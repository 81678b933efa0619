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

// chunk is the size of the buffer through which bytes are passed on.
const chunk = 64 << 10

// maxPush bounds the memory for a push that is not yet whole. A larger push is
// passed on and not shown.
const maxPush = 64 << 20

// A link is one client and its connection to the server.
type link struct {
	client   *net.TCPConn
	upstream *net.TCPConn
	tap      *tap.Conn // of upstream
	problem  func(error)
}

// newLink returns a link that passes its pushes to h and its errors to problem.
func newLink(client, upstream *net.TCPConn, h dispatch.Handler, problem func(error)) *link {
	processor := dispatch.NewProcessor(dispatch.WithPubSub(), dispatch.WithFallback(h),
		dispatch.WithErrorHandler(func(_ context.Context, _ []byte, err error) { problem(unwatchable(err)) }))
	limits := parser.Limits{MaxFrame: maxPush, MaxBulk: maxPush, MaxElements: maxPush}
	return &link{
		client: client, upstream: upstream, problem: problem,
		tap: tap.NewConn(upstream, processor, tap.Observe(), tap.SkipOversize(), tap.WithLimits(limits)),
	}
}

// run passes on the bytes of both sides until both have ended.
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

// close closes both connections, in any state.
func (l *link) close() {
	l.client.Close()
	l.tap.Close()
}

// down passes on the bytes of the server.
func (l *link) down() error {
	err := pass(l.client, l.tap)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.problem(fmt.Errorf("connection to the server lost: %w", dial.Cause(err)))
	}
	return err
}

// unwatchable describes why the pushes of a stream can no longer be found.
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

// pass writes to dst what it reads from src, and passes on the end of src too.
// A failed write ends pass without an error. dst has ended in that case, and
// the goroutine that reads from dst handles that after it has passed on the
// last bytes.
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
			_ = dst.CloseWrite() // dst may have ended, which the goroutine that reads from it notices
			return nil
		case err != nil:
			return err
		}
	}
}
