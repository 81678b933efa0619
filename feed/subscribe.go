package feed

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/seed79615202/respush/internal/command"
	"github.com/seed79615202/respush/parser"
)

// Kind is a kind of subscription.
type Kind uint8

// The kinds of subscriptions.
const (
	Channel      Kind = iota // SUBSCRIBE
	Pattern                  // PSUBSCRIBE
	ShardChannel             // SSUBSCRIBE
	kinds
)

// verb returns the command that begins or ends subscriptions of a kind.
func (k Kind) verb(end bool) string {
	verb := [kinds]string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}[k]
	if end {
		verb = [kinds]string{"UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"}[k]
	}
	return verb
}

// names is a set of channels or patterns.
type names map[string]struct{}

// change is a call of Subscribe or Unsubscribe, or the subscriptions that set up
// a connection.
type change struct {
	kind  Kind
	end   bool         // of Unsubscribe
	names []string     // those that the server has not confirmed
	left  int          // commands that are under way
	err   error        // the first refusal
	done  chan<- error // receives the outcome; nil for the set-up, whose refusal fails the connection
	sent  bool
}

// Subscribe adds subscriptions, which the Feed restores on each connection. It
// returns nil when the server has confirmed them. It returns a [*SetupError]
// when the server refuses them; those that it refused are then dropped. While
// the Feed has no connection, or Run has not been called, Subscribe waits.
//
// If ctx ends first, Subscribe returns its error. The server may then confirm
// the subscriptions later; Unsubscribe ends them in any case.
//
// While the Feed moves to another connection, Subscribe waits for that as well.
//
// Subscribe waits for the goroutine of Run, so a handler that runs there must
// not call it. A handler behind a [dispatch.Queue] may, unless Run may be waiting
// for room in that Queue, as with the policy Block.
func (f *Feed) Subscribe(ctx context.Context, kind Kind, names ...string) error {
	return f.change(ctx, &change{kind: kind, names: slices.Clone(names)})
}

// Unsubscribe ends subscriptions, those of the fields of Feed included. It
// returns nil when the server has confirmed it, and at once when the Feed has no
// connection. Pushes that the server sent before it confirmed have been handled
// then, or are in a Queue. Otherwise it is like Subscribe.
func (f *Feed) Unsubscribe(ctx context.Context, kind Kind, names ...string) error {
	return f.change(ctx, &change{kind: kind, end: true, names: slices.Clone(names)})
}

// errKind is returned for a Kind that does not exist.
var errKind = errors.New("feed: unknown kind of subscription")

// change carries out c and waits for its outcome.
func (f *Feed) change(ctx context.Context, c *change) error {
	if c.kind >= kinds {
		return errKind
	}
	if len(c.names) == 0 {
		return nil
	}
	done := make(chan error, 1)
	c.done = done
	f.mu.Lock()
	f.load()
	if c.end {
		f.unwant(c)
	}
	f.changes = append(f.changes, c)
	if s := f.session; s != nil {
		s.sendChanges()
	} else if c.end {
		f.settle(c, nil)
	}
	f.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		f.mu.Lock()
		defer f.mu.Unlock()
		if !c.sent {
			f.settle(c, nil)
		}
		return ctx.Err()
	}
}

// wants reports whether the Feed restores a subscription.
func (f *Feed) wants(kind Kind, name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load()
	_, wanted := f.wanted[kind][name]
	return wanted
}

// load copies the subscriptions of the fields, once. The caller holds f.mu.
func (f *Feed) load() {
	if f.wanted[0] != nil {
		return
	}
	for k, list := range [kinds][]string{f.Channels, f.Patterns, f.ShardChannels} {
		f.wanted[k] = make(names, len(list))
		for _, name := range list {
			f.wanted[k][name] = struct{}{}
		}
	}
}

// unwant removes the names of c from the subscriptions, and from the calls of
// Subscribe before c that have not been sent. The caller holds f.mu.
func (f *Feed) unwant(c *change) {
	for _, name := range c.names {
		delete(f.wanted[c.kind], name)
	}
	for _, other := range slices.Clone(f.changes) {
		if other == c {
			return
		}
		if other.sent || other.end || other.kind != c.kind {
			continue
		}
		other.names = slices.DeleteFunc(other.names, func(name string) bool { return slices.Contains(c.names, name) })
		if len(other.names) == 0 {
			f.settle(other, nil)
		}
	}
}

// settle ends a change. The caller holds f.mu.
func (f *Feed) settle(c *change, err error) {
	f.changes = slices.DeleteFunc(f.changes, func(other *change) bool { return other == c })
	if c.done != nil {
		c.done <- err
		c.done = nil
	}
}

// appendSubscriptions appends the commands that restore the subscriptions. The
// caller holds f.mu.
func (s *session) appendSubscriptions(dst []byte) []byte {
	for k, wanted := range s.f.wanted {
		if len(wanted) > 0 {
			dst = s.appendChange(dst, &change{kind: Kind(k), names: slices.Sorted(maps.Keys(wanted))})
		}
	}
	return dst
}

