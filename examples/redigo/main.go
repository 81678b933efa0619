// Command redigo shows a client that speaks RESP2 only, with a connection of its
// own beside it that carries the invalidations.
//
//	redigo redis://[user:password@]host[:port]
//
// Redigo cannot read RESP3: it knows no nulls, maps, sets, doubles or booleans of
// it, and some replies have another shape there. So redigo stays on RESP2, where
// a server sends no invalidations. A second connection speaks RESP3, tracks a
// prefix with BCAST and is read by [dispatch.Processor.Serve]. It receives an
// invalidation for every change of a key with the prefix, whichever connection
// made the change.
//
// The program increments a counter 10,000 times through redigo, and reads a key
// that does not exist. Each increment causes a push on the second connection.
// The example cache shows what a cache has to do with these pushes.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/gomodule/redigo/redis"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

const (
	prefix     = "respush-example-redigo:"
	counter    = prefix + "counter"
	missing    = prefix + "missing"
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
	client, err := dial(ctx, server)
	if err != nil {
		return err
	}
	defer client.Close()
	beside, err := server.Dial(ctx)
	if err != nil {
		return err
	}
	defer beside.Close()

	t := &tracking{conn: beside, on: make(chan struct{})}
	group, groupCtx := errgroup.WithContext(ctx)
	defer context.AfterFunc(groupCtx, func() { client.Close() })()
	group.Go(func() error { return t.run(groupCtx) })
	group.Go(func() error {
		select {
		case <-t.on:
		case <-groupCtx.Done():
			return groupCtx.Err()
		}
		return errors.Join(count(client), t.end())
	})
	if err := group.Wait(); err != nil {
		return cmp.Or(ctx.Err(), err) // the end of ctx closes both connections
	}
	fmt.Fprintf(stdout, "replies      %d, all correct, and a null for a missing key\n", increments)
	fmt.Fprintf(stdout, "invalidated  %d times, on the connection beside redigo's\n", t.invalidated)
	return nil
}

// dial returns a redigo connection. It speaks RESP2, the default of a server.
func dial(ctx context.Context, server program.Server) (redis.Conn, error) {
	options := []redis.DialOption{redis.DialReadTimeout(timeout), redis.DialWriteTimeout(timeout)}
	if server.Password != "" {
		options = append(options, redis.DialUsername(server.Username), redis.DialPassword(server.Password))
	}
	return redis.DialContext(ctx, "tcp", server.Addr, options...)
}

// count increments the counter, checks each reply, and reads a missing key.
func count(client redis.Conn) error {
	if _, err := client.Do("DEL", counter); err != nil {
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
	if _, err := redis.String(client.Do("GET", missing)); !errors.Is(err, redis.ErrNil) {
		return fmt.Errorf("the missing key: %w", cmp.Or(err, errors.New("is there")))
	}
	_, err := client.Do("DEL", counter)
	return err
}

// A tracking is a connection that carries invalidations.
//
// Invariant: invalidated belongs to the goroutine of run until run returns.
type tracking struct {
	conn        net.Conn
	on          chan struct{} // closed when the server has begun to track
	invalidated int           // invalidations of the counter
}

// errEnd ends a tracking that is no longer needed.
var errEnd = errors.New("end of tracking")

// run counts the invalidations of the counter. It returns nil after end. The
// server stops tracking when the connection ends, so a cache must then drop
// everything, whatever Serve returns, and be off until run is called with a new
// connection.
func (t *tracking) run(ctx context.Context) error {
	processor := dispatch.NewProcessor()
	err := processor.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			for key := range i.Keys() {
				if string(key) == counter {
					t.invalidated++ // the handler runs inside Serve
				}
			}
			return nil
		}))
	if err != nil {
		return err
	}
	if _, err := t.conn.Write(program.Command("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix)); err != nil {
		return err
	}
	err = processor.Serve(ctx, dispatch.NotificationHandlerContext{Conn: t.conn}, parser.NewReader(t.conn), func(reply parser.Frame) error {
		if string(reply.Value().Bytes()) == "PONG" {
			return errEnd
		}
		if err := program.Refused(reply); err != nil {
			return err
		}
		close(t.on)
		return nil
	})
	if errors.Is(err, errEnd) {
		return nil
	}
	return cmp.Or(err, io.ErrUnexpectedEOF) // without an error the server closed the connection
}

// end makes run return nil. The server sends the invalidations of the writes
// that it has answered before it answers the PING.
func (t *tracking) end() error {
	_, err := t.conn.Write(program.Command("PING"))
	return err
}
