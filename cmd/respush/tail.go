package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/seed79615202/respush/cmd/respush/internal/embedded"
	"github.com/seed79615202/respush/cmd/respush/internal/record"
	"github.com/seed79615202/respush/cmd/respush/internal/tail"
	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

const tailLong = `Connects to a server, says HELLO 3 and prints every push as it arrives. The URL is
redis://[user:password@]host[:port][/db], rediss:// for TLS, valkey:// and
valkeys:// likewise, or unix://[user:password@]/path[?db=N]. If the URL has no
password, tail uses that of the environment variable REDISCLI_AUTH.

Without a URL, tail shows a server inside this process, with traffic that ends
after 3 seconds (or --for). Unless other options say what to listen to, it
listens to everything that this traffic causes.

When the connection is lost, or the server has not answered for 5 seconds, tail
prints a gap line: the moment from which on pushes may be missing, and why. It
then connects again, and prints an armed line when the server reports everything
again. Standard error says why there is no connection meanwhile. With --once,
tail ends when the connection is lost.

With --cluster, tail shows the pushes of all primaries of the cluster that the
server of the URL is a node of, each with its node. It follows failovers and slots
that move. A gap line says which node and which slots it is about: keys and shard
channels belong to their slots. Channels and patterns live on one of the nodes, as
a cluster sends their messages to all, and move to another when it is lost. The
events of keys (__keyspace@0__:*) come from every node, as each sends only those
of its own keys. Login, TLS options and name apply to every node. The name in a
node's certificate has to be the host that CLUSTER SLOTS gives for it, or that of
--sni. --count counts the pushes of all nodes, --record writes them into one file,
and the summary says how many came from which node.

The node of the URL has to be reached. Of another that cannot be reached,
standard error says so, and tail tries again.

tail ends after --count pushes, after --for, on Ctrl-C, SIGTERM or SIGHUP. It
then prints a summary on standard error. The exit status is 1 when something
failed, 2 when the command line makes no sense, and otherwise 0. The first
connection has to succeed: a server that cannot be reached or refuses a request
is a failure. --for counts from the beginning. If it ends before the server has
answered all requests, that is a failure too.

--record writes the pushes, including those that are not shown. With --once it
writes every byte that the server sends.

On a terminal, lines have colours, unless NO_COLOR is set in the environment,
and are no longer than the terminal is wide.

--track turns on the server's client-side caching. By itself it reports only
keys that this connection has read. tail reads none, so you will see flushes
only. A server forgets these keys with the connection, so --track alone implies
--once. With --bcast the server reports every key that is written, or every key
with one of the prefixes that --prefix gives.`

const tailExample = `  respush tail
  respush tail redis://localhost --bcast --prefix user: --prefix session:
  respush tail redis://:secret@localhost:6379/2 --subscribe news --psubscribe 'metrics.*'
  respush tail rediss://cache.example.com --bcast --json --count 100
  respush tail redis://localhost --subscribe news --record dump.resp
  respush tail redis://localhost:7000 --cluster --bcast --subscribe news
  REDISCLI_AUTH=secret respush tail unix:///run/valkey.sock --bcast`

func newTail() *cobra.Command {
	var opts tail.Options
	var recording string // the name of its file
	cmd := &cobra.Command{
		Use:     "tail [URL]",
		Short:   "Prints every push of a server or a cluster as it arrives",
		Long:    tailLong,
		Example: tailExample,
		Args:    usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.Validate(); err != nil {
				return &usageError{err}
			}
			ctx := cmd.Context()
			opts.Format = opts.Format.For(cmd.OutOrStdout())
			if len(args) == 0 {
				switch {
				case opts.TLS != (tail.TLS{}):
					return &usageError{errNoTLS}
				case opts.Cluster:
					return &usageError{errNoNode}
				}
				return tailEmbedded(ctx, cmd, opts, recording)
			}
			server, err := target.Parse(args[0], os.Getenv("REDISCLI_AUTH"))
			if err != nil {
				return &usageError{fmt.Errorf("wrong URL: %w", err)}
			}
			switch {
			case opts.TLS != (tail.TLS{}) && !server.TLS:
				return &usageError{errNoTLS}
			case opts.Cluster && server.Socket != "":
				return &usageError{errNoNode}
			}
			return tailServer(ctx, cmd, server, opts, recording)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&opts.Channels, "subscribe", nil, "listen to `channel` (repeatable)")
	flags.StringArrayVar(&opts.Patterns, "psubscribe", nil, "listen to the channels that match `pattern` (repeatable)")
	flags.StringArrayVar(&opts.ShardChannels, "ssubscribe", nil, "listen to the shard `channel` (repeatable)")
	flags.BoolVar(&opts.Track, "track", false, "turn on tracking of the keys this connection reads")
	flags.BoolVar(&opts.Broadcast, "bcast", false, "track every key that is written (implies --track)")
	flags.StringArrayVar(&opts.Prefixes, "prefix", nil, "with --bcast, only keys that begin with `prefix` (repeatable)")
	flags.StringArrayVar(&opts.Filter.Names, "only", nil, "show only pushes called `name`, such as invalidate (repeatable)")
	flags.StringArrayVar(&opts.Filter.Globs, "match", nil, "show only pushes about keys or channels that match `glob`, and pushes about neither (repeatable)")
	opts.Format.Flags(flags)
	flags.StringVar(&recording, "record", "", "write what the server sends to `file`, for respush decode")
	flags.BoolVar(&opts.Cluster, "cluster", false, "listen to all primaries of the cluster that the server belongs to")
	flags.BoolVar(&opts.Once, "once", false, "end when the connection is lost")
	flags.IntVar(&opts.Count, "count", 0, "end after `N` pushes shown, confirmations included")
	flags.DurationVar(&opts.For, "for", 0, "end after `duration`, such as 90s")
	flags.StringVar(&opts.ClientName, "client-name", "respush-tail", "appear as `name` in the server's CLIENT LIST")
	flags.StringVar(&opts.TLS.CACert, "cacert", "", "trust the authorities in `file` (PEM) instead of the system's")
	flags.StringVar(&opts.TLS.Cert, "cert", "", "show the certificate in `file` (PEM) to the server")
	flags.StringVar(&opts.TLS.Key, "key", "", "use the key in `file` (PEM) for that certificate")
	flags.StringVar(&opts.TLS.SNI, "sni", "", "expect the server to be called `name`, not the host of the URL")
	flags.BoolVar(&opts.TLS.Insecure, "insecure", false, "do not verify the server's certificate")
	return cmd
}

