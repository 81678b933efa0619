package faults

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait of this package; a test that runs into it fails.
const patience = time.Minute

// A Proxy forwards connections to a target. Its methods may be called from any
// goroutine, except those that take a testing.TB. These may end their test, so
// they must run on its goroutine.
type Proxy struct {
	Addr string // host:port that clients dial

	up, down Direction
	listener net.Listener
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	running  sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when dials or links change
	target  string
	refuse  bool
	abrupt  bool
	dials   int
	links   map[*link]struct{}
}

// Start runs a Proxy until the end of the test. The target is host:port or the
// path of a Unix socket. The Proxy accepts a client before it dials the target.
// If the target cannot be reached, the client's connection ends.
func Start(tb testing.TB, target string) *Proxy {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &Proxy{
		Addr: listener.Addr().String(), listener: listener, target: target,
		changed: make(chan struct{}), links: make(map[*link]struct{}),
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.up.changed, p.down.changed = make(chan struct{}), make(chan struct{})
	p.running.Add(1)
	go p.accept()
	tb.Cleanup(p.Close)
	return p
}

// Up returns the direction from clients to the target.
func (p *Proxy) Up() *Direction { return &p.up }

// Down returns the direction from the target to clients.
func (p *Proxy) Down() *Direction { return &p.down }

// SetTarget sets the target of later connections.
func (p *Proxy) SetTarget(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = addr
}

// Refuse sets whether new connections are refused. The proxy keeps its port, so
// a refused client's dial succeeds, but its connection is reset right after.
// Connections that are up stay up.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = refuse
}

// Abrupt sets whether connections that clients open from now on end with a reset,
// as those of a process do that dies with unread bytes.
func (p *Proxy) Abrupt(abrupt bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.abrupt = abrupt
}

// Dials returns how many connections clients have opened so far, refused ones
// included.
func (p *Proxy) Dials() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

// Conns returns how many connections to the target are up.
func (p *Proxy) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// WaitDials waits until clients have opened at least n connections.
func (p *Proxy) WaitDials(tb testing.TB, n int) {
	tb.Helper()
	wait(tb, &p.mu, &p.changed, fmt.Sprintf("%d dials", n), func() bool { return p.dials >= n })
}

// WaitConns waits until exactly n connections to the target are up.
func (p *Proxy) WaitConns(tb testing.TB, n int) {
	tb.Helper()
	wait(tb, &p.mu, &p.changed, fmt.Sprintf("%d connections", n), func() bool { return len(p.links) == n })
}

// CloseAll closes the connections that are up, on both sides. Held bytes are
// lost.
func (p *Proxy) CloseAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.close()
	}
}

// Close ends the proxy and its connections, and waits for its goroutines. It
// may be called more than once.
func (p *Proxy) Close() {
	p.cancel()
	_ = p.listener.Close() // it may be closed already
	p.CloseAll()
	p.running.Wait()
}

// accept serves clients until Close.
func (p *Proxy) accept() {
	defer p.running.Done()
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.dials++
		target, refuse := p.target, p.refuse
		announce(&p.changed)
		p.mu.Unlock()
		if refuse {
			reset(client)
			_ = client.Close()
			continue
		}
		p.running.Add(1)
		go p.serve(client, target)
	}
}

// serve forwards one connection until it ends.
func (p *Proxy) serve(client net.Conn, target string) {
	defer p.running.Done()
	defer client.Close()
	network := "tcp"
	if strings.Contains(target, "/") {
		network = "unix"
	}
	var dialer net.Dialer
	server, err := dialer.DialContext(p.ctx, network, target)
	if err != nil {
		return
	}
	l := &link{client: client, server: server, done: make(chan struct{})}
	defer l.close()
	if !p.add(l) {
		return
	}
	defer p.remove(l)
	var pumps sync.WaitGroup
	pumps.Add(1)
	go func() {
		defer pumps.Done()
		p.up.pump(l, server, client)
	}()
	p.down.pump(l, client, server)
	pumps.Wait()
}

// add adds l to the links and reports whether it may run. After Close no link
// may run.
func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	if p.abrupt {
		reset(l.client)
	}
	p.links[l] = struct{}{}
	announce(&p.changed)
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
	announce(&p.changed)
}

// A link is a client's connection and the matching connection to the target.
type link struct {
	client, server net.Conn
	once           sync.Once
	done           chan struct{}
}

func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.client.Close() // unsent bytes do not matter
		_ = l.server.Close()
	})
}

// reset makes the end of a client's connection a reset, if the system can.
func reset(client net.Conn) { _ = client.(*net.TCPConn).SetLinger(0) }

// announce wakes all goroutines that wait for a change. The caller holds the
// lock.
func announce(changed *chan struct{}) {
	close(*changed)
	*changed = make(chan struct{})
}

// wait waits until done returns true. It calls done under mu.
func wait(tb testing.TB, mu *sync.Mutex, changed *chan struct{}, what string, done func() bool) {
	tb.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		mu.Lock()
		ok, next := done(), *changed
		mu.Unlock()
		if ok {
			return
		}
		select {
		case <-next:
		case <-timeout.C:
			tb.Fatalf("timed out waiting for %s", what)
		}
	}
}
