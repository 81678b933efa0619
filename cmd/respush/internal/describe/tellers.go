package describe

import (
	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/parser"
)

// maxArgs is how many elements a push may have and still be told in words of
// its own; slot lists that stand as separate elements are the longest.
const maxArgs = 64

// redirectChannel carries the invalidations of a RESP2 connection that another
// one receives.
const redirectChannel = "__redis__:invalidate"

var tellers = map[string]teller{
	"invalidate":            invalidation,
	"message":               message("channel"),
	"smessage":              message("shard channel"),
	"pmessage":              patternMessage,
	"subscribe":             subscription("channel"),
	"unsubscribe":           subscription("channel"),
	"psubscribe":            subscription("pattern"),
	"punsubscribe":          subscription("pattern"),
	"ssubscribe":            subscription("shard channel"),
	"sunsubscribe":          subscription("shard channel"),
	"MOVING":                moving,
	"MIGRATING":             shardsMove,
	"FAILING_OVER":          shardsMove,
	"MIGRATED":              shardsMoved,
	"FAILED_OVER":           shardsMoved,
	"SMIGRATING":            slotsMove,
	"SMIGRATED":             slotsMoved,
	"tracking-redir-broken": redirectionBroken,
	"server-cpu-usage":      cpuUsage,
}

// invalidation: (*N $key... | _), or a single key.
func invalidation(args []parser.Value) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	return keys(args[0])
}

func keys(v parser.Value) (string, bool) {
	switch {
	case v.IsNull():
		return "flush all", true
	case isText(v):
		return join("1 key", value(v)), true
	case isList(v):
		return join(plural(v.Len(), "key"), list(v.All(), v.Len())), true
	default:
		return "", false
	}
}

// message: $channel $payload.
func message(noun string) teller {
	return func(args []parser.Value) (string, bool) {
		if len(args) != 2 || !isText(args[0]) {
			return "", false
		}
		told := payload(args[1])
		if string(args[0].Bytes()) == redirectChannel {
			if words, ok := keys(args[1]); ok {
				told = words
			}
		}
		return join(noun+" "+value(args[0]), told), true
	}
}

// patternMessage: $pattern $channel $payload.
func patternMessage(args []parser.Value) (string, bool) {
	if len(args) != 3 || !isText(args[0]) || !isText(args[1]) {
		return "", false
	}
	return join("pattern "+value(args[0])+" channel "+value(args[1]), payload(args[2])), true
}

// payload tells a message's text in quotes, whatever it holds.
func payload(v parser.Value) string {
	if isText(v) {
		return quote.Text(v.Bytes())
	}
	return value(v)
}

// subscription: ($channel | _) :count.
func subscription(noun string) teller {
	return func(args []parser.Value) (string, bool) {
		if len(args) != 2 || !(isText(args[0]) || args[0].IsNull()) {
			return "", false
		}
		count, ok := whole(args[1])
		if !ok {
			return "", false
		}
		about := noun + " " + value(args[0])
		if args[0].IsNull() {
			about = "no " + noun
		}
		return join(about, count+" subscribed"), true
	}
}

// redirectionBroken: :clientID.
func redirectionBroken(args []parser.Value) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	id, ok := whole(args[0])
	return "client " + id + " is gone", ok
}

// cpuUsage: :42.
func cpuUsage(args []parser.Value) (string, bool) {
	if len(args) != 1 {
		return "", false
	}
	return whole(args[0])
}
