//go:build linux

package main

import (
	"net"
	"sync/atomic"
)

// A gate holds up the reads of the connections dialled through it while it is
// closed. It counts their reads and bytes since it was last opened.
type gate struct {
	shut  atomic.Pointer[chan struct{}] // nil means open
	reads atomic.Int64
	bytes atomic.Int64
}

// close makes reads that begin from now on wait for open.
func (g *gate) close() {
	c := make(chan struct{})
	g.shut.Store(&c)
}

// open lets the waiting reads go on and resets the counts.
func (g *gate) open() {
	g.reads.Store(0)
	g.bytes.Store(0)
	close(*g.shut.Swap(nil))
}

// dial connects to a server through g.
func (g *gate) dial(addr string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &gated{c, g}, nil
}

// gated is a connection behind a gate.
type gated struct {
	net.Conn
	gate *gate
}

// Read waits until the gate is open, and then reads.
func (c *gated) Read(p []byte) (int, error) {
	if shut := c.gate.shut.Load(); shut != nil {
		<-*shut
	}
	n, err := c.Conn.Read(p)
	c.gate.reads.Add(1)
	c.gate.bytes.Add(int64(n))
	return n, err
}
