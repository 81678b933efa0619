package dial_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/cmd/respush/internal/dial"
)

// A dialer fails with err.
type dialer struct{ err error }

func (d dialer) DialContext(context.Context, string, string) (net.Conn, error) { return nil, d.err }

func TestRefusedDialNamesTheAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	conn, err := dial.TCP(context.Background(), &net.Dialer{}, address)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, listener.Close())

	_, err = dial.TCP(context.Background(), &net.Dialer{}, address)
	require.EqualError(t, err, "cannot connect to "+address+": connection refused")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestFailedDialIsExplained(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{context.DeadlineExceeded, "cannot connect to h:1: no answer within 10s"},
		{&net.OpError{Op: "dial", Err: errors.New("no route")}, "cannot connect to h:1: no route"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "h"}}, "cannot connect to h:1: lookup h: no such host"},
		{errors.New("bad certificate"), "cannot connect to h:1: bad certificate"},
	} {
		_, err := dial.TCP(context.Background(), dialer{test.err}, "h:1")
		require.EqualError(t, err, test.want)
	}
}
