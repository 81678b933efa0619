package dispatch

// barrier is a call of Queue.Barrier that waits for its shards.
type barrier struct {
	shards int // those that have not reached it
	f      func()
	spare  *barrier // the next one in Queue.reached
}

// Barrier calls f once when the handler has returned from every push that
// HandlePush accepted before this call, flushes included. A push that the policy
// dropped does not delay it. Pushes that arrive later may be delivered before f
// is called.
//
// If nothing is under way, Barrier calls f itself. Otherwise a worker calls it,
// so f must not block. Barrier returns false, and does not call f, when the
// Queue is closed. f is not called either when Close gives up before. Barrier
// does not allocate once as many barriers have been under way at a time.
func (q *Queue) Barrier(f func()) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	b := q.reached
	if b == nil {
		b = new(barrier)
	} else {
		q.reached = b.spare
	}
	*b = barrier{f: f}
	for i := range q.shards {
		if s := &q.shards[i]; s.busy || s.flush || s.waiting.first() != nil {
			e := q.entry()
			e.shard, e.barrier = s, b
			s.waiting.add(e)
			s.signal()
			b.shards++
		}
	}
	idle := b.shards == 0
	if idle {
		q.spareBarrier(b)
	}
	q.mu.Unlock()
	if idle {
		f()
	}
	return true
}

// reach tells b that one of its shards has reached it.
func (q *Queue) reach(b *barrier) {
	q.mu.Lock()
	b.shards--
	var f func()
	if b.shards == 0 {
		f = b.f
		q.spareBarrier(b)
	}
	q.mu.Unlock()
	if f != nil {
		f()
	}
}

// spareBarrier makes b available for another call.
func (q *Queue) spareBarrier(b *barrier) {
	*b = barrier{spare: q.reached}
	q.reached = b
}

// removeBarriers forgets the barriers of s, which stand behind pushes that are
// dropped.
func (s *shard) removeBarriers() {
	for e := s.waiting.first(); e != nil; {
		next := s.waiting.next(e)
		if e.barrier != nil {
			s.waiting.remove(e)
		}
		e = next
	}
}
