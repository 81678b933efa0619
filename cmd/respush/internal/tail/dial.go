package tail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

// patience is how long a server may take to accept a connection, and to answer
// each command of the set-up.
const patience = 10 * time.Second

// Dial connects to t. A TLS server is verified against the system's roots,
// unless insecure.
func Dial(ctx context.Context, t target.Target, insecure bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	} = &net.Dialer{}
	if t.TLS {
		dialer = &tls.Dialer{Config: &tls.Config{
			ServerName:         t.Host,
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: insecure, // what --insecure asks for
		}}
	}
	conn, err := dialer.DialContext(ctx, "tcp", t.Address())
	if err != nil {
		return nil, explainDial(err, t.Address())
	}
	return conn, nil
}

// explainDial turns an error of a dial to address into a sentence that names
// the address once.
func explainDial(err error, address string) error {
	var op *net.OpError
	var call *os.SyscallError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer within %v", patience)
	case errors.As(err, &call):
		err = call.Err
	case errors.As(err, &op):
		err = op.Err
	}
	return fmt.Errorf("cannot connect to %s: %w", address, err)
}
