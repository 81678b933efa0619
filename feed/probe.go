package feed

import (
	"time"

	"github.com/seed79615202/respush/parser"
)

func (f *Feed) every() time.Duration {
	if f.Probe.Every > 0 {
		return f.Probe.Every
	}
	return DefaultEvery
}

func (f *Feed) within() time.Duration {
	if f.Probe.Within > 0 {
		return f.Probe.Within
	}
	return DefaultWithin
}

// schedule makes tick look again at a moment. The caller holds f.mu.
func (s *session) schedule(moment int64) {
	s.deadline = moment
	s.timer.Reset(time.Duration(moment - now()))
}

// tick runs when the deadline may have passed.
func (s *session) tick() {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	switch {
	case s.failure != nil:
	case now() < s.deadline: // it has been moved meanwhile
		s.timer.Reset(time.Duration(s.deadline - now()))
	case s.phase == resting:
		s.begun = now()
		s.phase = firstProbe
		s.schedule(s.begun + int64(s.f.within()))
		s.sendProbe(forRound)
	case s.phase == settling:
		s.fail(ErrQueueLate)
	case s.phase != arming:
		s.fail(ErrNoAnswer)
	}
}

// sendProbe sends a probe. The caller holds f.mu.
func (s *session) sendProbe(p purpose) {
	s.awaited.add(command{purpose: p})
	s.f.stats.Probes++
	s.write(s.probe)
}

// probed handles the answer to a probe. err is the refusal in it. The caller
// holds f.mu.
func (s *session) probed(p purpose, v parser.Value, err error) error {
	s.f.stats.Answers++
	if err != nil {
		s.probe = probePing // the answer is as good as any
	} else if role := roleIn(v); role != nil && string(role) != s.role {
		s.fail(ErrRole)
		return nil
	}
	switch {
	case p == forReadiness:
		s.phase, s.ready = arming, now()
		s.timer.Stop()
	case p == forEnd:
		return errEnd
	case p == forHandover:
		return s.handedOver()
	case s.phase == firstProbe && s.f.Tracking != nil:
		// A server reports the changes of keys at the end of its event loop, so
		// the answer may precede those that were made before the probe. An
		// answer to a probe that was sent after it cannot.
		s.phase = lastProbe
		s.sendProbe(forRound)
	default:
		s.phase = settling
	}
	return nil
}

// awaitQueues calls passed when all Queues have handled what they hold. The
// caller does not hold f.mu, and has set s.queues to their number and one.
func (s *session) awaitQueues() {
	for _, q := range s.f.Queues {
		q.Barrier(s.passed) // one that is closed is never passed
	}
	s.passed()
}

// passed notes that a Queue has handled what it held.
func (s *session) passed() {
	if s.queues.Add(-1) > 0 {
		return
	}
	f := s.f
	f.mu.Lock()
	armed := false
	switch {
	case s.failure != nil:
	case s.phase == arming:
		armed = true
		s.gen = f.replace(f.Coverage().Gen, true, s.ready)
		f.stats.Arms++
		s.rest(now())
		s.startMove()
	case s.phase == settling:
		if s.gen == f.current.Load() {
			s.gen.advance(s.begun)
		}
		s.rest(s.begun)
	}
	f.mu.Unlock()
	if armed {
		f.tellArmed(s)
	}
}

// rest waits for the next round, which begins some time after a moment. The
// caller holds f.mu.
func (s *session) rest(moment int64) {
	s.phase = resting
	s.schedule(moment + int64(s.f.every()))
}
