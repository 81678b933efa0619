package bench_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A notification is a push with its typed view: what BenchmarkNotify measures, and what the allocation tests count.
type notification struct {
	frame  string // as benchmarks have it
	wire   []byte
	parse  func(parser.Frame) error // makes the view
	use    func(parser.Frame) error // makes it, and looks at all there is in it
	handle dispatch.HandlerFunc     // does what use does
	values func(parser.Frame)       // does what use does, with package parser alone and no check; may be nil
}

// typed returns the notification of which parse makes the view, look looks at it and handle does both.
func typed[T any](frame, wire string, parse func(parser.Frame) (T, error), look func(T), handle dispatch.HandlerFunc) notification {
	return notification{
		frame: frame,
		wire:  []byte(wire),
		parse: func(f parser.Frame) error {
			_, err := parse(f)
			return err
		},
		use: func(f parser.Frame) error {
			v, err := parse(f)
			if err == nil {
				look(v)
			}
			return err
		},
		handle: handle,
	}
}

// from is the handler context of package dispatch.
type from = dispatch.NotificationHandlerContext

// The handlers of all families look at what there is in a view, as those of a client do.
var (
	onInvalidation = notify.OnInvalidate(func(_ context.Context, _ from, i notify.Invalidation) error {
		lookAtInvalidation(i)
		return nil
	})
	onMessage = notify.OnMessage(func(_ context.Context, _ from, m notify.Message) error {
		lookAtMessage(m)
		return nil
	})
	onSubscription = notify.OnSubscription(func(_ context.Context, _ from, s notify.Subscription) error {
		lookAtSubscription(s)
		return nil
	})
	onMoving = notify.OnMoving(func(_ context.Context, _ from, m notify.Moving) error {
		lookAtMoving(m)
		return nil
	})
	onMigration = notify.OnMigration(func(_ context.Context, _ from, m notify.Migration) error {
		lookAtMigration(m)
		return nil
	})
	onSlotMigration = notify.OnSlotMigration(func(_ context.Context, _ from, m notify.SlotMigration) error {
		lookAtSlotMigration(m)
		return nil
	})
	onTrackingRedirBroken = notify.OnTrackingRedirBroken(func(_ context.Context, _ from, t notify.TrackingRedirBroken) error {
		lookAtTrackingRedirBroken(t)
		return nil
	})
	onServerCPUUsage = notify.OnServerCPUUsage(func(_ context.Context, _ from, u notify.ServerCPUUsage) error {
		lookAtServerCPUUsage(u)
		return nil
	})
)

// notifications are those of the workloads that have one, and of every family.
func notifications() []notification {
	var all []notification
	invalidation := func(frame string, wire []byte) {
		n := typed(frame, string(wire), notify.ParseInvalidation, lookAtInvalidation, onInvalidation)
		n.values = func(f parser.Frame) { sink += keys(f) }
		all = append(all, n)
	}
	for _, id := range []string{"F1", "F2", "F8"} {
		invalidation(id, workload.Find(id).Frame)
	}
	for keys := 100; keys <= 100_000; keys *= 10 {
		invalidation(fmt.Sprintf("F8/keys=%d", keys), workload.Invalidate(keys))
	}

	message := func(frame, wire string) {
		all = append(all, typed(frame, wire, notify.ParseMessage, lookAtMessage, onMessage))
	}
	for _, id := range []string{"F3", "F4", "F5"} {
		message(id, string(workload.Find(id).Frame))
	}
	message("pmessage", ">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$7\r\nchannel\r\n$64\r\n"+strings.Repeat("x", 64)+"\r\n")
	message("redirected", ">3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$16\r\n"+workload.Key+"\r\n")

	slots := func(frame, wire string) {
		all = append(all, typed(frame, wire, notify.ParseSlotMigration, lookAtSlotMigration, onSlotMigration))
	}
	slots("SMIGRATING", ">3\r\n$10\r\nSMIGRATING\r\n:5\r\n$12\r\n123,789-1000\r\n")
	slots("SMIGRATING/slots=1000", fmt.Sprintf(">1002\r\n$10\r\nSMIGRATING\r\n:5\r\n%s", strings.Repeat("$8\r\n789-1000\r\n", 1000)))
	for _, moves := range []int{1, 100} {
		slots(fmt.Sprintf("SMIGRATED/moves=%d", moves), fmt.Sprintf(">3\r\n$9\r\nSMIGRATED\r\n:5\r\n*%d\r\n%s", moves,
			strings.Repeat("*3\r\n$17\r\nredis-node-1:6379\r\n$17\r\nredis-node-2:6379\r\n$12\r\n123,789-1000\r\n", moves)))
	}

	moving := typed("F7", string(workload.Find("F7").Frame), notify.ParseMoving, lookAtMoving, onMoving)
	moving.values = func(f parser.Frame) {
		for v := range f.Args() {
			if v.Type() == parser.TypeInteger {
				n, _ := v.Int64()
				sink += int(n)
			} else {
				sink += len(v.Bytes())
			}
		}
	}
	return append(all,
		typed("subscribe", ">3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n", notify.ParseSubscription, lookAtSubscription, onSubscription),
		moving,
		typed("MIGRATING", ">4\r\n$9\r\nMIGRATING\r\n:5\r\n:30\r\n$3\r\n1,2\r\n", notify.ParseMigration, lookAtMigration, onMigration),
		typed("tracking-redir-broken", ">2\r\n$21\r\ntracking-redir-broken\r\n:42\r\n", notify.ParseTrackingRedirBroken,
			lookAtTrackingRedirBroken, onTrackingRedirBroken),
		typed("server-cpu-usage", ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n", notify.ParseServerCPUUsage,
			lookAtServerCPUUsage, onServerCPUUsage),
	)
}

