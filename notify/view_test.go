package notify_test

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A view is the result of one of the Parse functions. dump describes every field of it, in a form that the tables and the
// slow oracle share.
type view interface {
	fmt.Stringer
	dump() string
}

// views are the Parse functions.
var views = map[notify.Family]func(parser.Frame) (view, error){
	notify.FamilyInvalidation:        viewer(notify.ParseInvalidation, func(i notify.Invalidation) view { return invalidationView{i} }),
	notify.FamilyMessage:             viewer(notify.ParseMessage, func(m notify.Message) view { return messageView{m} }),
	notify.FamilySubscription:        viewer(notify.ParseSubscription, func(s notify.Subscription) view { return subscriptionView{s} }),
	notify.FamilyMoving:              viewer(notify.ParseMoving, func(m notify.Moving) view { return movingView{m} }),
	notify.FamilyMigration:           viewer(notify.ParseMigration, func(m notify.Migration) view { return migrationView{m} }),
	notify.FamilySlotMigration:       viewer(notify.ParseSlotMigration, func(m notify.SlotMigration) view { return slotMigrationView{m} }),
	notify.FamilyTrackingRedirBroken: viewer(notify.ParseTrackingRedirBroken, func(t notify.TrackingRedirBroken) view { return redirectionView{t} }),
	notify.FamilyServerCPUUsage:      viewer(notify.ParseServerCPUUsage, func(u notify.ServerCPUUsage) view { return usageView{u} }),
}

func viewer[T any](parse func(parser.Frame) (T, error), as func(T) view) func(parser.Frame) (view, error) {
	return func(f parser.Frame) (view, error) {
		v, err := parse(f)
		return as(v), err
	}
}

type (
	invalidationView  struct{ notify.Invalidation }
	messageView       struct{ notify.Message }
	subscriptionView  struct{ notify.Subscription }
	movingView        struct{ notify.Moving }
	migrationView     struct{ notify.Migration }
	slotMigrationView struct{ notify.SlotMigration }
	redirectionView   struct{ notify.TrackingRedirBroken }
	usageView         struct{ notify.ServerCPUUsage }
)

func (v invalidationView) dump() string {
	if v.FlushAll() {
		return "all"
	}
	keys := slices.Collect(v.Keys())
	if len(keys) != v.Len() {
		return fmt.Sprintf("%d keys of %d", len(keys), v.Len())
	}
	return quoted(keys)
}

func quoted(texts [][]byte) string {
	var all []string
	for _, text := range texts {
		all = append(all, strconv.Quote(string(text)))
	}
	return strings.Join(all, " ")
}

func (v messageView) dump() string {
	out := string(v.Kind)
	if v.Pattern != nil {
		out += " " + strconv.Quote(string(v.Pattern))
	}
	out += fmt.Sprintf(" %q %s", v.Channel, node(v.Payload))
	if i, ok := v.Invalidation(); ok {
		out += " invalidates " + invalidationView{i}.dump()
	}
	return out
}

// node renders a value as its type byte and its text or elements.
func node(v parser.Value) string {
	t := string(rune(v.Type()))
	switch v.Type() {
	case parser.TypeNull:
		return "_"
	case parser.TypeInteger, parser.TypeBigNumber, parser.TypeDouble, parser.TypeBoolean:
		return t + string(v.Bytes())
	case parser.TypeArray, parser.TypeSet, parser.TypeMap:
		var all []string
		for c := range v.All() {
			all = append(all, node(c))
		}
		return t + "[" + strings.Join(all, " ") + "]"
	}
	return t + strconv.Quote(string(v.Bytes()))
}

func (v subscriptionView) dump() string {
	channel := "null"
	if v.Channel != nil {
		channel = strconv.Quote(string(v.Channel))
	}
	out := fmt.Sprintf("%s %s %d", v.Kind, channel, v.Count)
	if v.Ends() {
		out += " ends"
	}
	return out
}

func (v movingView) dump() string {
	if v.SameAddress() {
		return fmt.Sprintf("%d %s same", v.Seq, v.After)
	}
	return fmt.Sprintf("%d %s %q %d", v.Seq, v.After, v.Endpoint.Host, v.Endpoint.Port)
}

func (v migrationView) dump() string {
	out := fmt.Sprintf("%s %d", v.Kind, v.Seq)
	if v.Timed {
		out += " in " + v.After.String()
	} else if v.After != 0 {
		out += " untimed"
	}
	if v.Shards == nil {
		out += " none"
	} else {
		out += fmt.Sprintf(" %q", v.Shards)
	}
	if v.Begins() {
		out += " begins"
	}
	return out
}

func (v slotMigrationView) dump() string {
	all := slots(v.Slots())
	if v.Kind == notify.NameSMigrating {
		for range v.Moves() {
			return "moves"
		}
		return fmt.Sprintf("%s %d %s", v.Kind, v.Seq, all)
	}
	var moves, parts []string
	for move := range v.Moves() {
		source := ""
		if move.Source != nil {
			source = strconv.Quote(string(move.Source))
		}
		parts = append(parts, slots(move.Slots()))
		if d := oddLine(move.String()); d != "" {
			return d
		}
		moves = append(moves, fmt.Sprintf("%s>%q %s", source, move.Target, slots(move.Slots())))
	}
	if strings.Join(parts, ",") != all {
		return "other slots than in its moves: " + all
	}
	return fmt.Sprintf("%s %d %s", v.Kind, v.Seq, strings.Join(moves, "; "))
}

func slots(ranges iter.Seq[notify.SlotRange]) string {
	var all []string
	for r := range ranges {
		if r.Start > r.End || r.End > 16383 {
			return "not a range"
		}
		all = append(all, r.String())
	}
	return strings.Join(all, ",")
}

func (v redirectionView) dump() string { return strconv.FormatInt(v.ClientID, 10) }

func (v usageView) dump() string { return strconv.FormatInt(v.Usage, 10) }
