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

// A notification is a push with its typed view. BenchmarkNotify measures it,
// and the allocation tests count its allocations.
type notification struct {
	frame  string // as in the benchmark's name
	wire   []byte
	parse  func(parser.Frame) error              // makes the view
	use    func(parser.Frame) error              // makes the view and reads all of it
	handle func(calls *int) dispatch.HandlerFunc // returns a handler that does what use does, and counts its calls
	plain  func(parser.Frame)                    // does what use does, but unchecked and with package parser alone; may be nil
}

// typed returns a notification. Its view is made by parse and read by look, and
// its handler is made by on.
func typed[T any](frame, wire string, parse func(parser.Frame) (T, error), look func(T) int, on onFunc[T]) notification {
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
				sink += look(v)
			}
			return err
		},
		handle: func(calls *int) dispatch.HandlerFunc {
			return on(func(_ context.Context, _ from, v T) error {
				*calls++
				sink += look(v)
				return nil
			})
		},
	}
}

// from is the handler context of package dispatch.
type from = dispatch.NotificationHandlerContext

// onFunc is one of the On functions.
type onFunc[T any] func(func(context.Context, from, T) error) func(context.Context, from, parser.Frame) error

// notifications returns a notification for each workload that has a typed view,
// and at least one of every family.
func notifications() []notification {
	var all []notification
	invalidation := func(frame string, wire []byte) {
		n := typed(frame, string(wire), notify.ParseInvalidation, lookAtInvalidation, notify.OnInvalidate[from])
		n.plain = func(f parser.Frame) { sink += keys(f) }
		all = append(all, n)
	}
	for _, id := range []string{"F1", "F2", "F8"} {
		invalidation(id, workload.Find(id).Frame)
	}
	for keys := 100; keys <= 100_000; keys *= 10 {
		invalidation(fmt.Sprintf("F8/keys=%d", keys), workload.Invalidate(keys))
	}

	message := func(frame, wire string) {
		all = append(all, typed(frame, wire, notify.ParseMessage, lookAtMessage, notify.OnMessage[from]))
	}
	for _, id := range []string{"F3", "F4", "F5"} {
		message(id, string(workload.Find(id).Frame))
	}
	message("pmessage", ">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$7\r\nchannel\r\n$64\r\n"+strings.Repeat("x", 64)+"\r\n")
	message("redirected", ">3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$16\r\n"+workload.Key+"\r\n")

	slots := func(frame, wire string) {
		all = append(all, typed(frame, wire, notify.ParseSlotMigration, lookAtSlotMigration, notify.OnSlotMigration[from]))
	}
	slots("SMIGRATING", ">3\r\n$10\r\nSMIGRATING\r\n:5\r\n$12\r\n123,789-1000\r\n")
	slots("SMIGRATING/slots=1000", fmt.Sprintf(">1002\r\n$10\r\nSMIGRATING\r\n:5\r\n%s", strings.Repeat("$8\r\n789-1000\r\n", 1000)))
	for _, moves := range []int{1, 100} {
		slots(fmt.Sprintf("SMIGRATED/moves=%d", moves), fmt.Sprintf(">3\r\n$9\r\nSMIGRATED\r\n:5\r\n*%d\r\n%s", moves,
			strings.Repeat("*3\r\n$17\r\nredis-node-1:6379\r\n$17\r\nredis-node-2:6379\r\n$12\r\n123,789-1000\r\n", moves)))
	}

	return append(all,
		typed("subscribe", ">3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n", notify.ParseSubscription,
			func(s notify.Subscription) int { return len(s.Channel) + int(s.Count) }, notify.OnSubscription[from]),
		typed("F7", string(workload.Find("F7").Frame), notify.ParseMoving,
			func(m notify.Moving) int { return int(m.Seq) + int(m.After) + len(m.Endpoint.Host) }, notify.OnMoving[from]),
		typed("MIGRATING", ">4\r\n$9\r\nMIGRATING\r\n:5\r\n:30\r\n$3\r\n1,2\r\n", notify.ParseMigration,
			func(m notify.Migration) int { return int(m.Seq) + int(m.After) + len(m.Shards) }, notify.OnMigration[from]),
		typed("tracking-redir-broken", ">2\r\n$21\r\ntracking-redir-broken\r\n:42\r\n", notify.ParseTrackingRedirBroken,
			func(t notify.TrackingRedirBroken) int { return int(t.ClientID) }, notify.OnTrackingRedirBroken[from]),
		typed("server-cpu-usage", ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n", notify.ParseServerCPUUsage,
			func(u notify.ServerCPUUsage) int { return int(u.Usage) }, notify.OnServerCPUUsage[from]),
	)
}

func lookAtInvalidation(i notify.Invalidation) int {
	n := i.Len()
	for key := range i.Keys() {
		n += len(key)
	}
	return n
}

func lookAtMessage(m notify.Message) int {
	n := len(m.Channel) + len(m.Payload.Bytes())
	if i, ok := m.Invalidation(); ok {
		n += lookAtInvalidation(i)
	}
	return n
}

func lookAtSlotMigration(m notify.SlotMigration) int {
	n := 0
	for r := range m.Slots() {
		n += r.Len()
	}
	for move := range m.Moves() {
		n += len(move.Source) + len(move.Target)
		for r := range move.Slots() {
			n += r.Len()
		}
	}
	return n
}

// start returns a function that passes s, a stream of n, through a processor
// with the handler of n.
func (n notification) start(tb testing.TB, s *workload.Stream) (pass func()) {
	p := dispatch.NewProcessor(dispatch.WithPubSub())
	seen := 0
	if err := p.HandleFunc(string(frame(tb, n.wire).Name()), n.handle(&seen)); err != nil {
		tb.Fatal(err)
	}
	return drain(tb, n.workload(), s, p, taken(&seen))
}

func (n notification) workload() workload.Workload {
	return workload.Workload{ID: n.frame, Frame: n.wire, Frames: 1}
}

// BenchmarkNotify measures the cost of typed views: op=Parse makes one, and
// op=Use also reads all of it. With impl=values, package parser alone reads the
// elements and checks nothing. BenchmarkHandlerNotify measures a handler that
// uses a view, from reading the stream on.
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
		if n.plain != nil {
			b.Run("frame="+n.frame+"/op=Use/impl=values", func(b *testing.B) {
				b.ReportAllocs()
				defer timeThread(b, 1)()
				for b.Loop() {
					n.plain(f)
				}
			})
		}
	}
}

// BenchmarkKind measures the cost of finding the family of a name.
func BenchmarkKind(b *testing.B) {
	for _, name := range []string{"invalidate", "tracking-redir-broken", "unknown"} {
		b.Run("name="+name+"/impl=respush", func(b *testing.B) {
			name := []byte(name)
			b.ReportAllocs()
			defer timeThread(b, 1)()
			for b.Loop() {
				sink += int(notify.FamilyOf(name))
			}
		})
	}
}
