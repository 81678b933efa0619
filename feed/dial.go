package feed

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"
)

// dialTimeout bounds a dial, TLS included.
const dialTimeout = 5 * time.Second

// network returns the network of an address: a path is that of a unix socket.
func network(addr string) string {
	if strings.HasPrefix(addr, "/") || strings.HasPrefix(addr, "@") || strings.HasPrefix(addr, "./") {
		return "unix"
	}
	return "tcp"
}

// dialPlain is the default of Feed.Dial.
func dialPlain(ctx context.Context, addr string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network(addr), addr)
}

// DialTLS returns a function for Feed.Dial that speaks TLS. config may be nil.
// If it names no server, the host of the address is verified.
func DialTLS(config *tls.Config) func(ctx context.Context, addr string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		d := tls.Dialer{Config: config}
		return d.DialContext(ctx, network(addr), addr)
	}
}

// hangUp closes conn without waiting for the peer. Closing a *tls.Conn would
// wait for up to five seconds while the peer reads nothing.
func hangUp(conn net.Conn) {
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
		_ = c.NetConn().Close() // the connection is given up
	}
	_ = conn.Close()
}

// endpointType returns what CLIENT MAINT_NOTIFICATIONS is asked for, the kind of
// address that a MOVING push names: one of the kind that was dialled.
func endpointType(conn net.Conn) string {
	addr, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return "none"
	}
	where := "external"
	if addr.IP.IsPrivate() || addr.IP.IsLoopback() {
		where = "internal"
	}
	if _, secure := conn.(interface{ ConnectionState() tls.ConnectionState }); secure {
		return where + "-fqdn" // certificates are for names
	}
	return where + "-ip"
}
