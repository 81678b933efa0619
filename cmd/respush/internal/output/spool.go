package output

import (
	"io"
	"sync"
)

// A Spool collects lines and writes them in the background, for those who must
// not wait for the output. Lines come out whole, in the order of Write. When too
// many wait further ones are dropped and counted. Its methods may be called at
// the same time, but for Close, which is the last.
//
// Invariant, with mu held: waiting is what has been given to Write, and not yet
// to out; a line is only added to it when it is empty or then at most limit long.
type Spool struct {
	out    io.Writer
	limit  int
	failed func(error)
	done   chan struct{} // closed when the writing has ended

	mu      sync.Mutex
	more    sync.Cond // waiting has grown, or closed has been set
	waiting []byte
	dropped uint64
	closed  bool
	err     error // of out
}

// NewSpool returns a Spool that holds about limit bytes for out. When out fails
// it calls failed once, with an *Error, and drops everything from then on.
func NewSpool(out io.Writer, limit int, failed func(error)) *Spool {
	s := &Spool{out: out, limit: limit, failed: failed, done: make(chan struct{})}
	s.more.L = &s.mu
	go s.run()
	return s
}

// Write takes a copy of line and returns at once.
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

// Dropped returns how many lines have been dropped.
func (s *Spool) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Close waits until everything has been written, and returns the error of that.
func (s *Spool) Close() error {
	s.mu.Lock()
	s.closed = true
	s.more.Signal()
	s.mu.Unlock()
	<-s.done
	return s.err
}

// run writes what waits until the Spool is closed.
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

// next waits for lines and returns them, nothing when there will be none. Spare
// is memory for what comes meanwhile.
func (s *Spool) next(spare []byte) []byte {
	if cap(spare) > s.limit {
		spare = nil // one long line is no reason to keep that much
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
