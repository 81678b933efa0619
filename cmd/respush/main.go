// Command respush shows the pushes that a Redis server sends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/cmd/respush/internal/tail"
)

// Exit statuses.
const (
	exitOK    = 0
	exitError = 1 // what was asked for failed
	exitUsage = 2 // what was asked for makes no sense
)

func main() {
	// A closed standard output is an error of the write then, not the end of
	// the process.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run runs one command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil || tail.OutputClosed(err) {
		return exitOK
	}
	fmt.Fprintf(stderr, "respush: %s\n", quote.Line(err.Error()))
	var usage *usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "respush",
		Short:         "Shows the pushes that a Redis server sends",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(newTail())
	return root
}

// A usageError is a command line that makes no sense.
type usageError struct{ err error }

// Error tells what is wrong with it.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns the error that it marks.
func (e *usageError) Unwrap() error { return e.err }

// usageArgs marks the errors of check as errors of usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
}
