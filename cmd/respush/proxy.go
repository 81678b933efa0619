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

const proxyLong = `Listens for clients, passes each on to a server, and prints the pushes that flow
back: the time, the client's address, and what the push says. What client and
server say reaches the other unchanged, half-closed connections and malformed
streams too; nothing is asked of the server. Any number of clients may come.

Neither the output nor the file of --record ever holds up a client: when one is
too slow, pushes are passed on and not printed, or not recorded, and so are
single ones of more than 64 MiB.

A terminal gets colours, unless the environment says NO_COLOR, and lines no
longer than it is wide.

It ends on Ctrl-C, SIGTERM or SIGHUP, closes all connections at once and writes a summary on
standard error. The exit status is 0 then, 1 when something failed and 2 when
the command line makes no sense. A server that cannot be reached does not end
it: the client's connection is closed, and the next one tried.

Over TLS there is nothing to see, and a client that speaks RESP2 gets no pushes.`

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
	flags.StringVar(&listen, "listen", "127.0.0.1:6380", "take clients on `host:port`; port 0 is any that is free")
	flags.StringVar(&p.Upstream, "upstream", "127.0.0.1:6379", "pass them on to the server on `host:port`")
	p.Format.Flags(flags)
	flags.StringVar(&recording, "record", "", "write the pushes of all clients, as they are on the wire, to `file`, for respush decode")
	return cmd
}

// runProxy runs p for clients that come to listen, and records the pushes in a
// file unless that is called nothing.
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

// checkAddress reports an address that is not one, and names the flag.
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
