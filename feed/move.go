package feed

import (
	"context"
	"errors"
	"time"

	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A server that is about to close a connection says so with a MOVING push. The
// Feed then makes a successor before it breaks with the old connection: a second
// goroutine dials and sets up the new one, and keeps the pushes that arrive
// there. Then the old one is probed, as in a round. When that is answered, every
// push that the old server sent before the successor was set up has been
// handled. The goroutine of Run leaves the old connection, handles the pushes
// that were kept, and reads on from the new one. There is no gap, but what was
// sent to both arrives twice.

// move is the replacement of a session by a successor.
type move struct {
	addr    string
	due     bool // the time to dial has come
	started bool
	probes  int // probes of the old connection that have been answered
	timer   *time.Timer
	cancel  context.CancelFunc
	done    chan struct{} // closed when the goroutine that makes the successor has ended

	session *session       // the successor, when it has been set up
	stash   []parser.Frame // pushes that have arrived on it
	size    int            // bytes in stash
}

// maxStash is the number of bytes of pushes that may arrive before a successor
// is set up.
const maxStash = 1 << 20

// errStash is the error of a successor that gets more.
var errStash = errors.New("feed: too many pushes before the set-up was complete")

// announced notes a MOVING push.
func (s *session) announced(push parser.Frame) {
	moving, err := notify.ParseMoving(push)
	if err != nil {
		return // the handlers have it too
	}
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.moving != nil || s.failure != nil {
		return
	}
	m := &move{addr: s.f.Addr, done: make(chan struct{})}
	s.moving = m
	if !moving.SameAddress() {
		m.addr, m.due = moving.Endpoint.String(), true
		s.startMove()
		return
	}
	// The address leads to the new server only after a while. Half of the grace
	// leaves the other half for the move.
	m.timer = time.AfterFunc(max(moving.After/2, 0), func() {
		s.f.mu.Lock()
		defer s.f.mu.Unlock()
		m.due = true
		s.startMove()
	})
}

// startMove makes the successor of s if one is due, as soon as s is armed and no
// change of subscriptions is under way. Until the move has ended, none is sent.
// The caller holds f.mu.
func (s *session) startMove() {
	m := s.moving
	if m == nil || !m.due || m.started || s.failure != nil || s.gen == nil || s.changing() {
		return
	}
	m.started = true
	ctx, cancel := context.WithCancel(s.ctx)
	m.cancel = cancel
	go func() {
		defer close(m.done)
		defer cancel()
		s.f.makeSuccessor(ctx, s, m)
	}()
}

// makeSuccessor connects the successor of s.
func (f *Feed) makeSuccessor(ctx context.Context, s *session, m *move) {
	next, err := f.connect(ctx, s.ctx, m.addr, true, func(next *session, push parser.Frame) error {
		if m.size += len(push.Raw()); m.size > maxStash {
			return errStash
		}
		m.stash = append(m.stash, push.Clone())
		return nil
	})
	if err != nil && ctx.Err() == nil {
		f.tellError(ctx, err)
	}
	f.mu.Lock()
	if err != nil {
		f.stats.Failures++
		s.moving = nil
		s.sendChanges()
		f.mu.Unlock()
		return
	}
	m.session = next
	if s.failure == nil {
		s.sendProbe(forHandover, s.first)
	}
	f.mu.Unlock()
}

// handedOver gives the coverage of s to its successor, when everything that the
// old server sent has been handled. The caller holds f.mu.
func (s *session) handedOver() error {
	s.moving.session.gen = s.gen
	s.failure = errHandover
	s.timer.Stop()
	hangUp(s.conn)
	s.f.stats.Moves++
	return errHandover
}

// endMove ends the move of a session that has ended, and returns it if its
// successor has been begun.
func (s *session) endMove() *move {
	s.f.mu.Lock()
	m := s.moving
	if m != nil && m.timer != nil {
		m.timer.Stop()
	}
	begun := m != nil && m.started
	s.f.mu.Unlock()
	if !begun {
		return nil
	}
	m.cancel()
	<-m.done
	return m
}

// successor returns the session that m has made, or nil.
func (m *move) successor() *session {
	if m == nil {
		return nil
	}
	return m.session
}