// errNoTLS refuses options that would have no effect.
var errNoTLS = errors.New("--cacert, --cert, --key, --sni and --insecure are for rediss:// and valkeys:// URLs")

// errNoNode refuses --cluster where there is none.
var errNoNode = errors.New("--cluster needs the URL of a node, as in redis://host:port")

// limited returns a context that ends with ctx, or when opts say so.
func limited(ctx context.Context, opts tail.Options) (context.Context, context.CancelFunc) {
	if opts.For == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, opts.For, tail.ErrElapsed)
}

// tailServer listens to server.
func tailServer(ctx context.Context, cmd *cobra.Command, server target.Target, opts tail.Options, recording string) error {
	ctx, cancel := limited(ctx, opts)
	defer cancel()
	if opts.Reconnects() {
		note(cmd, opts)
		watch := tail.Watch{Target: server, Options: opts, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr()}
		return recorded(recording, func(file io.Writer) error {
			watch.Record = file
			return watch.Run(ctx)
		})
	}
	conn, err := tail.Dial(ctx, server, opts.TLS)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && cause != tail.ErrElapsed {
			return nil // interrupted
		}
		return err
	}
	note(cmd, opts)
	session := tail.Session{
		Conn: conn, Target: server, Options: opts,
		Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
	}
	return listen(ctx, session, recording)
}

// listen runs session. It records what the server sends in the file called
// recording, unless that is empty.
func listen(ctx context.Context, session tail.Session, recording string) error {
	defer session.Conn.Close()
	return recorded(recording, func(file io.Writer) error {
		session.Record = file
		return session.Run(ctx)
	})
}

// recorded calls listen with the file called recording, or with nil if that is
// empty.
func recorded(recording string, listen func(io.Writer) error) error {
	if recording == "" {
		return listen(nil)
	}
	file, err := record.Create(recording)
	if err != nil {
		return err
	}
	return cmp.Or(listen(file), file.Close())
}

// note warns of options that will show little.
func note(cmd *cobra.Command, opts tail.Options) {
	switch {
	case !opts.Listens():
		cmd.PrintErrln("respush: note: no option asks for pushes (--bcast, --subscribe, ...): only unsolicited pushes will show")
	case opts.Track && !opts.Broadcast:
		cmd.PrintErrln("respush: note: --track without --bcast reports only keys this connection reads, and tail reads none")
	}
}

// tailEmbedded listens to a server of its own. It ends after embedded.Demo
// unless opts have another end.
func tailEmbedded(ctx context.Context, cmd *cobra.Command, opts tail.Options, recording string) error {
	if opts.For == 0 {
		opts.For = embedded.Demo
	}
	if !opts.Listens() {
		opts.Broadcast = true
		opts.Channels = []string{embedded.Channel}
		opts.Patterns = []string{embedded.Pattern}
	}
	ctx, cancel := limited(ctx, opts)
	defer cancel()
	server, err := embedded.Start()
	if err != nil {
		return fmt.Errorf("embedded server: %w", err)
	}
	defer server.Close()
	conn, err := server.Dial()
	if err != nil {
		return fmt.Errorf("embedded server: %w", err)
	}
	cmd.PrintErrf("respush: no URL: showing an embedded server (miniredis) with %v of traffic\n", opts.For)
	session := tail.Session{
		Conn: conn, Options: opts,
		Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
		Ready: func(ctx context.Context) error { return server.Traffic(ctx) },
	}
	return listen(ctx, session, recording)
}
