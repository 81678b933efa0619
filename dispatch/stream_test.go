package dispatch_test

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

// stream is the reading side of a connection that a test controls. Each Read returns one piece, or as much of it as fits,
// as a socket returns the bytes that have arrived. When there is no piece, Read signals that and blocks, as it does on a
// socket on which nothing arrives.
type stream struct {
	mu      sync.Mutex
	more    sync.Cond
	pieces  []any         // strings and errors in the order of arrival
	starved chan struct{} // gets a token when a Read begins to wait
	reads   atomic.Int64
	closed  atomic.Bool // Read must not be called
	misused atomic.Bool // and was
}

// newStream returns a stream of pieces, each a string or an error. io.EOF is the end: it is returned again and again.
func newStream(t *testing.T, pieces ...any) *stream {
	s := &stream{starved: make(chan struct{}, 1)}
	s.more.L = &s.mu
	s.send(pieces...)
	t.Cleanup(func() { s.send(io.EOF) })
	return s
}

// send makes pieces arrive.
func (s *stream) send(pieces ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range pieces {
		if p != "" {
			s.pieces = append(s.pieces, p)
		}
	}
	s.more.Broadcast()
}

func (s *stream) Read(b []byte) (int, error) {
	s.reads.Add(1)
	if s.closed.Load() {
		s.misused.Store(true)
		return 0, io.ErrClosedPipe
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pieces) == 0 {
		select {
		case s.starved <- struct{}{}:
		default:
		}
	}
	for len(s.pieces) == 0 {
		s.more.Wait()
	}
	if err, ok := s.pieces[0].(error); ok {
		if err != io.EOF {
			s.pieces = s.pieces[1:]
		}
		return 0, err
	}
	p := s.pieces[0].(string)
	n := copy(b, p)
	if s.pieces[0] = p[n:]; n == len(p) {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

// within runs f and fails the test if f waits for bytes that do not come.
func (s *stream) within(t *testing.T, f func()) {
	t.Helper()
	select {
	case <-background(f):
	case <-s.starved:
		t.Fatal("waits for bytes that nothing guarantees")
	}
}

// waiting runs f, fails the test unless f waits for more bytes, and returns a channel that is closed when f returns.
func (s *stream) waiting(t *testing.T, f func()) (done <-chan struct{}) {
	t.Helper()
	done = background(f)
	select {
	case <-done:
		t.Fatal("returned, and had to wait for the rest of a frame")
	case <-s.starved:
	}
	return done
}

// without runs f and fails the test if f reads.
func (s *stream) without(t *testing.T, f func()) {
	t.Helper()
	s.closed.Store(true)
	f()
	s.closed.Store(false)
	if s.misused.Load() {
		t.Fatal("reads from the connection")
	}
}

// background runs f on its own goroutine; the channel is closed when that ends.
func background(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return done
}

// timeout is what a read returns when its deadline has passed.
var timeout error = os.ErrDeadlineExceeded

// bytewise cuts wire into single bytes and puts the further pieces behind each of them.
func bytewise(wire string, behind ...any) []any {
	var pieces []any
	for i := range len(wire) {
		pieces = append(append(pieces, wire[i:i+1]), behind...)
	}
	return pieces
}

// chunks cuts wire into pieces of n bytes.
func chunks(wire string, n int) []any {
	var pieces []any
	for ; len(wire) > n; wire = wire[n:] {
		pieces = append(pieces, wire[:n])
	}
	return append(pieces, wire)
}
