// Package dial opens connections, and describes in a sentence why one cannot be
// opened.
package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Patience is the time that a server may take to accept a connection.
const Patience = 10 * time.Second

// A Dialer is a [net.Dialer] or a [crypto/tls.Dialer].
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// TCP connects to address with d. Its error names the address.
func TCP(ctx context.Context, d Dialer, address string) (net.Conn, error) {
	return Any(ctx, d, "tcp", address)
}

// Any is [TCP] for any network.
func Any(ctx context.Context, d Dialer, network, address string) (net.Conn, error) {
	timeout := fmt.Errorf("no answer within %v", Patience)
	ctx, cancel := context.WithTimeoutCause(ctx, Patience, timeout)
	defer cancel()
	conn, err := d.DialContext(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	if cause := context.Cause(ctx); cause != nil { // the end of ctx ended the dial, whatever err is
		err = cause
	} else if errors.Is(err, context.DeadlineExceeded) {
		err = timeout
	}
	return nil, fmt.Errorf("cannot connect to %s: %w", address, Cause(err))
}

// Cause returns the cause in an error of package net, without the addresses and
// the operation.
func Cause(err error) error {
	var op *net.OpError
	var call *os.SyscallError
	switch {
	case errors.As(err, &call):
		return call.Err
	case errors.As(err, &op):
		return op.Err
	default:
		return err
	}
}
