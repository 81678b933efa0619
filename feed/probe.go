package feed

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seed79615202/respush/parser"
)

func (p Probe) every() time.Duration {
	if p.Every > 0 {
		return p.Every
	}
	return DefaultEvery
}

func (p Probe) within() time.Duration {
	if p.Within > 0 {
		return p.Within
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
		s.schedule(s.begun + int64(s.f.Probe.within()))
		s.sendProbe(forRound, s.first)
	case s.phase == settling, s.phase == arming:
		s.fail(ErrQueueLate)
	default:
		s.fail(ErrNoAnswer)
	}
}

// sendProbe sends a probe. The caller holds f.mu.
func (s *session) sendProbe(p purpose, probe []byte) {
	s.awaited.add(request{purpose: p})
	s.f.stats.Probes++
	s.write(probe)
}

// probed handles the answer to a probe. err is the refusal in it. The caller
// holds f.mu.
func (s *session) probed(p purpose, v parser.Value, err error) error {
	s.f.stats.Answers++
	if role := roleIn(v); role != nil && string(role) != s.role {
		s.fail(ErrRole)
		return nil
	}
	switch p {
	case forRole:
		if err != nil {
			s.first = probePing
		}
	case forReadiness:
		if err != nil && !passing(err) {
			s.last = s.first
		}
		s.phase = arming
		s.schedule(now() + int64(s.f.Probe.within()))
	case forEnd:
		return errEnd
	case forRound:
		if s.proves(forRound, s.phase == firstProbe, err) {
			s.phase = settling
		} else {
			s.phase = lastProbe
		}
	case forHandover:
		s.moving.probes++
		if s.proves(forHandover, s.moving.probes == 1, err) {
			return s.handedOver()
		}
	}
	return nil
}

// proves reports whether the answer to a probe proves that all has arrived that
// the server had to send when the first probe of its pair was sent. If it is the
// answer to the first, proves sends the last.
//
// Messages are sent at once, so that one answer proves it for them. The
// invalidations of a change are sent at the end of a turn of the server's event
// loop. The answer to a probe that is handled in the same turn precedes them. The
// last probe is sent when the first has been answered, so it is handled in a
// later turn, with one exception: a script that runs for too long lets the server
// answer in the middle of a turn. It then answers HELLO, and refuses PING. The
// caller holds f.mu.
func (s *session) proves(p purpose, first bool, err error) bool {
	switch {
	case s.f.Tracking == nil:
		return true
	case first:
		s.sendProbe(p, s.last)
		return false
	case err != nil && passing(err):
		s.fail(fmt.Errorf("%w: %w", ErrNoAnswer, err))
		return false
	}
	return true
}

// awaitQueues calls passed when all Queues have handled what they hold. The
// caller does not hold f.mu, and has set s.queues to their number and one.
func (s *session) awaitQueues() {
	for _, q := range s.f.Queues {
		q.Barrier(s.pass) // one that is closed is never passed
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
		s.gen = f.replace(f.Coverage().Gen, true, s.begun)
		f.stats.Arms++
		s.rest()
		s.startMove()
	case s.phase == settling:
		if s.gen == f.current.Load() {
			s.gen.advance(s.begun)
		}
		s.rest()
	}
	c := f.Coverage()
	f.mu.Unlock()
	if armed {
		f.tellArmed(s, c)
	}
}

// rest waits for the next round, which begins some time after AsOf. The time
// differs, so that many Feeds do not ask at once, and is a little shorter than
// Every, so that a dead server is noticed within Every and Within. The caller
// holds f.mu.
func (s *session) rest() {
	s.phase = resting
	every := int64(s.f.Probe.every())
	s.schedule(s.gen.asOf.Load() + every - every/20 - rand.N(every/8+1))
}
