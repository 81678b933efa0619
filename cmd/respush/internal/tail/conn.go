package tail

import (
	"crypto/tls"
	"io"
	"net"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
)

// received returns conn with a Read that calls flush before it waits. A
// connection that speaks TLS still shows that it does. The node is the one of a
// cluster that conn leads to, or empty.
func received(conn net.Conn, node string, flush func() error) net.Conn {
	rd := output.FlushingReader{Reader: conn, Flush: flush}
	if secure, ok := conn.(*tls.Conn); ok {
		return secureConn{secure, rd, nodeName(node)}
	}
	return plainConn{conn, rd, nodeName(node)}
}

// nodeName is the name of a node as a part of its connection.
type nodeName string

// node returns the name.
func (n nodeName) node() string { return string(n) }

// nodeOf returns the node of a connection that received has returned.
func nodeOf(conn any) string {
	if named, ok := conn.(interface{ node() string }); ok {
		return named.node()
	}
	return ""
}

type plainConn struct {
	net.Conn
	rd io.Reader
	nodeName
}

func (c plainConn) Read(p []byte) (int, error) { return c.rd.Read(p) }

type secureConn struct {
	*tls.Conn
	rd io.Reader
	nodeName
}

func (c secureConn) Read(p []byte) (int, error) { return c.rd.Read(p) }
