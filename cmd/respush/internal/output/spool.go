package output

import (
	"io"
	"sync"
)

// A Spool collects lines and writes them in the background, for callers that
// must not wait for the output. It writes whole lines, in the order of Write.
// When too many lines wait, it drops and counts further ones. Its methods may
// be called concurrently, except Close, which is the last call.
//
// Invariant, with mu held: waiting holds the bytes that Write has received and
// that have not been written to out. A line is added only if waiting is empty
// or is at most limit long afterwards.
type Spool struct {
	out    io.Writer
	limit  int
	failed func(error)
	done   chan struct{} // closed when the writing goroutine has ended

	mu      sync.Mutex
	more    sync.Cond // waiting has grown, or closed has been set
	waiting []byte
	dropped uint64
	closed  bool
	err     error // of out
}

// NewSpool returns a Spool that holds about limit bytes for out. When out
// fails, the Spool calls failed once, with an *Error, and drops everything from
// then on.
func NewSpool(out io.Writer, limit int, failed func(error)) *Spool {
	s := &Spool{out: out, limit: limit, failed: failed, done: make(chan struct{})}
	s.more.L = &s.mu
	go s.run()
	return s
}

// Write copies line and returns at once.
func (s *Spool) Write(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(s.waiting) > 0 && len(s.waiting)+len(line) > s.limit {
		s.dropped++
		return
	}
	s.waiting = append(s.waiting, line...)
	s.more.Signal()
}

// Dropped returns the number of lines that have been dropped.
func (s *Spool) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Close waits until everything has been written, and returns the error of the
// output.
func (s *Spool) Close() error {
	s.mu.Lock()
	s.closed = true
	s.more.Signal()
	s.mu.Unlock()
	<-s.done
	return s.err
}

// run writes the lines that wait, until the Spool is closed.
func (s *Spool) run() {
	defer close(s.done)
	var lines []byte
	for {
		if lines = s.next(lines); len(lines) == 0 {
			return
		}
		if _, err := s.out.Write(lines); err != nil {
			s.fail(failed(err))
			return
		}
	}
}

// next waits for lines and returns them. It returns nothing when no more will
// come. spare is memory for the lines that come meanwhile.
func (s *Spool) next(spare []byte) []byte {
	if cap(spare) > s.limit {
		spare = nil // one long line is no reason to retain that much
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) == 0 && !s.closed {
		s.more.Wait()
	}
	lines := s.waiting
	s.waiting = spare[:0]
	return lines
}

func (s *Spool) fail(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.failed(err)
}
