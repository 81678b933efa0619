// Command subscriber shows a subscriber that loses nothing. It is told of
// sessions that begin and end, and reads all sessions again after a gap.
//
//	subscriber redis://[user:password@]host[:port][?cluster=true]
//
// With ?cluster=true the server is any node of a Redis Cluster. The program is the
// same: a single server is one primary that has every slot. It needs Redis 7 or
// Valkey.
//
// The sessions are in eight sets. A client that begins or ends a session changes
// its set and publishes the change on the shard channel of the same name, in one
// script. The subscriber keeps a list of sessions. It subscribes to the
// channels at the primaries of their slots, and follows the slots when they move.
// For three seconds the program begins sessions and ends older ones. Then it
// waits until the list equals the sets on the servers. In the meantime you can
// kill, restart or freeze a server, let a replica replace it, or move a slot. The
// program reports the gap, and its list is right again a moment later.
//
// Keyspace events (notify-keyspace-events) would make the publishing unnecessary,
// and would also report keys that expire. A feed.Cluster subscribes to them at
// every primary. But a node sends each event to every subscriber whose pattern
// matches, whatever the key. A shard channel is subscribed to by name, and
// belongs to a slot, like the keys that its messages are about.
package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/examples/internal/program"
)

const (
	prefix = "respush-example-subscriber:"
	groups = 8
	begun  = 300 // sessions in total
	live   = 60  // sessions at once
	pace   = 10 * time.Millisecond
)

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.ClusterArg(args)
	if err != nil {
		return err
	}
	client := server.Client()
	defer client.Close()
	defer remove(context.WithoutCancel(ctx), client)
	s := newSessions(server, server.Topology(client), keys(), stdout)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.run(groupCtx) })
	group.Go(func() error {
		if err := work(groupCtx, client, s); err != nil {
			return err
		}
		return s.end(groupCtx)
	})
	if err := group.Wait(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "sessions now  %d\nlater gaps    %d\n", len(s.now()), s.feed.Stats().Gaps-1) // one precedes the start
	return nil
}

// work begins sessions and ends older ones, and waits until the list is right.
func work(ctx context.Context, client redis.UniversalClient, s *sessions) error {
	for i := range begun {
		err := change(ctx, client, i, "+")
		if err == nil && i >= live {
			err = change(ctx, client, i-live, "-")
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // a server may be down for a while
			s.say("session %d: %v", i, err)
		}
		select {
		case <-time.After(pace):
		case <-ctx.Done():
		}
	}
	return settle(ctx, client, s)
}

// changing changes a set and publishes what has changed, in one step and on one
// node. It is a script and not a transaction, for the reason that [feed.Cluster]
// gives.
var changing = redis.NewScript(`
	redis.call(ARGV[1], KEYS[1], ARGV[2])
	return redis.call("SPUBLISH", KEYS[1], ARGV[3])
`)

// change begins a session with "+" or ends it with "-".
func change(ctx context.Context, client redis.UniversalClient, i int, how string) error {
	name, command := strconv.Itoa(i), "SADD"
	if how == "-" {
		command = "SREM"
	}
	return changing.Run(ctx, client, []string{key(i)}, command, name, how+name).Err()
}

// settle waits until the list equals the sessions on the servers.
func settle(ctx context.Context, client redis.UniversalClient, s *sessions) error {
	return program.Until(ctx, func() bool {
		names, err := stored(ctx, client)
		return err == nil && slices.Equal(names, s.now())
	})
}

// stored returns the sessions on the servers, in order.
func stored(ctx context.Context, client redis.UniversalClient) ([]string, error) {
	var names []string
	for _, key := range keys() {
		members, err := client.SMembers(ctx, key).Result()
		if err != nil {
			return nil, err
		}
		names = append(names, members...)
	}
	slices.Sort(names)
	return names, nil
}

// remove deletes the groups. It ignores errors, since leftover keys do no harm.
func remove(ctx context.Context, client redis.UniversalClient) {
	_, _ = client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, key := range keys() {
			pipe.Del(ctx, key)
		}
		return nil
	})
}

// key returns the key of the group of a session.
func key(i int) string { return prefix + strconv.Itoa(i%groups) }

// keys returns the keys of all groups.
func keys() []string {
	var all []string
	for i := range groups {
		all = append(all, key(i))
	}
	return all
}
