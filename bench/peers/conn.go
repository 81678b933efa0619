package peers

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// hello is the in-memory server's reply to HELLO.
const hello = "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.4.0\r\n$5\r\nproto\r\n:3\r\n"

// conn is the client's end of a connection in memory. At first the other end is
// a server that answers HELLO, and any other command with OK. From play on, it
// serves a stream.
//
// Invariant, with mu held: reads return out before the stream. The first
// granted bytes of the stream may be read, and the first read bytes of it have
// been. waiting is true while a Read waits because nothing is left to return.
type conn struct {
	mu      sync.Mutex
	changed sync.Cond
	in      []byte // the written part of an unfinished command
	out     []byte // replies that have not been read
	stream  *workload.Stream
	granted int
	read    int
	closed  bool
	waiting bool
	asking  int // bytes of commands that grant one frame of the stream; 0 means that all is granted at once
	asked   int // bytes of commands since the last frame
}

func newConn() *conn {
	c := new(conn)
	c.changed.L = &c.mu
	return c
}

// play makes c serve s from now on, and nothing else. If asking is not 0, every
// asking bytes of commands grant one frame of s. play returns at once; idle
// waits for the end.
func (c *conn) play(s *workload.Stream, asking int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Rewind()
	c.stream, c.read, c.asking, c.waiting = s, 0, asking, false
	c.granted = 0
	if asking == 0 {
		c.granted = len(s.Bytes)
	}
	c.changed.Broadcast()
}

// idle waits until all of the stream has been read and the client is back for
// more.
func (c *conn) idle() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && (!c.waiting || c.read < len(c.stream.Bytes)) {
		c.changed.Wait()
	}
	if c.closed {
		return errors.New("peers: closed before the end of the stream")
	}
	return nil
}

// Read returns replies, and then as much of the stream as is granted.
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed {
		if len(c.out) > 0 {
			n := copy(p, c.out)
			c.out = c.out[n:]
			return n, nil
		}
		if c.read < c.granted {
			n, err := c.stream.Read(p[:min(len(p), c.granted-c.read)])
			c.read += n
			c.waiting = false
			return n, err
		}
		c.waiting = true
		c.changed.Broadcast()
		c.changed.Wait()
	}
	return 0, io.EOF
}

// Write takes commands.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return 0, net.ErrClosed
	}
	if c.stream != nil {
		if c.asking > 0 {
			c.asked += len(p)
			frames := c.asked / c.asking
			c.asked -= frames * c.asking
			c.granted += frames * len(c.stream.Bytes) / c.stream.Count
			c.changed.Broadcast()
		}
		return len(p), nil
	}
	c.in = append(c.in, p...)
	for len(c.in) > 0 {
		f, n, err := parser.Parse(c.in)
		if err == parser.ErrIncomplete {
			break
		}
		if err != nil {
			return 0, err
		}
		reply := "+OK\r\n"
		for v := range f.Value().All() {
			if strings.EqualFold(string(v.Bytes()), "HELLO") {
				reply = hello
			}
			break
		}
		c.out = append(c.out, reply...)
		c.in = c.in[n:]
	}
	c.changed.Broadcast()
	return len(p), nil
}

// Close ends all waiting.
func (c *conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.changed.Broadcast()
	return nil
}

// LocalAddr returns an empty address.
func (c *conn) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr returns an empty address.
func (c *conn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// SetDeadline does nothing, since nothing here takes time.
func (c *conn) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (c *conn) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
