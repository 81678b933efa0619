package e2e_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// loadConn is a connection of the load, which is dialled again when it breaks.
type loadConn struct {
	addr string
	auth []string // follows HELLO 3
	conn net.Conn
	rd   *parser.Reader
}

// giveUp bounds a command of the load.
const giveUp = time.Second

// do sends commands and returns the last reply, which is valid until the next
// call. It returns the first refusal.
func (c *loadConn) do(commands ...[]string) (parser.Value, error) {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, giveUp)
		if err != nil {
			return parser.Value{}, err
		}
		c.conn, c.rd = conn, parser.NewReader(conn)
		if c.auth != nil {
			if _, err := c.do(append([]string{"HELLO", "3"}, c.auth...)); err != nil {
				return parser.Value{}, err
			}
		}
	}
	_ = c.conn.SetDeadline(time.Now().Add(giveUp))
	var b []byte
	for _, args := range commands {
		b = redistest.Append(b, args...)
	}
	_, err := c.conn.Write(b)
	var frame parser.Frame
	var refused error
	for range commands {
		if err != nil {
			break
		}
		if frame, err = c.rd.Next(); err == nil && refused == nil {
			if t := frame.Value().Type(); t == parser.TypeSimpleError || t == parser.TypeBulkError {
				refused = parser.ServerError(frame.Value().String())
			}
		}
	}
	if err != nil {
		c.close()
		return parser.Value{}, err
	}
	return frame.Value(), refused
}

func (c *loadConn) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// system is what the load talks to: a cluster, or a primary behind Sentinel.
type system interface {
	// nodes returns the addresses of the nodes that may answer.
	nodes() []string
	// primary returns the address of the primary if it is known without asking
	// a node.
	primary() string
	// auth returns what follows HELLO 3 for the load.
	auth() []string
	// sure reports whether a node that has taken a message for a primary's was the
	// primary beyond doubt at the time when it was sent.
	sure(addr string, sent time.Time) bool
	// safe reports whether a write to a primary that so many replicas have outlives
	// the faults of the test.
	safe(addr string, replicas int) bool
}

// loadClient is a client of the load: it finds the primary of a slot as a client
// of a cluster does.
type loadClient struct {
	s      system
	conns  map[string]*loadConn
	routes map[int]string
	covers map[int]feed.Coverage // the last one of each key
}

func newLoadClient(s system) *loadClient {
	return &loadClient{s, make(map[string]*loadConn), make(map[int]string), make(map[int]feed.Coverage)}
}

func (c *loadClient) close() {
	for _, conn := range c.conns {
		conn.close()
	}
}

// at returns the connection to an address.
func (c *loadClient) at(addr string) *loadConn {
	conn := c.conns[addr]
	if conn == nil {
		conn = &loadConn{addr: addr, auth: c.s.auth()}
		c.conns[addr] = conn
	}
	return conn
}

// do sends commands, all of the same slot, to its primary.
func (c *loadClient) do(slot int, commands ...[]string) (parser.Value, error) {
	var v parser.Value
	var err error
	for range 4 {
		addr := c.routes[slot]
		if addr == "" {
			if addr = c.s.primary(); addr == "" {
				all := c.s.nodes()
				addr = all[rand.N(len(all))]
			}
		}
		v, err = c.at(addr).do(commands...)
		var text parser.ServerError
		if !errors.As(err, &text) {
			if delete(c.routes, slot); err == nil {
				c.routes[slot] = addr
			}
			return v, err
		}
		fields := strings.Fields(string(text))
		switch fields[0] {
		case "MOVED":
			c.routes[slot] = fields[2]
		case "ASK":
			return c.at(fields[2]).do(append([][]string{{"ASKING"}}, commands...)...)
		default:
			delete(c.routes, slot)
			return v, err
		}
	}
	return v, err
}

// gate is a Topology that a test can hold up.
type gate struct {
	feed.Topology
	open chan struct{} // holds one value while looks may pass
}

func newGate(t feed.Topology) *gate {
	g := &gate{t, make(chan struct{}, 1)}
	g.open <- struct{}{}
	return g
}

func (g *gate) Look(ctx context.Context) ([]feed.Node, error) {
	select {
	case <-g.open:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { g.open <- struct{}{} }()
	return g.Topology.Look(ctx)
}

// holdUp lets no look begin while f runs.
func (g *gate) holdUp(f func()) {
	<-g.open
	f()
	g.open <- struct{}{}
}

// untilTrue polls until done returns true. It fails the test if that takes too
// long, with what it was waiting for.
func untilTrue(t testing.TB, what string, done func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for timeout := time.After(time.Minute); !done(); {
		select {
		case <-again.C:
		case <-timeout:
			t.Fatal("waited in vain for " + what)
		}
	}
}
