package goredis

import (
	"net"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/seed79615202/respush/parser"
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
//
// Invariant: the reader reads from held while that is set, and from conn
// otherwise.
type parkedSession struct {
	session *session
	conn    net.Conn // below the reader, nil if not known
	held    *held
	cleanup runtime.Cleanup
}

// add leaves s for the next call with rd. conn is go-redis' connection, and err
// is what the call returns. When s has taken a part of something, it has taken
// all that was buffered, and go-redis' reader is kept from the rest.
func (r *parked) add(rd reader, conn any, s *session, err error) {
	key := r.weaken(rd)
	left := &parkedSession{session: s, conn: netConn(conn), cleanup: r.onCollect(rd, key)}
	if left.conn != nil && s.parked() {
		left.held = &held{err: err}
		rd.Reset(left.held)
	}
	r.len.Add(1)
	r.entries.Store(key, left)
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
		return nil // go-redis has reset the reader
	}
	if left.held != nil {
		rd.Reset(left.conn)
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

// held is a connection inside a push, as go-redis' reader sees it until the
// session goes on there: a push is next, and its rest does not come in time.
// go-redis v9.15.0-beta.1 and v9.16.0 pool such a connection, and their pool looks
// at the type of what is next. If they saw the connection, they would drop it for
// most of what can be inside a push, and take "|" for attributes to be skipped. A
// lone byte that is left would deadlock the pool, which gives up its turn twice.
type held struct {
	begun bool // the type byte has been read
	err   error
}

// Read returns the type byte of a push, and then the error.
func (h *held) Read(b []byte) (int, error) {
	if h.begun {
		return 0, h.err
	}
	h.begun = true
	return copy(b, []byte{byte(parser.TypePush)}), nil
}