func lookAtSubscription(s notify.Subscription) { sink += len(s.Channel) + int(s.Count) }

func lookAtMoving(m notify.Moving) {
	sink += int(m.Seq) + int(m.After) + len(m.Endpoint.Host) + int(m.Endpoint.Port)
}

func lookAtMigration(m notify.Migration) { sink += int(m.Seq) + int(m.After) + len(m.Shards) }

func lookAtTrackingRedirBroken(t notify.TrackingRedirBroken) { sink += int(t.ClientID) }

func lookAtServerCPUUsage(u notify.ServerCPUUsage) { sink += int(u.Usage) }

func lookAtInvalidation(i notify.Invalidation) {
	if i.FlushAll() {
		sink++
	}
	for key := range i.Keys() {
		sink += len(key)
	}
}

func lookAtMessage(m notify.Message) {
	sink += len(m.Channel) + len(m.Payload.Bytes())
	if m.Payload.Type() != parser.TypeArray {
		return
	}
	if i, ok := m.Invalidation(); ok {
		lookAtInvalidation(i)
	}
}

func lookAtSlotMigration(m notify.SlotMigration) {
	for r := range m.Slots() {
		sink += r.Len()
	}
	for move := range m.Moves() {
		sink += len(move.Source) + len(move.Target)
		for r := range move.Slots() {
			sink += r.Len()
		}
	}
}

// start makes a pass of the stream of n through a processor with a handler.
func (n notification) start(tb testing.TB, s *workload.Stream, handle dispatch.HandlerFunc) (pass func()) {
	p := dispatch.NewProcessor(dispatch.WithPubSub())
	if err := p.HandleFunc(string(frame(tb, n.wire).Name()), handle); err != nil {
		tb.Fatal(err)
	}
	before := uint64(0)
	return drain(tb, n.workload(), s, p, func() int {
		stats := p.Stats()
		seen := stats.Pushes - stats.Errors - before
		before += seen
		return int(seen)
	})
}

func (n notification) workload() workload.Workload {
	return workload.Workload{ID: n.frame, Frame: n.wire, Frames: 1}
}

// BenchmarkNotify is the cost of typed views: op=Parse makes one, op=Use looks at all there is in it as well, op=Dispatch
// does so in a handler, from the stream on. With impl=values the elements are looked at with package parser alone, and
// not checked. impl=floor is the least that going from line to line costs, and the reads of the stream.
func BenchmarkNotify(b *testing.B) {
	for _, n := range notifications() {
		f := frame(b, n.wire)
		for _, op := range []struct {
			name string
			do   func(parser.Frame) error
		}{{"Parse", n.parse}, {"Use", n.use}} {
			b.Run("frame="+n.frame+"/op="+op.name+"/impl=respush", func(b *testing.B) {
				b.ReportAllocs()
				defer timeThread(b, 1)()
				for b.Loop() {
					if err := op.do(f); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		s := workload.NewStream(n.workload(), reads)
		b.Run("frame="+n.frame+"/op=Dispatch/impl=respush", func(b *testing.B) { passes(b, s, n.start(b, s, n.handle)) })
		b.Run("frame="+n.frame+"/op=Dispatch/impl=floor", func(b *testing.B) {
			passes(b, s, func() {
				walkLines(b, s)
				copyAll(b, s)
			})
		})
		if n.values == nil {
			continue
		}
		b.Run("frame="+n.frame+"/op=Use/impl=values", func(b *testing.B) {
			b.ReportAllocs()
			defer timeThread(b, 1)()
			for b.Loop() {
				n.values(f)
			}
		})
		b.Run("frame="+n.frame+"/op=Dispatch/impl=values", func(b *testing.B) {
			passes(b, s, n.start(b, s, func(_ context.Context, _ from, f parser.Frame) error {
				n.values(f)
				return nil
			}))
		})
	}
}

// BenchmarkKind is the cost of telling a family from a name.
func BenchmarkKind(b *testing.B) {
	for _, name := range []string{"invalidate", "tracking-redir-broken", "unknown"} {
		b.Run("name="+name+"/impl=respush", func(b *testing.B) {
			name := []byte(name)
			b.ReportAllocs()
			defer timeThread(b, 1)()
			for b.Loop() {
				sink += int(notify.Kind(name))
			}
		})
	}
}
