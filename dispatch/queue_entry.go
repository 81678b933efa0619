package dispatch

import (
	"context"

	"github.com/valyala/bytebufferpool"

	"github.com/seed79615202/respush/internal/bufpool"
	"github.com/seed79615202/respush/parser"
)

// entry is a push that waits.
//
// Invariant: an entry that waits is in two lists, Queue.arrived and the list of
// its shard. Both are in the order of arrival. An entry with a barrier has no
// push and is in the list of its shard only.
type entry struct {
	links        [2]links
	spare        *entry // the next one in Queue.free
	shard        *shard
	ctx          context.Context
	handlerCtx   NotificationHandlerContext
	push         parser.Frame
	buf          *bytebufferpool.ByteBuffer
	invalidation bool
	barrier      *barrier
}

// links are an entry's neighbours in one list.
type links struct{ prev, next *entry }

// The kinds of lists. The kind selects the links of an entry that the list
// uses.
const (
	linkArrived = iota
	linkShard
)

// list is a ring of entries. Its root is in the ring but is not one of the
// entries.
type list struct {
	link int
	root entry
}

func (l *list) init(link int) {
	l.link = link
	l.root.links[link] = links{&l.root, &l.root}
}

func (l *list) add(e *entry) {
	last := l.root.links[l.link].prev
	e.links[l.link] = links{last, &l.root}
	last.links[l.link].next, l.root.links[l.link].prev = e, e
}

func (l *list) remove(e *entry) {
	at := e.links[l.link]
	at.prev.links[l.link].next, at.next.links[l.link].prev = at.next, at.prev
}

// first returns the oldest entry, or nil.
func (l *list) first() *entry { return l.next(&l.root) }

// next returns the entry behind e, or nil.
func (l *list) next(e *entry) *entry {
	if n := e.links[l.link].next; n != &l.root {
		return n
	}
	return nil
}

// shard holds the pushes that one worker delivers. The mutex of the queue
// guards it.
type shard struct {
	waiting list
	busy    bool          // the worker is in the handler
	wake    chan struct{} // holds a token when the worker should look again

	// Whether a flush is to be delivered before anything else, and its
	// contexts.
	flush      bool
	ctx        context.Context
	handlerCtx NotificationHandlerContext
}

// signal makes the worker of s look for work.
func (s *shard) signal() { signal(s.wake) }

// signal puts a token into c unless c holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (q *Queue) signalRoom() { signal(q.room) }

func (q *Queue) signalAll() {
	for i := range q.shards {
		q.shards[i].signal()
	}
}

// entry returns a spare entry, or a new one.
func (q *Queue) entry() *entry {
	e := q.free
	if e == nil {
		return new(entry)
	}
	q.free = e.spare
	return e
}

// take removes e from both lists, which makes room.
func (q *Queue) take(e *entry) {
	q.arrived.remove(e)
	e.shard.waiting.remove(e)
	q.used--
	q.signalRoom()
}

// drop removes e from the queue and discards its push.
func (q *Queue) drop(e *entry) {
	q.take(e)
	q.spare(e)
}

// spare makes e available for another push.
func (q *Queue) spare(e *entry) {
	bufpool.Put(e.buf)
	*e = entry{spare: q.free}
	q.free = e
}
