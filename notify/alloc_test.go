package notify_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// sink holds the results of the uses below, so that they are computed.
var sink int

// uses parse a push and read everything in it.
var uses = map[notify.Family]func(parser.Frame) error{
	notify.FamilyInvalidation:        used(notify.ParseInvalidation, useInvalidation),
	notify.FamilyMessage:             used(notify.ParseMessage, useMessage),
	notify.FamilySubscription:        used(notify.ParseSubscription, useSubscription),
	notify.FamilyMoving:              used(notify.ParseMoving, useMoving),
	notify.FamilyMigration:           used(notify.ParseMigration, useMigration),
	notify.FamilySlotMigration:       used(notify.ParseSlotMigration, useSlotMigration),
	notify.FamilyTrackingRedirBroken: used(notify.ParseTrackingRedirBroken, useTrackingRedirBroken),
	notify.FamilyServerCPUUsage:      used(notify.ParseServerCPUUsage, useServerCPUUsage),
}

func used[T any](parse func(parser.Frame) (T, error), use func(T)) func(parser.Frame) error {
	return func(f parser.Frame) error {
		v, err := parse(f)
		if err == nil {
			use(v)
		}
		return err
	}
}

func useInvalidation(i notify.Invalidation) {
	if i.FlushAll() {
		sink++
	}
	sink += i.Len()
	for key := range i.Keys() {
		sink += len(key)
	}
}

func useMessage(m notify.Message) {
	sink += len(m.Kind) + len(m.Pattern) + len(m.Channel) + len(m.Payload.Bytes())
	if i, ok := m.Invalidation(); ok {
		useInvalidation(i)
	}
}

func useSubscription(s notify.Subscription) {
	sink += len(s.Kind) + len(s.Channel) + int(s.Count)
	if s.Ends() {
		sink++
	}
}

func useMoving(m notify.Moving) {
	sink += int(m.Seq) + int(m.After) + len(m.Endpoint.Host) + int(m.Endpoint.Port)
	if m.SameAddress() {
		sink++
	}
}

func useMigration(m notify.Migration) {
	sink += len(m.Kind) + int(m.Seq) + int(m.After) + len(m.Shards)
	if m.Begins() {
		sink++
	}
}

func useSlotMigration(m notify.SlotMigration) {
	for r := range m.Slots() {
		sink += r.Len()
	}
	for move := range m.Moves() {
		sink += len(move.Source) + len(move.Target)
		for r := range move.Slots() {
			if r.Contains(7) {
				sink++
			}
		}
		if e, ok := notify.ParseEndpoint(move.Target); ok {
			sink += int(e.Port)
		}
	}
}

func useTrackingRedirBroken(t notify.TrackingRedirBroken) { sink += int(t.ClientID) }

func useServerCPUUsage(u notify.ServerCPUUsage) { sink += int(u.Usage) }

// large are pushes of more than a few elements.
var large = map[string]notify.Family{
	string(workload.Find("F1").Frame):  notify.FamilyInvalidation,
	string(workload.Find("F2").Frame):  notify.FamilyInvalidation,
	string(workload.Find("F8").Frame):  notify.FamilyInvalidation,
	string(workload.Find("F3").Frame):  notify.FamilyMessage,
	string(workload.Find("F6").Frame):  notify.FamilyMessage,
	string(workload.Find("F7").Frame):  notify.FamilyMoving,
	slotsWire(1000):                    notify.FamilySlotMigration,
	movesWire(300):                     notify.FamilySlotMigration,
	string(workload.Invalidate(10000)): notify.FamilyInvalidation,
}

// slotsWire returns a SMIGRATING of n slots that are separate elements.
func slotsWire(n int) string {
	return fmt.Sprintf(">%d\r\n+SMIGRATING\r\n:5\r\n%s", n+2, strings.Repeat("$8\r\n789-1000\r\n", n))
}

// movesWire returns a SMIGRATED of n moves.
func movesWire(n int) string {
	return fmt.Sprintf(">3\r\n+SMIGRATED\r\n:5\r\n*%d\r\n%s", n,
		strings.Repeat("*3\r\n$6\r\nnode:1\r\n$6\r\nnode:2\r\n$12\r\n123,789-1000\r\n", n))
}

func TestViewsDoNotAllocate(t *testing.T) {
	check := func(family notify.Family, wire []byte) {
		f, use := parse(t, wire), uses[family]
		require.NoError(t, use(f), "%.100q", wire)
		require.Zero(t, allocs.PerRun(3, func() { _ = use(f) }), "%.100q", wire)
	}
	for wire, family := range large {
		check(family, []byte(wire))
	}
	for family, all := range shapes() {
		for _, s := range all {
			if s.cause == nil && s.name != "streamed" {
				check(family, s.bytes())
			}
		}
	}
}

func TestKindDoesNotAllocate(t *testing.T) {
	for family, names := range namesOf {
		for _, name := range strings.Fields(names + " unknown") {
			name := []byte(name)
			require.Zero(t, allocs.PerRun(3, func() { sink += int(notify.FamilyOf(name)) }), family)
		}
	}
}
