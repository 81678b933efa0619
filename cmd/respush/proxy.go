package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/seed79615202/respush/cmd/respush/internal/dial"
	"github.com/seed79615202/respush/cmd/respush/internal/proxy"
	"github.com/seed79615202/respush/cmd/respush/internal/record"
)

const proxyLong = `Listens for clients, connects each to a server, and prints the pushes that flow
back: the time, the client's address, and what the push says. Every byte reaches
the other side unchanged, also when a connection is half closed or a stream is
malformed. proxy sends nothing of its own to the server. Any number of clients
may connect.

Neither the output nor the file of --record ever holds up a client. When one of
them is too slow, proxy passes pushes on without printing or recording them. It
does the same with a push of more than 64 MiB.

On a terminal, lines have colours, unless NO_COLOR is set in the environment,
and are no longer than the terminal is wide.

proxy ends on Ctrl-C, SIGTERM or SIGHUP. It closes all connections at once and
prints a summary on standard error. The exit status is then 0. It is 1 when
something failed and 2 when the command line makes no sense. A server that
cannot be reached does not end proxy: it closes the client's connection and
waits for the next client.

proxy sees nothing inside TLS, and a client that speaks RESP2 gets no pushes.`

const proxyExample = `  respush proxy --listen :6380 --upstream redis.example.com:6379
  redis-cli -3 -p 6380 SUBSCRIBE news

  respush proxy --listen 127.0.0.1:0 --json | jq .name`

func newProxy() *cobra.Command {
	var p proxy.Proxy
	var listen, recording string
	cmd := &cobra.Command{
		Use:     "proxy",
		Short:   "Passes clients on to a server and prints the pushes that flow back",
		Long:    proxyLong,
		Example: proxyExample,
		Args:    usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := cmp.Or(checkAddress("--listen", listen), checkAddress("--upstream", p.Upstream))
			if err != nil {
				return &usageError{err}
			}
			return runProxy(cmd, p, listen, recording)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&listen, "listen", "127.0.0.1:6380", "listen for clients on `host:port`; port 0 means any free port")
	flags.StringVar(&p.Upstream, "upstream", "127.0.0.1:6379", "connect them to the server on `host:port`")
	p.Format.Flags(flags)
	flags.StringVar(&recording, "record", "", "write the pushes of all clients to `file` as they are on the wire, for respush decode")
	return cmd
}

// runProxy runs p for the clients that connect to listen. It records the pushes
// in the file called recording, unless that is empty.
func runProxy(cmd *cobra.Command, p proxy.Proxy, listen, recording string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", listen, dial.Cause(err))
	}
	defer listener.Close()
	p.Listener, p.Stdout, p.Stderr = listener, cmd.OutOrStdout(), cmd.ErrOrStderr()
	p.Format = p.Format.For(p.Stdout)
	closing := func() error { return nil }
	if recording != "" {
		file, err := record.Create(recording)
		if err != nil {
			return err
		}
		p.Record, closing = file, file.Close
	}
	cmd.PrintErrf("respush: listening on %s for %s\n", listener.Addr(), p.Upstream)
	return cmp.Or(p.Run(cmd.Context()), closing())
}

// checkAddress returns an error that names the flag if address is not of the
// form host:port.
func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil && port == "" {
		err = errors.New("the port is missing")
	}
	if err != nil {
		return fmt.Errorf("%s: want HOST:PORT: %w", flag, err)
	}
	return nil
}
