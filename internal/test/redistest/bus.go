package redistest

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// buses carry the messages between the nodes of a Cluster, and can cut a node off.
type buses struct {
	mu        sync.Mutex
	off       map[string]bool // by CLUSTER MYID
	links     map[*link]bool
	listeners []net.Listener
	ended     sync.WaitGroup
}

// A link is a connection from one node to another.
type link struct {
	conn, onward net.Conn
	from, to     string
}

func (l *link) close() {
	_ = l.conn.Close()
	_ = l.onward.Close()
}

// A bus is the port at which a node's peers reach it.
type bus struct {
	*buses
	port   string
	target string // the node's own port for its peers
	id     string // the node's ID, once it is known
}

// newBuses returns buses that end with the test.
func newBuses(tb testing.TB) *buses {
	b := &buses{off: make(map[string]bool), links: make(map[*link]bool)}
	tb.Cleanup(func() {
		for _, l := range b.listeners {
			_ = l.Close()
		}
		b.mu.Lock()
		for l := range b.links {
			l.close()
		}
		b.mu.Unlock()
		b.ended.Wait()
	})
	return b
}

// listen opens a bus for a node.
func (b *buses) listen(tb testing.TB) *bus {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	b.listeners = append(b.listeners, l)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	n := &bus{buses: b, port: port}
	b.ended.Add(1)
	go n.serve(l)
	return n
}

// is sets the node's port and ID.
func (n *bus) is(target, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.target, n.id = target, id
}

// serve carries the connections of peers until the listener is closed.
func (n *bus) serve(listener net.Listener) {
	defer n.ended.Done()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		n.ended.Add(1)
		go func() {
			defer n.ended.Done()
			n.carry(conn)
		}()
	}
}

// A message on the bus begins with a header, which names the sending node (cluster.h, clusterMsg).
const (
	busName   = 40 // where the name begins
	busHeader = busName + 40
)

// carry forwards a peer's connection. The first message on it names the peer.
func (n *bus) carry(conn net.Conn) {
	defer conn.Close()
	n.mu.Lock()
	target, id := n.target, n.id
	n.mu.Unlock()
	onward, err := net.Dial("tcp", "127.0.0.1:"+target)
	if err != nil {
		return
	}
	l := &link{conn: conn, onward: onward, to: id}
	defer l.close()
	n.mu.Lock()
	n.links[l] = true // so that the end of the test closes it
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.links, l)
	}()
	var header [busHeader]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return
	}
	n.mu.Lock()
	l.from = string(header[busName:])
	cut := n.off[l.from] || n.off[l.to]
	n.mu.Unlock()
	if cut {
		return
	}
	if _, err := onward.Write(header[:]); err != nil {
		return
	}
	n.ended.Add(1)
	go func() {
		defer n.ended.Done()
		defer l.close()
		_, _ = io.Copy(conn, onward)
	}()
	_, _ = io.Copy(onward, conn)
}

// cutOff keeps a node and its peers from reaching each other.
func (b *buses) cutOff(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.off[id] = true
	for l := range b.links {
		if l.from == id || l.to == id {
			l.close()
		}
	}
}

// join undoes cutOff.
func (b *buses) join(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.off, id)
}
