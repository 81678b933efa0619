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
	left  int        // bytes that may still be written; -1: any number

	mu     sync.Mutex
	proto  int
	name   string
	topics [3][]string // by kind
}

// Write sends raw bytes. An error is of no interest: the client will notice, or
// has closed the connection itself.
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

// Push sends a push: its name, and values as Format writes them.
func (c *Conn) Push(name string, values ...any) {
	b := fmt.Appendf(nil, ">%d\r\n", 1+len(values))
	b = format(b, name)
	for _, v := range values {
		b = format(b, v)
	}
	c.Write(string(b))
}

// Format returns a value in RESP3: a string is a bulk string, an int a number,
// a []string or []any an array, nil the null. Others are a mistake of the test,
// and panic.
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

// Proto returns the protocol that HELLO has chosen, 2 before.
func (c *Conn) Proto() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.proto
}

// Name returns the connection's name as HELLO or CLIENT SETNAME has set it.
func (c *Conn) Name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.name
}

// Channels returns the channels that the connection has subscribed to.
func (c *Conn) Channels() []string { return c.subscribed(channel) }

// Patterns returns the patterns that it has subscribed to.
func (c *Conn) Patterns() []string { return c.subscribed(pattern) }

// ShardChannels returns the shard channels that it has subscribed to.
func (c *Conn) ShardChannels() []string { return c.subscribed(shard) }

func (c *Conn) subscribed(k kind) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.topics[k]...)
}

// Close closes the connection.
func (c *Conn) Close() {
	c.once.Do(func() {
		_ = c.conn.Close() // nothing can be done about it
		close(c.done)      // afterwards, so that a handler that waits for it does not go on to answer
	})
}

// Done is closed when the connection has ended on this side, as it does when
// the client closes it.
func (c *Conn) Done() <-chan struct{} { return c.done }
