// Command maintenance shows a client that handles the maintenance notifications
// of a server: it waits longer for replies, and moves to another endpoint
// without losing a reply.
//
//	maintenance [redis://[user:password@]host[:port]]
//
// Redis Cloud and Redis Software send such pushes to clients that ask for them.
// A plain Redis server, such as 7.0.15, sends none and refuses the request.
// Without a URL the program therefore plays two servers of its own. The first
// is under maintenance and hands over to the second. The program ends after
// about two seconds. With a URL it asks that server for the pushes, and sends
// it a PING every second for a minute.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/seed79615202/respush/examples/internal/program"
)

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) > 0 {
		server, err := program.Arg(args)
		if err != nil {
			return err
		}
		return ping(ctx, server, stdout, 60, time.Second)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	second, err := play(ctx, nil)
	if err != nil {
		return err
	}
	first, err := play(ctx, maintenance(second))
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "no server: playing two of them")
	return ping(ctx, program.Server{Addr: first}, stdout, 9, 50*time.Millisecond)
}

// ping sends PING to a server n times.
func ping(ctx context.Context, server program.Server, stdout io.Writer, n int, pace time.Duration) error {
	c, err := newClient(ctx, server, stdout)
	if err != nil {
		return err
	}
	defer c.close()
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for i := range n {
		if i > 0 {
			select {
			case <-ticker.C:
			case <-ctx.Done():
			}
		}
		if err := c.do(ctx, "PING"); err != nil {
			return cmp.Or(ctx.Err(), err) // the end of ctx closes the connection
		}
	}
	return nil
}