// appendChange appends the commands of c and waits for their answers. Shard
// channels get a command each, since those of one command have to be of one
// slot. The caller holds f.mu.
func (s *session) appendChange(dst []byte, c *change) []byte {
	size := len(c.names)
	if c.kind == ShardChannel {
		size = 1
	}
	c.sent = true
	for part := range slices.Chunk(c.names, size) {
		waiting := make(names, len(part))
		for _, name := range part {
			waiting[name] = struct{}{}
		}
		dst = command.Append(dst, slices.Insert(part, 0, c.kind.verb(c.end))...)
		s.awaited.add(request{purpose: forChange, change: c, names: waiting})
		c.left++
	}
	return dst
}

// sendChanges sends the changes that have not been sent. It waits while the
// connection is about to be replaced. The caller holds f.mu.
func (s *session) sendChanges() {
	if s.phase == settingUp || s.moving != nil || s.failure != nil {
		return
	}
	var out []byte
	for _, c := range s.f.changes {
		if !c.sent {
			out = s.appendChange(out, c)
		}
	}
	if len(out) > 0 {
		s.write(out)
	}
}

// sendEnd ends all subscriptions, and the session when the server has confirmed
// that. It reports whether the session can be ended so. The caller holds f.mu.
func (s *session) sendEnd() bool {
	if s.phase == settingUp || s.failure != nil {
		return false
	}
	if s.ending {
		return true
	}
	s.ending = true
	var out []byte
	for k, wanted := range s.f.wanted {
		if len(wanted) > 0 {
			out = s.appendChange(out, &change{kind: Kind(k), end: true, names: slices.Sorted(maps.Keys(wanted))})
		}
	}
	if len(out) > 0 {
		s.write(out)
	}
	s.sendProbe(forEnd, s.first)
	return true
}

// changing reports whether a change is under way. The caller holds f.mu.
func (s *session) changing() bool {
	return slices.ContainsFunc(s.awaited.waiting(), func(c request) bool { return c.purpose == forChange })
}

// confirmed notes a push that confirms a subscription or its end.
func (s *session) confirmed(kind Kind, end bool, push parser.Frame) {
	name := ""
	for v := range push.Args() {
		name = v.String()
		break
	}
	f := s.f
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range s.awaited.waiting() {
		if c.purpose != forChange || c.change.kind != kind || c.change.end != end {
			continue
		}
		if _, ok := c.names[name]; !ok {
			continue
		}
		if end {
			delete(f.wanted[kind], name)
		} else {
			f.wanted[kind][name] = struct{}{}
		}
		delete(c.names, name)
		s.popConfirmed()
		return
	}
	if _, wanted := f.wanted[kind][name]; end && wanted {
		if f.member != nil && kind == ShardChannel {
			s.dropMoved(name)
			return
		}
		s.fail(ErrUnsubscribed)
	}
}

// dropMoved drops a shard channel whose slot the server has lost. The Cluster
// subscribes to it where the slot has gone. The caller holds f.mu.
func (s *session) dropMoved(name string) {
	delete(s.f.wanted[ShardChannel], name)
	s.moved = append(s.moved, name)
}

// tellMoved tells the Cluster what dropMoved has dropped.
func (s *session) tellMoved() {
	if s.f.member == nil {
		return
	}
	s.f.mu.Lock()
	moved := s.moved
	s.moved = nil
	s.f.mu.Unlock()
	if len(moved) > 0 {
		s.f.member.lost(s.ctx, moved)
	}
}

// movedSlot reports whether err is the refusal of a server that does not have
// the slot of a shard channel.
func movedSlot(err error) bool {
	var text parser.ServerError
	return errors.As(err, &text) && strings.HasPrefix(string(text), "MOVED ")
}

// forget drops subscriptions without telling the server, which has ended them or
// is about to. A call of Subscribe that has not been sent is dropped too.
func (f *Feed) forget(kind Kind, names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load()
	f.unwant(&change{kind: kind, names: names})
}

// popConfirmed removes the oldest commands as far as they have been confirmed.
// The caller holds f.mu.
func (s *session) popConfirmed() {
	for {
		c := s.awaited.first()
		if c == nil || c.purpose != forChange || len(c.names) > 0 {
			return
		}
		confirmed := c.change
		s.awaited.pop()
		s.answered(confirmed, nil)
	}
}

// answered notes that the server has answered a command of c. The caller holds
// f.mu.
func (s *session) answered(c *change, err error) {
	if c.err == nil {
		c.err = err
	}
	if c.left--; c.left > 0 {
		return
	}
	if c.done == nil && c.err != nil { // of the set-up
		s.fail(c.err)
	}
	s.f.settle(c, c.err)
	s.startMove()
}
