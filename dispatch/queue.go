package dispatch

import (
	"context"
	"errors"
	"hash/maphash"
	"reflect"
	"sync"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/parser"
)

// ErrQueueClosed is the error that [Queue.HandlePush] returns after Close.
var ErrQueueClosed = errors.New("dispatch: queue closed")

// Overflow is the policy of a [Queue] for a push that arrives when it is full.
type Overflow int

// The overflow policies.
const (
	// Block makes HandlePush, and with it the goroutine that reads the
	// connection, wait for room or for the end of its context.
	Block Overflow = iota
	// DropNewest drops the push that finds no room.
	DropNewest
	// DropOldest drops the push that has waited longest.
	DropOldest
	// CoalesceToFlush is for a cache. When there is no room, one invalidation
	// that flushes everything replaces all invalidations that wait. The worker
	// of the invalidations delivers it next. Until then it also replaces the
	// invalidations that arrive. Other pushes use the room that this makes. If
	// no invalidation waits, they wait for room as with Block. The flush has
	// the context and the handler context of the last invalidation that it
	// replaces, so one Queue with this policy serves one cache.
	CoalesceToFlush
)

// The defaults of [NewQueue].
const (
	DefaultQueueSize    = 1024
	DefaultQueueWorkers = 1
)

// QueueOption configures a [Queue]. The names of these options begin with Queue,
// as those that begin with With configure a [Processor].
type QueueOption func(*Queue)

// QueueSize sets the number of pushes that may wait. A smaller n than 1 counts
// as 1. The default is [DefaultQueueSize].
func QueueSize(n int) QueueOption { return func(q *Queue) { q.size = max(n, 1) } }

// QueueWorkers sets the number of workers, the goroutines that call the
// handler. A smaller n than 1 counts as 1. One worker delivers all pushes of a
// lane. The default is [DefaultQueueWorkers].
func QueueWorkers(n int) QueueOption {
	return func(q *Queue) { q.shards = make([]shard, max(n, 1)) }
}

// QueueOverflow sets the overflow policy. The default is [Block].
func QueueOverflow(o Overflow) QueueOption { return func(q *Queue) { q.overflow = o } }

// QueueErrorHandler makes f the receiver of the handler's errors and panics, as
// [WithErrorHandler] does for a processor. f is called on the worker, and
// concurrently if there are several.
func QueueErrorHandler(f func(ctx context.Context, name []byte, err error)) QueueOption {
	return func(q *Queue) { q.onError = f }
}

// Queue is a [Handler] that copies each push and delivers the copy to another
// handler on a goroutine of its own, a worker. At most as many pushes wait as
// its size allows, and each worker has one more. A Queue counts the pushes that
// it drops.
//
// Each push belongs to a lane. The pushes of a lane are delivered one after
// another, in the order of their arrival, however many workers there are. The
// lanes are:
//
//   - one for each channel: its message, smessage, subscribe, ssubscribe,
//     unsubscribe and sunsubscribe pushes
//   - one for each pattern: its pmessage, psubscribe and punsubscribe pushes
//   - one for all invalidate pushes, whatever their keys
//   - one for all maintenance pushes: MOVING, MIGRATING, MIGRATED,
//     FAILING_OVER, FAILED_OVER, SMIGRATING and SMIGRATED
//   - one for each other name
//
// So a message never overtakes the confirmation of its subscription, and the
// end of a maintenance window never overtakes its beginning. With several
// workers, a push may overtake a push of another lane. For example, one PUBLISH
// can cause a message and a pmessage, which are in different lanes.
//
// The frame that the handler receives is borrowed until the handler returns.
// The context that it receives has the values of the context given to
// HandlePush, but does not end with it. Deriving that context costs an
// allocation, unless the context never ends or is that of the push before.
//
// All methods may be called concurrently, and several connections may share a
// Queue. Close ends its goroutines. The handler must not call Close. It
// must not call HandlePush either if that may block.
//
// Invariant, with mu held: used is the number of pushes in the list arrived
// plus reserved, the number of those that are still being copied. It is at most
// size.
type Queue struct {
	handler  Handler
	size     int
	overflow Overflow
	onError  func(ctx context.Context, name []byte, err error)
	seed     maphash.Seed
	shards   []shard // one for each worker

	mu        sync.Mutex
	arrived   list // the pushes that wait, oldest first
	used      int
	reserved  int
	closed    bool
	abandoned bool // Close has given up, and the pushes that wait are dropped
	stats     QueueStats
	free      *entry   // spare entries
	reached   *barrier // spare barriers
	ctx       context.Context
	detached  context.Context // ctx without its end

	room    chan struct{} // holds a token when a call that waits should look again
	closing chan struct{} // closed by Close
	workers sync.WaitGroup
	done    chan struct{} // closed when all workers have ended
}

