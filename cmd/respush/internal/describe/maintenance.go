package describe

import (
	"slices"
	"strings"

	"github.com/seed79615202/respush/parser"
)

// moving: :seq :seconds ($host:port | _), or without the last.
func moving(args []parser.Value) (string, bool) {
	if len(args) != 2 && len(args) != 3 {
		return "", false
	}
	seq, ok := sequence(args)
	when, isTime := delay(args[1])
	if !ok || !isTime {
		return "", false
	}
	to := "to the same address"
	if len(args) == 3 && !isNullText(args[2]) {
		if !isText(args[2]) {
			return "", false
		}
		to = "to " + value(args[2])
	}
	return join(seq, when, to), true
}

// shardsMove: :seq :seconds $shards, without one of the last two, or without both.
func shardsMove(args []parser.Value) (string, bool) {
	seq, ok := sequence(args)
	if !ok || len(args) > 3 {
		return "", false
	}
	rest := args[1:]
	var when string
	if len(rest) > 0 && (len(rest) == 2 || rest[0].Type() == parser.TypeInteger) {
		if when, ok = delay(rest[0]); !ok {
			return "", false
		}
		rest = rest[1:]
	}
	about, ok := shards(rest)
	return join(seq, when, about), ok
}

// shardsMoved: :seq $shards, or without the last.
func shardsMoved(args []parser.Value) (string, bool) {
	seq, ok := sequence(args)
	if !ok || len(args) > 2 {
		return "", false
	}
	about, ok := shards(args[1:])
	return join(seq, about), ok
}

// slotsMove: :seq $slots, or the slots as separate elements.
func slotsMove(args []parser.Value) (string, bool) {
	seq, ok := sequence(args)
	if !ok || len(args) < 2 {
		return "", false
	}
	slots, ok := commas(args[1:])
	return join(seq, "slots "+slots), ok
}

// slotsMoved: :seq *N[ *3 $source $target $slots ], or pairs without the
// source, or either of them without the inner lists, or without any list.
func slotsMoved(args []parser.Value) (string, bool) {
	seq, ok := sequence(args)
	if !ok || len(args) < 2 {
		return "", false
	}
	items, ok := flat(args[1:])
	if !ok {
		return "", false
	}
	moves, ok := slotMoves(items)
	return join(seq, moves), ok
}

// slotMoves tells endpoints up to and with the slots that follow them, again
// and again: whatever lists stood around them, only an element that reads as
// slots ends a move.
func slotMoves(items []parser.Value) (string, bool) {
	var moves []string
	var ends []string
	for _, item := range items {
		if !isSlots(item) {
			ends = append(ends, value(item))
			continue
		}
		if len(ends) > 2 {
			return "", false
		}
		if len(ends) == 1 {
			ends = []string{"to", ends[0]}
		} else if len(ends) == 2 {
			ends = []string{ends[0], "to", ends[1]}
		}
		moves = append(moves, strings.Join(append(ends, "slots", value(item)), " "))
		ends = nil
	}
	return strings.Join(moves, "; "), len(ends) == 0
}

// sequence tells the first of args, a sequence number.
func sequence(args []parser.Value) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	n, ok := whole(args[0])
	return "seq " + n, ok
}

// delay tells v, a number of seconds from now.
func delay(v parser.Value) (string, bool) {
	n, err := v.Int64()
	if err != nil {
		return "", false
	}
	if n <= 0 {
		return "now", true
	}
	text, _ := whole(v)
	return "in " + text + "s", true
}

// shards tells what is left of a push's elements, the shards it is about.
func shards(rest []parser.Value) (string, bool) {
	if len(rest) == 0 {
		return "", true
	}
	words, ok := commas(rest)
	return "shards " + words, ok
}

// flat returns the values in vs with two levels of lists opened; false when
// they are too many to tell on a line.
func flat(vs []parser.Value) ([]parser.Value, bool) {
	for range 2 {
		var out []parser.Value
		for _, v := range vs {
			if !isList(v) {
				out = append(out, v)
				continue
			}
			if v.Len() > maxArgs-len(out) {
				return nil, false
			}
			out = slices.AppendSeq(out, v.All())
		}
		vs = out
	}
	return vs, len(vs) <= maxArgs
}

// commas tells the texts in vs, lists opened, as one list.
func commas(vs []parser.Value) (string, bool) {
	items, ok := flat(vs)
	words := make([]string, 0, len(items))
	for _, v := range items {
		words = append(words, value(v))
	}
	return strings.Join(words, ","), ok
}

// isNullText says whether v is a null, or one of the texts that some servers
// send for it.
func isNullText(v parser.Value) bool {
	if v.IsNull() {
		return true
	}
	switch string(v.Bytes()) {
	case "", "null", "<nil>":
		return isText(v)
	default:
		return false
	}
}

// isSlots says whether v reads as 123,789-1000 or is one slot's number.
func isSlots(v parser.Value) bool {
	if v.Type() == parser.TypeInteger {
		return true
	}
	text := v.Bytes()
	for _, c := range text {
		if (c < '0' || c > '9') && c != ',' && c != '-' {
			return false
		}
	}
	return isText(v) && len(text) > 0
}
