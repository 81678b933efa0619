package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed79615202/respush/cmd/respush/internal/embedded"
	"github.com/seed79615202/respush/cmd/respush/internal/tail"
	"github.com/seed79615202/respush/cmd/respush/internal/target"
)

const tailLong = `Connects to a server, says HELLO 3 and prints every push as it arrives:
redis://[user:password@]host[:port][/db], or rediss:// for TLS.

Without a URL it shows itself: a server inside this process, with traffic that
ends after 3 seconds (or --for). Unless told otherwise it then listens to all
that this traffic causes.

It ends after --count pushes, after --for, on Ctrl-C or when the connection is
lost, with a summary on standard error. The exit status is 0 for the first
three, 1 when something failed and 2 when the command line makes no sense.

--track turns on the server's client-side caching. By itself it reports only
keys that this connection has read, and tail reads none: you will see flushes
only. With --bcast the server reports every key that is written, or those with
a --prefix.`

const tailExample = `  respush tail
  respush tail redis://localhost --bcast --prefix user: --prefix session:
  respush tail redis://:secret@localhost:6379/2 --subscribe news --psubscribe 'metrics.*'
  respush tail rediss://cache.example.com --bcast --json --count 100`

func newTail() *cobra.Command {
	var opts tail.Options
	cmd := &cobra.Command{
		Use:     "tail [URL]",
		Short:   "Prints every push of a connection as it arrives",
		Long:    tailLong,
		Example: tailExample,
		Args:    usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.Validate(); err != nil {
				return &usageError{err}
			}
			if opts.Insecure && (len(args) == 0 || !strings.HasPrefix(args[0], "rediss:")) {
				return &usageError{errors.New("--insecure is for rediss:// URLs")}
			}
			if len(args) == 0 {
				return tailEmbedded(cmd, opts)
			}
			return tailServer(cmd, args[0], opts)
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
	flags.BoolVar(&opts.JSON, "json", false, "print one JSON object a line")
	flags.IntVar(&opts.Count, "count", 0, "end after `N` pushes, confirmations included")
	flags.DurationVar(&opts.For, "for", 0, "end after `duration`, as in 90s")
	flags.BoolVar(&opts.Insecure, "insecure", false, "do not verify the certificate of a rediss:// server")
	return cmd
}

// tailServer listens to the server at url.
func tailServer(cmd *cobra.Command, url string, opts tail.Options) error {
	t, err := target.Parse(url)
	if err != nil {
		return &usageError{fmt.Errorf("wrong URL: %w", err)}
	}
	ctx := cmd.Context()
	conn, err := tail.Dial(ctx, t, opts.Insecure)
	if err != nil {
		if ctx.Err() != nil {
			return nil // interrupted
		}
		return err
	}
	note(cmd, opts)
	session := tail.Session{
		Conn: conn, Target: t, Options: opts,
		Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(),
	}
	return session.Run(ctx)
}

// note warns of options that will show little.
func note(cmd *cobra.Command, opts tail.Options) {
	switch {
	case !opts.Listens():
		cmd.PrintErrln("respush: note: nothing asked for (--bcast, --subscribe, ...): only pushes sent unasked will show")
	case opts.Track && !opts.Broadcast:
		cmd.PrintErrln("respush: note: --track without --bcast reports only keys this connection reads, and tail reads none")
	}
}

// tailEmbedded listens to a server of its own, for as long as its traffic is
// worth watching unless told otherwise.
func tailEmbedded(cmd *cobra.Command, opts tail.Options) error {
	if opts.For == 0 {
		opts.For = embedded.Demo
	}
	if !opts.Listens() {
		opts.Broadcast = true
		opts.Channels = []string{embedded.Channel}
		opts.Patterns = []string{embedded.Pattern}
	}
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
	return session.Run(cmd.Context())
}
