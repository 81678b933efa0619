package e2e_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// A wire is a TCP connection that records what has been read from it. It is the
// bottom of a connection under test: the pushes that it has received are those
// that had to be delivered.
//
// Invariant: lines are those of the pushes in the whole frames received, and
// rest is what has arrived after them.
type wire struct {
	net.Conn
	told journal // of the handlers that know the wire

	mu    sync.Mutex
	rest  []byte
	lines []string
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p[:n]...)
	return n, err
}

// SyscallConn lets go-redis look at the socket as it does without a wire.
func (w *wire) SyscallConn() (syscall.RawConn, error) {
	return w.Conn.(syscall.Conn).SyscallConn()
}

// pushes returns a line for each whole push received, as a journal has them.
// Pushes inside replies are among them.
func (w *wire) pushes(tb testing.TB) []string {
	tb.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.rest) > 0 {
		f, n, err := parser.Parse(w.rest)
		if err != nil {
			require.ErrorIs(tb, err, parser.ErrIncomplete)
			break
		}
		for push := range f.NestedPushes() {
			w.lines = append(w.lines, push.Value().String())
		}
		if f.IsPush() {
			w.lines = append(w.lines, f.Value().String())
		}
		w.rest = w.rest[n:]
	}
	return slices.Clip(w.lines)
}

// inside reports whether what has been received ends inside a frame.
func (w *wire) inside(tb testing.TB) bool {
	tb.Helper()
	w.pushes(tb)
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.rest) > 0
}

// wires are the connections that a client has opened, in that order.
type wires struct {
	mu  sync.Mutex
	all []*wire
}

// dial opens a wire. It is a Dialer of go-redis.
func (ws *wires) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err == nil {
		err = conn.(*net.TCPConn).SetLinger(0) // tests that have thousands are not to leave their ports in TIME-WAIT
	}
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.all = append(ws.all, w)
	return w, nil
}

// list returns the wires so far.
func (ws *wires) list() []*wire {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return slices.Clip(ws.all)
}

// pushes returns the lines of all wires, one after another.
func (ws *wires) pushes(tb testing.TB) (lines []string) {
	tb.Helper()
	for _, w := range ws.list() {
		lines = append(lines, w.pushes(tb)...)
	}
	return lines
}
