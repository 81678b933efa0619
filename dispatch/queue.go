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

// ErrQueueClosed is what a [Queue] returns for a push after Close.
var ErrQueueClosed = errors.New("dispatch: queue closed")

// Overflow says what a [Queue] does with a push when it is full.
type Overflow int

// The overflow policies.
const (
	// Block makes the reading goroutine wait for room, or for its context.
	Block Overflow = iota
	// DropNewest drops the push that finds no room.
	DropNewest
	// DropOldest drops the push that has waited longest.
	DropOldest
	// CoalesceToFlush is for a cache: when there is no room, all invalidations
	// that wait are replaced by one that flushes everything, which is the next
	// thing delivered; until then it stands for those that arrive as well. Other
	// pushes get the room that this makes, and block when no invalidation waits.
	// The flush carries the handler context of the last invalidation that it
	// stands for, so one Queue of this kind serves one cache.
	CoalesceToFlush
)

// Defaults of [NewQueue].
const (
	DefaultQueueSize    = 1024
	DefaultQueueWorkers = 1
)

// QueueOption configures a [Queue].
type QueueOption func(*Queue)

// QueueSize sets how many pushes may wait, at least 1.
func QueueSize(n int) QueueOption { return func(q *Queue) { q.size = max(n, 1) } }

// QueueWorkers sets how many goroutines call the handler, at least 1. Each lane
// is delivered by one of them.
func QueueWorkers(n int) QueueOption {
	return func(q *Queue) { q.shards = make([]shard, max(n, 1)) }
}

// QueueOverflow sets what happens when the queue is full; the default is Block.
func QueueOverflow(o Overflow) QueueOption { return func(q *Queue) { q.overflow = o } }

// QueueErrorHandler makes f the receiver of the handler's errors and panics, as
// [WithErrorHandler] does for a processor; it is called on the worker.
func QueueErrorHandler(f func(ctx context.Context, name []byte, err error)) QueueOption {
	return func(q *Queue) { q.onError = f }
}

// Queue is a [Handler] that copies each push and calls another handler with the
// copy off the reading goroutine. It holds at most as many pushes as its size
// says, and the workers one each; what it has to drop it counts.
//
// Each push belongs to a lane. The pushes of one lane are delivered one after
// another, in the order they arrived in, however many workers there are. The
// lanes are:
//
//   - a channel: message, smessage, subscribe, ssubscribe, unsubscribe and
//     sunsubscribe pushes about it
//   - a pattern: pmessage, psubscribe and punsubscribe pushes about it
//   - invalidate pushes, whatever their keys
//   - the maintenance pushes together: MOVING, MIGRATING, MIGRATED,
//     FAILING_OVER, FAILED_OVER, SMIGRATING and SMIGRATED
//   - any other name
//
// So a message never overtakes the confirmation of its subscription, nor the end
// of a maintenance window its beginning. Pushes of different lanes may overtake
// each other when there are several workers, such as a message and the pmessage
// that one PUBLISH makes of a channel and a pattern.
//
// The frame that the handler gets is borrowed until it returns. Its context has
// the values of the one given to HandlePush, and not its end; making that costs
// an allocation, except for a context that has no end, or is the one of the push
// before.
//
// All methods may be called at the same time, and one Queue may serve many
// connections. Close ends its goroutines. The handler itself must not call Close,
// nor HandlePush of a Queue that may block.
//
// Invariant, with mu held: used counts the pushes in the list arrived, and the
// reserved ones that are still being copied; it is at most size.
type Queue struct {
	handler  Handler
	size     int
	overflow Overflow
	onError  func(ctx context.Context, name []byte, err error)
	seed     maphash.Seed
	shards   []shard // one for each worker

	mu        sync.Mutex
	arrived   list // all that wait, oldest first
	used      int
	reserved  int
	closed    bool
	abandoned bool // Close has given up: what waits is dropped
	stats     QueueStats
	free      *entry // spare entries
	ctx       context.Context
	detached  context.Context // ctx without its end

	room    chan struct{} // holds a token when a waiting producer should look again
	closing chan struct{} // closed by Close
	workers sync.WaitGroup
	done    chan struct{} // closed when all workers have ended
}

