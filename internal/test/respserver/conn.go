package respserver

import (
	"fmt"
	"net"
	"sync"
)

// A Conn is one connection of a Server. Its methods may be called from any
// goroutine.
type Conn struct {
	ID int // counts the connections of the Server from 1

	server *Server
	conn   net.Conn
	once   sync.Once
	done   chan struct{} // closed by Close

	write sync.Mutex // held while bytes are written
	left  int        // bytes that may still be written; -1 means no limit

	mu     sync.Mutex
	proto  int
	name   string
	topics [3][]string // by kind
}

// Write sends raw bytes. It ignores errors, since the client will notice them
// or has closed the connection itself.
func (c *Conn) Write(raw string) {
	c.write.Lock()
	defer c.write.Unlock()
	cut := c.left >= 0 && len(raw) >= c.left
	if cut {
		raw = raw[:c.left]
	}
	if c.left >= 0 {
		c.left -= len(raw)
	}
	_, _ = c.conn.Write([]byte(raw))
	if cut {
		c.Close()
	}
}

// Push sends a push of its name and values, in the form of Format.
func (c *Conn) Push(name string, values ...any) {
	b := fmt.Appendf(nil, ">%d\r\n", 1+len(values))
	b = format(b, name)
	for _, v := range values {
		b = format(b, v)
	}
	c.Write(string(b))
}

// Format returns a value in RESP3. A string becomes a bulk string, an int a
// number, a []string or []any an array, and nil the null. Format panics for
// other types.
func Format(v any) string { return string(format(nil, v)) }

func format(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "_\r\n"...)
	case string:
		return fmt.Appendf(b, "$%d\r\n%s\r\n", len(v), v)
	case int:
		return fmt.Appendf(b, ":%d\r\n", v)
	case []string:
		b = fmt.Appendf(b, "*%d\r\n", len(v))
		for _, e := range v {
			b = format(b, e)
		}
		return b
	case []any:
		b = fmt.Appendf(b, "*%d\r\n", len(v))
		for _, e := range v {
			b = format(b, e)
		}
		return b
	}
	panic(fmt.Sprintf("respserver: no format for a %T", v))
}

// Proto returns the protocol version that HELLO has chosen. It is 2 before
// HELLO.
func (c *Conn) Proto() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proto
}

// Name returns the connection's name, as set by HELLO or CLIENT SETNAME.
func (c *Conn) Name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.name
}

// Channels returns the channels that the connection has subscribed to.
func (c *Conn) Channels() []string { return c.subscribed(channel) }

// Patterns returns the patterns that the connection has subscribed to.
func (c *Conn) Patterns() []string { return c.subscribed(pattern) }

// ShardChannels returns the shard channels that the connection has subscribed
// to.
func (c *Conn) ShardChannels() []string { return c.subscribed(shard) }

func (c *Conn) subscribed(k kind) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.topics[k]...)
}

// Close closes the connection.
func (c *Conn) Close() {
	c.once.Do(func() {
		_ = c.conn.Close() // an error does not matter
		close(c.done)      // after conn, so that a handler that waits for done cannot answer any more
	})
}

// Done returns a channel that is closed when the connection has ended on this
// side. It also ends when the client closes it.
func (c *Conn) Done() <-chan struct{} { return c.done }
