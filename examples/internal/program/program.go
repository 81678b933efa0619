// Package program holds the code that the examples share: their main function,
// the server argument, connections to a server or a cluster, and waiting.
package program

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/signal"
)

// Main runs an example until it returns or the user presses Ctrl-C. It exits
// with status 1 if the example returns an error.
func Main(run func(ctx context.Context, args []string, stdout io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	log.SetFlags(0)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}
