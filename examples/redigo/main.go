// Command redigo shows a client that speaks only RESP2, with a second connection
// beside it that carries the invalidations.
//
//	redigo redis://[user:password@]host[:port]
//
// Redigo cannot read RESP3. It does not know the nulls, maps, sets, doubles and
// booleans of RESP3, and some replies have another shape there. So redigo stays
// on RESP2, where a server sends no invalidations. A [feed.Feed] keeps a second
// connection, which speaks RESP3 and tracks a prefix with BCAST. The Feed
// receives an invalidation for every change of a key with the prefix, whichever
// connection made the change, and reports when it may have missed some.
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
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
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
	invalidated := 0 // how often the counter was invalidated
	f, armed, err := newFeed(server, &invalidated)
	if err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	defer context.AfterFunc(groupCtx, func() { client.Close() })()
	group.Go(func() error { return f.Run(groupCtx) })
	group.Go(func() error {
		select {
		case <-armed:
		case <-groupCtx.Done():
			return groupCtx.Err()
		}
		// Shutdown handles everything that the server has sent. That includes
		// the invalidations of all writes that it has answered.
		return errors.Join(count(client), f.Shutdown(groupCtx))
	})
	if err := group.Wait(); err != nil {
		return cmp.Or(ctx.Err(), err) // the end of ctx closes both connections
	}
	fmt.Fprintf(stdout, "replies      %d, all correct, and a null for a missing key\n", increments)
	fmt.Fprintf(stdout, "invalidated  %d times, on the connection beside redigo's\n", invalidated)
	return nil
}

// newFeed returns a Feed that counts the invalidations of the counter, and a
// channel that is closed when the server has begun to report them. The count may
// be read when Run has returned.
func newFeed(server program.Server, invalidated *int) (f *feed.Feed, armed <-chan struct{}, err error) {
	p := dispatch.NewProcessor()
	err = p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			for key := range i.Keys() {
				if string(key) == counter {
					*invalidated++ // the handler runs inside Run
				}
			}
			return nil
		}))
	on := make(chan struct{})
	var once sync.Once
	return &feed.Feed{
		Addr: server.Addr, Auth: server.Auth, Processor: p,
		Tracking: &feed.Tracking{Prefixes: []string{prefix}},
		OnArmed:  func(context.Context, feed.Coverage) { once.Do(func() { close(on) }) }, // it may be armed again
	}, on, err
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
