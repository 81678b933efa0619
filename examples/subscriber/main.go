// Command subscriber shows a subscriber that loses nothing: it hears of the keys
// that come and go, and reads the state again after a gap.
//
//	subscriber redis://[user:password@]host[:port]
//
// It keeps a list of sessions, which are keys with a time to live. A Feed
// subscribes to the server's keyspace events, and restores that when the
// connection is lost. The program creates sessions, ends some of them, and waits
// until the rest has expired. Kill, restart or freeze the server meanwhile: the
// program says so, and its list is right again a moment later.
//
// The program turns keyspace events on (notify-keyspace-events KA), and restores
// the former setting at its end.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/examples/internal/program"
)

const (
	prefix  = "respush-example-subscriber:"
	logins  = 100
	logouts = 40
	life    = 2 * time.Second // of a session
	look    = 10 * time.Millisecond
)

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.Arg(args)
	if err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Username: server.Username, Password: server.Password})
	defer client.Close()
	former, err := client.ConfigGet(ctx, "notify-keyspace-events").Result()
	if err != nil {
		return err
	}
	s := newSessions(server, client, prefix, stdout)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.run(groupCtx) })
	group.Go(func() error {
		if err := live(groupCtx, client, s, stdout); err != nil {
			return err
		}
		return s.end(groupCtx)
	})
	err = group.Wait()
	restored := client.ConfigSet(context.WithoutCancel(ctx), "notify-keyspace-events", former["notify-keyspace-events"]).Err()
	if err := errors.Join(err, restored); err != nil {
		return err
	}
	stats := s.feed.Stats()
	fmt.Fprintf(stdout, "sessions now  %d\nexpired       %d\ngaps          %d, %d of them before the start\n",
		len(s.now()), s.expired, stats.Gaps, stats.GapsStart)
	return nil
}

// live creates sessions, ends some of them, and waits until all have expired.
func live(ctx context.Context, client *redis.Client, s *sessions, stdout io.Writer) error {
	for i := range logins {
		if err := client.Set(ctx, prefix+strconv.Itoa(i), "", life).Err(); err != nil {
			return err
		}
	}
	if err := until(ctx, func() bool { return len(s.now()) == logins }); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "sessions now  %d\n", logins)
	for i := range logouts {
		if err := client.Del(ctx, prefix+strconv.Itoa(i)).Err(); err != nil {
			return err
		}
	}
	return until(ctx, func() bool { return len(s.now()) == 0 })
}

// until waits until something has happened.
func until(ctx context.Context, happened func() bool) error {
	again := time.NewTicker(look)
	defer again.Stop()
	for !happened() {
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
