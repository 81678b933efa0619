package tail

import (
	"crypto/tls"
	"io"
	"net"

	"github.com/seed79615202/respush/cmd/respush/internal/output"
)

// received returns conn with a Read that calls flush before it waits. A
// connection that speaks TLS still shows that it does.
func received(conn net.Conn, flush func() error) net.Conn {
	rd := output.FlushingReader{Reader: conn, Flush: flush}
	if secure, ok := conn.(*tls.Conn); ok {
		return secureConn{secure, rd}
	}
	return plainConn{conn, rd}
}

type plainConn struct {
	net.Conn
	rd io.Reader
}

func (c plainConn) Read(p []byte) (int, error) { return c.rd.Read(p) }

type secureConn struct {
	*tls.Conn
	rd io.Reader
}

func (c secureConn) Read(p []byte) (int, error) { return c.rd.Read(p) }
