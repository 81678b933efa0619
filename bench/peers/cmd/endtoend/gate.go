//go:build linux

package main

import (
	"net"
	"sync/atomic"
)

// A gate makes the connections dialled through it wait before they read, until
// it is opened. It counts what they read from then on.
type gate struct {
	shut  atomic.Pointer[chan struct{}] // nil: open
	reads atomic.Int64
	bytes atomic.Int64
}

// close makes reads wait that have not begun.
func (g *gate) close() {
	c := make(chan struct{})
	g.shut.Store(&c)
}

// open ends the waiting and starts counting.
func (g *gate) open() {
	g.reads.Store(0)
	g.bytes.Store(0)
	close(*g.shut.Swap(nil))
}

// dial connects to a server.
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

// Read reads when the gate is open.
func (c *gated) Read(p []byte) (int, error) {
	if shut := c.gate.shut.Load(); shut != nil {
		<-*shut
	}
	n, err := c.Conn.Read(p)
	c.gate.reads.Add(1)
	c.gate.bytes.Add(int64(n))
	return n, err
}
