package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
)

// patience is the time between two attempts to read the keys.
const patience = 100 * time.Millisecond

// sessions knows the keys with a prefix that exist on a server. It hears of each
// change from the server's keyspace events. What it has missed in a gap it reads
// from the server when the gap has ended.
//
// What stands between the two kinds of markers is what a subscriber needs beside
// its business. A test counts it: at most 25 lines.
type sessions struct {
	client *redis.Client
	prefix string
	stdout io.Writer

	catching sync.Mutex // held by catchUp

	mu      sync.Mutex // guards what follows
	live    map[string]bool
	changes map[string]bool // while the keys are read: those that changed meanwhile, and whether they exist
	expired int
	// feed: begin
	feed   *feed.Feed
	behind sync.WaitGroup // calls of catchUp
	// feed: end
}

func newSessions(server program.Server, client *redis.Client, prefix string, stdout io.Writer) *sessions {
	s := &sessions{client: client, prefix: prefix, stdout: stdout, live: map[string]bool{}}
	// feed: begin
	p := dispatch.NewProcessor()
	_ = p.HandleFunc("pmessage", notify.OnMessage(s.event)) // cannot fail, since the name is new
	s.feed = &feed.Feed{
		Addr: server.Addr, Auth: server.Auth, Processor: p,
		Patterns: []string{channel(prefix) + "*"},
		OnGap:    func(_ context.Context, g feed.Gap) { fmt.Fprintln(s.stdout, "gap:", g.Cause) },
		OnArmed: func(ctx context.Context, c feed.Coverage) {
			s.behind.Add(1)
			go func() { // OnArmed must not block
				defer s.behind.Done()
				s.catchUp(ctx, c)
			}()
		},
	}
	// feed: end
	return s
}

// channel returns the name of the channel with the events of a key.
func channel(key string) string { return "__keyspace@0__:" + key }

// run follows the keys until ctx ends or end is called.
func (s *sessions) run(ctx context.Context) error {
	// feed: begin
	defer s.behind.Wait()
	return s.feed.Run(ctx)
	// feed: end
}

// end ends run in order: every event that the server had sent is handled.
func (s *sessions) end(ctx context.Context) error {
	// feed: begin
	return s.feed.Shutdown(ctx)
	// feed: end
}

// event notes a change of a key.
func (s *sessions) event(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
	key := string(bytes.TrimPrefix(m.Channel, []byte(channel(""))))
	event := string(m.Payload.Bytes())
	gone := event == "del" || event == "expired" || event == "evicted"
	s.mu.Lock()
	defer s.mu.Unlock()
	if event == "expired" {
		s.expired++
	}
	s.set(key, !gone)
	if s.changes != nil {
		s.changes[key] = !gone
	}
	return nil
}

// set notes whether a key exists. The caller holds mu.
func (s *sessions) set(key string, exists bool) {
	if exists {
		s.live[key] = true
	} else {
		delete(s.live, key)
	}
}

// catchUp reads which keys exist. It tries again until it succeeds or there is
// another gap, whose end calls it as well.
func (s *sessions) catchUp(ctx context.Context, c feed.Coverage) {
	s.catching.Lock()
	defer s.catching.Unlock()
	for s.feed.Coverage().Continues(c) {
		err := s.readAll(ctx)
		if err == nil {
			return
		}
		fmt.Fprintln(s.stdout, "not up to date:", err)
		select {
		case <-time.After(patience):
		case <-ctx.Done():
		}
	}
}

// readAll reads which keys exist. Events that arrive meanwhile are newer than
// what it reads.
func (s *sessions) readAll(ctx context.Context) error {
	s.mu.Lock()
	s.changes = map[string]bool{}
	s.mu.Unlock()
	found := map[string]bool{}
	// A server that has been restarted may have forgotten that it is to send events.
	err := s.client.ConfigSet(ctx, "notify-keyspace-events", "KA").Err()
	if err == nil {
		keys := s.client.Scan(ctx, 0, s.prefix+"*", 1000).Iterator()
		for keys.Next(ctx) {
			found[keys.Val()] = true
		}
		err = keys.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.live = found
		for key, exists := range s.changes {
			s.set(key, exists)
		}
	}
	s.changes = nil
	return err
}

// now returns the keys that exist, without the prefix.
func (s *sessions) now() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for key := range maps.Keys(s.live) {
		names = append(names, strings.TrimPrefix(key, s.prefix))
	}
	return names
}