// QueueStats counts what a [Queue] has done. At any moment
// Pushes = Delivered + Dropped + Coalesced + Waiting.
type QueueStats struct {
	Pushes    uint64 // pushes given to the queue
	Delivered uint64 // those of them given to the handler
	Dropped   uint64 // those lost: to the policy, the context or Close
	Coalesced uint64 // invalidations for which a flush was or will be delivered
	Flushes   uint64 // flushes delivered in their place
	Blocked   uint64 // pushes that had to wait for room
	Errors    uint64 // errors of the handler
	Panics    uint64 // panics of the handler and of the error handler
	Waiting   uint64 // pushes in the queue now
}

// NewQueue returns a Queue that calls h, and starts its workers.
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

// NewQueueFunc is [NewQueue] for a function. It takes what the adapters of
// package notify return as it is:
//
//	q := dispatch.NewQueueFunc(notify.OnInvalidate(cache.invalidate))
func NewQueueFunc(f HandlerFunc, opts ...QueueOption) *Queue { return NewQueue(f, opts...) }

// HandlePush copies push into the queue. It returns [ErrQueueClosed] after
// Close, and the error of a ctx that ends while it waits for room; a push that
// the policy drops is no error.
func (q *Queue) HandlePush(ctx context.Context, handlerCtx NotificationHandlerContext, push parser.Frame) error {
	if ctx == nil { // clients have been seen to pass none
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

	// The copy may be large: other connections need not wait for it.
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
	q.signalRoom() // there is one more that could make room
	last := q.closed && q.reserved == 0
	q.mu.Unlock()
	s.signal()
	if last {
		q.signalAll() // no worker has to wait for more
	}
	return nil
}

// admit makes room for a push, or reports that there is to be none. It is called
// with mu held, and may let go of it for a time.
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
				q.signalRoom() // for another one that waits
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

// wait lets go of mu until there may be room.
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

// flushInvalidations replaces the invalidations that wait by a flush, and
// reports whether that has changed anything: made room, or spared the need.
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
	if invalidation { // which admit adds to the flush
		s.flush = true
	}
	if found || invalidation {
		s.signal()
	}
	return found || invalidation
}

// coalesce adds an invalidation to the flush of s.
func (q *Queue) coalesce(ctx context.Context, handlerCtx NotificationHandlerContext, s *shard) {
	s.flush, s.ctx, s.handlerCtx = true, q.detach(ctx), handlerCtx
	q.stats.Coalesced++
}

// detach returns ctx without its end, since a push is no longer a matter of the
// call it arrived in. The last result is kept, as a connection's context tends
// to stay the same.
func (q *Queue) detach(ctx context.Context) context.Context {
	if ctx.Done() == nil {
		return ctx
	}
	if reflect.TypeOf(ctx).Kind() != reflect.Pointer { // what is no pointer may not be comparable
		return context.WithoutCancel(ctx)
	}
	if q.ctx != ctx {
		q.ctx, q.detached = ctx, context.WithoutCancel(ctx)
	}
	return q.detached
}

// Close stops intake, delivers what waits, and returns when the last handler
// has returned. When ctx ends first it drops, and counts, what still waits, and
// returns the error of ctx; handlers that run then finish on their own. With
// CoalesceToFlush one flush stands for the invalidations given up, and is still
// delivered when its worker is free. Close may be called again.
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

// abandon drops what waits; with CoalesceToFlush a flush stands for the
// invalidations among it.
func (q *Queue) abandon() {
	if q.overflow == CoalesceToFlush {
		q.flushInvalidations(context.Background(), NotificationHandlerContext{}, false)
	}
	for e := q.arrived.first(); e != nil; e = q.arrived.first() {
		q.drop(e)
		q.stats.Dropped++
	}
}

// Stats returns the counts so far.
func (q *Queue) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.stats
	s.Waiting = uint64(q.used)
	return s
}
