package e2e_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cutter is a proxy that cuts the bytes of a server into pieces, and its
// connections off. It leaves nothing behind, as toxiproxy does: tests of what a
// client leaves behind use it.
type cutter struct {
	addr     string
	upstream string
	piece    int  // the most that is passed on at once; 0 means as it comes
	limit    int  // after how many bytes of the server a connection ends; negative means never
	abrupt   bool // connections end with a reset

	listener net.Listener
	ended    sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]bool // of clients; nil after close
}

// start begins to accept connections.
func (c *cutter) start(tb testing.TB) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	c.listener, c.addr, c.conns = l, l.Addr().String(), make(map[net.Conn]bool)
	spawn(&c.ended, func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			spawn(&c.ended, func() { c.carry(conn) })
		}
	})
}

// carry passes on what a connection sends and gets.
func (c *cutter) carry(conn net.Conn) {
	defer c.end(conn)
	c.mu.Lock()
	open := c.conns != nil
	if open {
		c.conns[conn] = true
	}
	c.mu.Unlock()
	if !open {
		return
	}
	server, err := net.Dial("tcp", c.upstream)
	if err != nil {
		return
	}
	var sending sync.WaitGroup
	spawn(&sending, func() {
		_, _ = io.Copy(server, conn) // until either is closed
		_ = server.Close()
	})
	defer sending.Wait()
	defer c.end(conn)
	defer server.Close()
	c.pass(conn, server)
}

// pass passes on what the server sends, up to the limit.
func (c *cutter) pass(conn, server net.Conn) {
	b := make([]byte, 32<<10)
	for passed := 0; passed != c.limit; {
		most := len(b)
		if c.limit >= 0 {
			most = min(most, c.limit-passed)
		}
		n, err := server.Read(b[:most])
		for left := b[:n]; len(left) > 0; {
			piece := len(left)
			if c.piece > 0 {
				piece = min(piece, c.piece)
			}
			if _, err := conn.Write(left[:piece]); err != nil {
				return
			}
			left = left[piece:]
		}
		if err != nil {
			return
		}
		passed += n
	}
}

// end ends a connection.
func (c *cutter) end(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.abrupt {
		_ = conn.(*net.TCPConn).SetLinger(0) // it may be closed already
	}
	_ = conn.Close()
	delete(c.conns, conn)
}

// endAll ends all connections that are open.
func (c *cutter) endAll() {
	c.mu.Lock()
	var open []net.Conn
	for conn := range c.conns {
		open = append(open, conn)
	}
	c.mu.Unlock()
	for _, conn := range open {
		c.end(conn)
	}
}

// close ends everything and waits for it.
func (c *cutter) close() {
	_ = c.listener.Close()
	c.endAll()
	c.mu.Lock()
	c.conns = nil
	c.mu.Unlock()
	c.ended.Wait()
}
