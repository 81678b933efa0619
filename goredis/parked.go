package goredis

import (
	"net"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
)

// parked holds the sessions that calls have left for the next ones with the same
// reader, until then or until the reader is collected.
//
// Invariant: len is the number of entries, or more for a moment. No entry refers
// to its reader.
type parked struct {
	len       atomic.Int64
	entries   sync.Map                                 // weak pointer to a reader -> *parkedSession
	weaken    func(rd reader) any                      // returns the weak pointer
	onCollect func(rd reader, key any) runtime.Cleanup // takes the entry when the reader is gone
}

// parkedSession is an entry.
type parkedSession struct {
	session *session
	conn    net.Conn // below the reader, nil if not known
	cleanup runtime.Cleanup
}

// add leaves s for the next call with rd. conn is go-redis' connection.
func (r *parked) add(rd reader, conn any, s *session) {
	key := r.weaken(rd)
	r.len.Add(1)
	r.entries.Store(key, &parkedSession{s, netConn(conn), r.onCollect(rd, key)})
}

// resume takes and returns the session left for rd, if it is about the connection
// that conn still is; otherwise it returns nil.
func (r *parked) resume(rd reader, conn any) *session {
	if r.len.Load() == 0 {
		return nil
	}
	left := r.take(r.weaken(rd))
	if left == nil {
		return nil
	}
	left.cleanup.Stop()
	if !sameConn(left.conn, netConn(conn)) {
		return nil
	}
	return left.session
}

// take removes and returns an entry, or nil.
func (r *parked) take(key any) *parkedSession {
	left, ok := r.entries.LoadAndDelete(key)
	if !ok {
		return nil
	}
	r.len.Add(-1)
	return left.(*parkedSession)
}

// netConn returns what is below a connection of go-redis, which can be replaced
// while its reader stays; nil if that cannot be told.
func netConn(conn any) net.Conn {
	if c, ok := conn.(interface{ GetNetConn() net.Conn }); ok {
		return c.GetNetConn()
	}
	return nil
}

// sameConn reports whether a and b are one connection, as far as can be told.
func sameConn(a, b net.Conn) bool {
	return !reflect.ValueOf(a).Comparable() || a == b
}
