package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
)

// patience is the time between two attempts to read a group.
const patience = 100 * time.Millisecond

// sessions knows the sessions of a server or a cluster. They are in groups. A
// group is a set with a shard channel of the same name, which is therefore on the
// same node. A message on the channel is + or - and the name of a session that
// has begun or ended. When a gap ends, the group is read again to find what was
// missed.
//
// The lines between the markers are what a subscriber needs in addition to its
// own business. A test checks that there are at most 25 of them.
type sessions struct {
	server program.Server
	groups map[string]*group // by key; never changes

	mu     sync.Mutex // guards stdout, and live and changes of each group
	stdout io.Writer
	// feed: begin
	feed   *feed.Cluster
	behind sync.WaitGroup // calls of catchUp
	// feed: end
}

// A group is the sessions in one set.
type group struct {
	catching sync.Mutex // held by catchUp
	live     map[string]bool
	changes  map[string]bool // while the set is read: sessions that began or ended meanwhile, and whether they are live
}

func newSessions(server program.Server, primaries feed.Topology, keys []string, stdout io.Writer) *sessions {
	s := &sessions{server: server, stdout: stdout, groups: map[string]*group{}}
	for _, key := range keys {
		s.groups[key] = &group{live: map[string]bool{}}
	}
	// feed: begin
	p := dispatch.NewProcessor()
	_ = p.HandleFunc(notify.NameSMessage, notify.OnMessage(s.event)) // cannot fail, since the name is new
	s.feed = &feed.Cluster{
		Topology: primaries, ShardChannels: keys,
		New:   func(feed.Node) *feed.Feed { return &feed.Feed{Auth: server.Auth, Probe: s.feed.Probe, Processor: p} },
		OnGap: func(_ context.Context, g feed.ClusterGap) { s.say("gap: %v", g.Cause) },
		OnArmed: func(ctx context.Context, part feed.Part) {
			for key := range s.groups {
				if part.Slots.ContainsKey(key) {
					s.behind.Add(1)
					go func() { // OnArmed must not block
						defer s.behind.Done()
						s.catchUp(ctx, key)
					}()
				}
			}
		},
	}
	// feed: end
	return s
}

// run follows the sessions until ctx ends or end is called.
func (s *sessions) run(ctx context.Context) error {
	// feed: begin
	defer s.behind.Wait()
	return s.feed.Run(ctx)
	// feed: end
}

// end ends run. Every message that a server has sent is handled before run
// returns.
func (s *sessions) end(ctx context.Context) error {
	// feed: begin
	return s.feed.Shutdown(ctx)
	// feed: end
}

// event records that a session has begun or ended.
func (s *sessions) event(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
	text := string(m.Payload.Bytes())
	g := s.groups[string(m.Channel)]
	if g == nil || len(text) < 2 {
		return fmt.Errorf("message %q on %s", text, m.Channel)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name, live := text[1:], text[0] == '+'
	g.set(name, live)
	if g.changes != nil {
		g.changes[name] = live
	}
	return nil
}

// set records whether a session is live. The caller holds mu.
func (g *group) set(name string, live bool) {
	if live {
		g.live[name] = true
	} else {
		delete(g.live, name)
	}
}

// catchUp reads a group. It tries again until it succeeds or another gap begins.
// The end of that gap then calls catchUp again.
func (s *sessions) catchUp(ctx context.Context, key string) {
	g := s.groups[key]
	g.catching.Lock()
	defer g.catching.Unlock()
	for c := s.feed.CoverageOf(key); s.feed.CoverageOf(key).Continues(c); {
		err := s.readAll(ctx, key)
		if err == nil {
			return
		}
		s.say("not up to date: %v", err)
		select {
		case <-time.After(patience):
		case <-ctx.Done():
			return
		}
	}
}

// errNoPrimary is the error for a group whose slot is not covered any more.
var errNoPrimary = errors.New("no primary")

// readAll reads a group from the primary that sends its messages, since another
// node may be behind. A message that arrives during the read is newer than what
// is read, or is followed by a message that is.
func (s *sessions) readAll(ctx context.Context, key string) error {
	primary, known := s.feed.Primary(key)
	if !known {
		return errNoPrimary
	}
	node := s.server.Node(primary.Addr)
	defer node.Close()
	g := s.groups[key]
	s.mu.Lock()
	g.changes = map[string]bool{}
	s.mu.Unlock()
	members, err := node.SMembers(ctx, key).Result()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		clear(g.live)
		for _, name := range members {
			g.live[name] = true
		}
		for name, live := range g.changes {
			g.set(name, live)
		}
	}
	g.changes = nil
	return err
}

// now returns the live sessions in order.
func (s *sessions) now() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, g := range s.groups {
		names = slices.AppendSeq(names, maps.Keys(g.live))
	}
	slices.Sort(names)
	return names
}

// say prints a line.
func (s *sessions) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.stdout, format+"\n", args...)
}
