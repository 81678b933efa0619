package tail

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/seed79615202/respush/cmd/respush/internal/dial"
	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

// patience is how long a server may take to answer each command of the set-up.
const patience = dial.Patience

// Dial connects to t. A TLS server is verified against the system's roots,
// unless insecure.
func Dial(ctx context.Context, t target.Target, insecure bool) (net.Conn, error) {
	if !t.TLS {
		return dial.TCP(ctx, &net.Dialer{}, t.Address())
	}
	return dial.TCP(ctx, &tls.Dialer{Config: &tls.Config{
		ServerName:         t.Host,
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: insecure, // what --insecure asks for
	}}, t.Address())
}
