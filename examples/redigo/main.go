// Command redigo shows a client that knows no pushes, on a connection that has
// one behind every reply.
//
//	redigo redis://[user:password@]host[:port]
//
// Redigo speaks RESP2. Over a tap it can be on a RESP3 connection, with its
// pushes, as long as it sends commands whose replies are alike in both: numbers,
// strings, errors, and arrays of these. It knows no nulls, maps, sets, doubles or
// booleans of RESP3, so GET is for keys that are there, and HELLO, whose reply is
// a map, has been said before redigo sees the connection.
//
// The connection is told of its own changes to a counter, which it increments
// 10,000 times. Each reply is followed by the push about it.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/gomodule/redigo/redis"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/tap"
)

const (
	counter    = "respush-example-redigo:counter"
	increments = 10_000
	timeout    = 10 * time.Second // for each reply and each command
)

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.Arg(args)
	if err != nil {
		return err
	}
	processor := dispatch.NewProcessor()
	invalidated := 0
	err = processor.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			for key := range i.Keys() {
				if string(key) == counter {
					invalidated++ // no lock: the handler runs inside client.Do
				}
			}
			return nil
		}))
	if err != nil {
		return err
	}

	conn, err := server.Dial(ctx)
	if err != nil {
		return err
	}
	tapped := tap.NewConn(conn, processor)
	client := redis.NewConn(tapped, timeout, timeout)
	defer client.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	if err := count(client); err != nil {
		return cmp.Or(ctx.Err(), err) // the end of ctx is that of the connection
	}
	fmt.Fprintf(stdout, "replies      %d, each as it should be\n", increments)
	fmt.Fprintf(stdout, "pushes       %d, taken out of what redigo read\n", tapped.Stats().Pushes)
	fmt.Fprintf(stdout, "invalidated  %d times\n", invalidated)
	return nil
}

// count increments the counter, and checks each reply.
func count(client redis.Conn) error {
	if _, err := client.Do("DEL", counter); err != nil {
		return err
	}
	if _, err := client.Do("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", counter); err != nil {
		return err
	}
	for i := 1; i <= increments; i++ {
		value, err := redis.Int(client.Do("INCR", counter))
		if err != nil {
			return err
		}
		if value != i {
			return fmt.Errorf("reply %d is %d", i, value)
		}
	}
	if _, err := client.Do("CLIENT", "TRACKING", "OFF"); err != nil { // its reply is behind the last push
		return err
	}
	_, err := client.Do("DEL", counter)
	return err
}