// QueueStats holds the counts of a [Queue] since it was made.
//
// Invariant: Pushes = Delivered + Dropped + Coalesced + Waiting.
type QueueStats struct {
	Pushes    uint64 // pushes given to the queue
	Delivered uint64 // pushes given to the handler, without flushes
	Dropped   uint64 // pushes lost to the policy, to a context or to Close
	Coalesced uint64 // invalidations that a flush has replaced
	Flushes   uint64 // flushes given to the handler
	Blocked   uint64 // pushes that had to wait for room
	Errors    uint64 // errors of the handler
	Panics    uint64 // panics of the handler and of the error handler
	Waiting   uint64 // pushes in the queue now
}

// NewQueue returns a Queue that delivers to h, and starts its workers. The
// caller ends them with [Queue.Close].
func NewQueue(h Handler, opts ...QueueOption) *Queue {
	q := &Queue{
		handler: h,
		size:    DefaultQueueSize,
		seed:    maphash.MakeSeed(),
		shards:  make([]shard, DefaultQueueWorkers),
		room:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	for _, o := range opts {
		o(q)
	}
	q.arrived.init(linkArrived)
	for i := range q.shards {
		s := &q.shards[i]
		s.waiting.init(linkShard)
		s.wake = make(chan struct{}, 1)
		q.workers.Add(1)
		go q.work(s)
	}
	go func() {
		q.workers.Wait()
		close(q.done)
	}()
	return q
}

// NewQueueFunc is like [NewQueue], but its handler is a function. It accepts
// the functions that the adapters of package notify return:
//
//	q := dispatch.NewQueueFunc(notify.OnInvalidate(cache.Invalidate))
func NewQueueFunc(f HandlerFunc, opts ...QueueOption) *Queue { return NewQueue(f, opts...) }

// HandlePush copies push into the queue, and may wait for room as the overflow
// policy says. It returns [ErrQueueClosed] after Close, and the error of ctx if
// ctx ends during the wait. It returns nil for a push that the policy drops.
func (q *Queue) HandlePush(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error {
	if ctx == nil { // some clients pass nil
		ctx = context.Background()
	}
	s := q.shardOf(push)
	invalidation := string(push.Name()) == invalidate
	q.mu.Lock()
	admitted, err := q.admit(ctx, handlerCtx, s, invalidation)
	q.stats.Pushes++
	if !admitted {
		q.mu.Unlock()
		return err
	}
	e := q.entry()
	e.ctx, e.handlerCtx, e.shard = q.detach(ctx), handlerCtx, s
	q.used++
	q.reserved++
	q.mu.Unlock()

	// The copy may be large, and other connections do not have to wait for it.
	e.buf = bufpool.Get(len(push.Raw()))
	e.push = push.CloneTo(e.buf.B)
	e.buf.B = e.push.Raw()
	e.invalidation = invalidation

	q.mu.Lock()
	q.reserved--
	q.arrived.add(e)
	s.waiting.add(e)
	if q.abandoned {
		q.abandon()
	}
	q.signalRoom() // dropping this push could make room
	last := q.closed && q.reserved == 0
	q.mu.Unlock()
	s.signal()
	if last {
		q.signalAll() // no further push will arrive
	}
	return nil
}

// admit makes room for a push and reports whether the push may enter the queue.
// The caller holds mu, which admit may unlock and lock again.
func (q *Queue) admit(ctx context.Context, handlerCtx NotificationHandlerContext, s *shard, invalidation bool) (bool, error) {
	for waited := false; ; {
		switch {
		case q.closed:
			q.stats.Dropped++
			return false, ErrQueueClosed
		case invalidation && s.flush:
			q.coalesce(ctx, handlerCtx, s)
			return false, nil
		case q.used < q.size:
			if q.used+1 < q.size {
				q.signalRoom() // another call that waits may find room too
			}
			return true, nil
		case q.overflow == DropNewest:
			q.stats.Dropped++
			return false, nil
		case q.overflow == DropOldest && q.arrived.first() != nil:
			q.drop(q.arrived.first())
			q.stats.Dropped++
			continue
		case q.overflow == CoalesceToFlush && q.flushInvalidations(ctx, handlerCtx, invalidation):
			continue
		}
		if !waited {
			waited = true
			q.stats.Blocked++
		}
		if err := q.wait(ctx); err != nil {
			q.stats.Dropped++
			return false, err
		}
	}
}

// wait unlocks mu until there may be room.
func (q *Queue) wait(ctx context.Context) error {
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-q.room:
	case <-q.closing:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// flushInvalidations replaces the invalidations that wait with a flush. It
// reports whether that has made room, or whether the push to admit is itself an
// invalidation and needs none.
func (q *Queue) flushInvalidations(ctx context.Context, handlerCtx NotificationHandlerContext, invalidation bool) bool {
	s := q.shardFor([]byte(invalidate))
	found := false
	for e := q.arrived.first(); e != nil; {
		next := q.arrived.next(e)
		if e.invalidation {
			found = true
			q.coalesce(e.ctx, e.handlerCtx, s)
			q.drop(e)
		}
		e = next
	}
	if invalidation { // admit adds it to the flush
		s.flush = true
	}
	if found || invalidation {
		s.signal()
	}
	return found || invalidation
}

// coalesce adds an invalidation to those that the flush of s replaces.
func (q *Queue) coalesce(ctx context.Context, handlerCtx NotificationHandlerContext, s *shard) {
	s.flush, s.ctx, s.handlerCtx = true, q.detach(ctx), handlerCtx
	q.stats.Coalesced++
}

// detach returns a context with the values of ctx that does not end, because a
// push outlives the call that it arrived in. detach remembers its last result,
// since the context of a connection tends to stay the same.
func (q *Queue) detach(ctx context.Context) context.Context {
	if ctx.Done() == nil {
		return ctx
	}
	if reflect.TypeOf(ctx).Kind() != reflect.Pointer { // other kinds may not be comparable
		return context.WithoutCancel(ctx)
	}
	if q.ctx != ctx {
		q.ctx, q.detached = ctx, context.WithoutCancel(ctx)
	}
	return q.detached
}

// Close makes the queue refuse further pushes, delivers those that wait, and
// returns nil when the last call of the handler has returned.
//
// If ctx ends first, Close drops and counts the pushes that still wait, and
// returns the error of ctx. Calls of the handler that are under way then finish
// by themselves. With CoalesceToFlush a flush replaces the invalidations that
// were waiting, and is still delivered when its worker is free.
//
// Close may be called more than once, and concurrently.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.closing)
	}
	q.mu.Unlock()
	q.signalAll()
	select {
	case <-q.done:
		return nil
	default:
	}
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	q.abandoned = true
	q.abandon()
	q.mu.Unlock()
	q.signalAll()
	return ctx.Err()
}

// abandon drops the pushes that wait. With CoalesceToFlush a flush replaces the
// invalidations among them.
func (q *Queue) abandon() {
	for i := range q.shards {
		q.shards[i].removeBarriers()
	}
	if q.overflow == CoalesceToFlush {
		q.flushInvalidations(context.Background(), NotificationHandlerContext{}, false)
	}
	for e := q.arrived.first(); e != nil; e = q.arrived.first() {
		q.drop(e)
		q.stats.Dropped++
	}
}

// Overflow returns the overflow policy.
func (q *Queue) Overflow() Overflow { return q.overflow }

// Stats returns the counts so far. They are of one moment.
func (q *Queue) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Waiting = uint64(q.used)
	return s
}
