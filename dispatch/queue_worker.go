package dispatch

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/seed79615202/respush/parser"
)

// flushAll is the invalidation of every key.
var flushAll, _, _ = parser.Parse([]byte(">2\r\n$10\r\n" + invalidate + "\r\n_\r\n"))

// errGoexit is the error that is reported for a handler that ends the worker it
// runs on. Another goroutine then replaces the worker.
var errGoexit = errors.New("dispatch: handler called runtime.Goexit")

// work delivers the pushes of s until the queue is closed and s is empty.
func (q *Queue) work(s *shard) {
	over := false
	defer func() {
		if !over {
			go q.work(s)
			return
		}
		q.workers.Done()
	}()
	for !over {
		d, ok := q.next(s)
		switch {
		case ok && d.barrier != nil:
			q.reach(d.barrier)
		case ok:
			q.deliver(d)
		case q.ended(s):
			over = true
		default:
			<-s.wake
		}
	}
}

// delivery is a push that a worker delivers, or a barrier that it reaches.
type delivery struct {
	ctx        context.Context
	handlerCtx NotificationHandlerContext
	push       parser.Frame
	entry      *entry   // nil for a flush
	barrier    *barrier // nil for a push
	shard      *shard
}

// next removes from s the push to deliver next and returns it. It reports
// whether there is one.
func (q *Queue) next(s *shard) (delivery, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s.flush {
		d := delivery{ctx: s.ctx, handlerCtx: s.handlerCtx, push: flushAll, shard: s}
		s.busy = true
		s.flush, s.ctx, s.handlerCtx = false, nil, NotificationHandlerContext{}
		q.stats.Flushes++
		return d, true
	}
	e := s.waiting.first()
	if e == nil {
		return delivery{}, false
	}
	if b := e.barrier; b != nil {
		s.waiting.remove(e)
		q.spare(e)
		return delivery{barrier: b}, true
	}
	q.take(e)
	q.stats.Delivered++
	s.busy = true
	return delivery{ctx: e.ctx, handlerCtx: e.handlerCtx, push: e.push, entry: e, shard: s}, true
}

// ended reports whether s has nothing left to deliver and no push can arrive in
// it.
func (q *Queue) ended(s *shard) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && q.reserved == 0 && s.waiting.first() == nil && !s.flush
}

// deliver calls the handler with a push. It settles the delivery in any case,
// whether the handler returns, panics or ends the goroutine.
func (q *Queue) deliver(d delivery) {
	push := d.push
	if d.entry == nil {
		push = borrow(push) // all deliveries share flushAll
	}
	err, panicked := errGoexit, true
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		q.settle(d, push, err, panicked)
	}()
	err = q.handler.HandlePush(d.ctx, d.handlerCtx, push)
	panicked = false
}

// settle reports and counts the outcome of a delivery, and reclaims its memory.
func (q *Queue) settle(d delivery, push parser.Frame, err error, panicked bool) {
	reporterPanicked := err != nil // also true if the reporter ends the goroutine
	defer func() {
		expire(push)
		q.mu.Lock()
		defer q.mu.Unlock()
		d.shard.busy = false
		switch {
		case panicked:
			q.stats.Panics++
		case err != nil:
			q.stats.Errors++
		}
		if reporterPanicked {
			q.stats.Panics++
		}
		if d.entry != nil {
			q.spare(d.entry)
		}
	}()
	if err != nil {
		reporterPanicked = reportError(q.onError, d.ctx, push.Name(), err)
	}
}
