// Package program is what the examples have in common and is not what they
// show: their main function, the server they are told of, and a connection to it.
package program

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/signal"
)

// Main runs an example until it is done or Ctrl-C. A program that fails, or
// says how it is used, ends with exit status 1.
func Main(run func(ctx context.Context, args []string, stdout io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	log.SetFlags(0)
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}
