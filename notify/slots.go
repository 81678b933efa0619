package notify

import (
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// maxSlot is the highest slot of a cluster.
const maxSlot = 1<<14 - 1

// SlotRange is a range of slots of a cluster, from Start to End inclusive.
//
// Invariant: Start <= End <= 16383.
type SlotRange struct{ Start, End uint16 }

// Len returns the number of slots.
func (r SlotRange) Len() int { return int(r.End-r.Start) + 1 }

// Contains reports whether slot is in r.
func (r SlotRange) Contains(slot uint16) bool { return r.Start <= slot && slot <= r.End }

// String returns r as servers write it, such as 123 or 789-1000.
func (r SlotRange) String() string { return string(r.appendText(nil)) }

func (r SlotRange) appendText(dst []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(r.Start), 10)
	if r.Start != r.End {
		dst = strconv.AppendUint(append(dst, '-'), uint64(r.End), 10)
	}
	return dst
}

// eachRange calls yield for the ranges in v until yield returns false. v is a
// text such as 123,789-1000, or one slot as an integer. more is false if yield
// returned false. ok is false if v is something else.
func eachRange(v parser.Value, yield func(SlotRange) bool) (more, ok bool) {
	if v.Type() == parser.TypeInteger {
		n, err := v.Int64()
		if err != nil || n < 0 || n > maxSlot {
			return false, false
		}
		return yield(SlotRange{uint16(n), uint16(n)}), true
	}
	if !isText(v) {
		return false, false
	}
	for rest, comma := v.Bytes(), true; comma; {
		var r SlotRange
		if r, rest, ok = cutRange(rest); !ok {
			return false, false
		}
		if !yield(r) {
			return false, true
		}
		if comma = len(rest) > 0; comma {
			rest = rest[1:]
		}
	}
	return true, true
}

// cutRange parses the range that b begins with. rest is the part of b after it,
// which is empty or begins with a comma.
func cutRange(b []byte) (r SlotRange, rest []byte, ok bool) {
	start, rest, ok := cutNumber(b, maxSlot)
	end := start
	if ok && len(rest) > 0 && rest[0] == '-' {
		end, rest, ok = cutNumber(rest[1:], maxSlot)
	}
	if !ok || start > end || len(rest) > 0 && rest[0] != ',' {
		return SlotRange{}, nil, false
	}
	return SlotRange{uint16(start), uint16(end)}, rest, true
}

// looksLikeSlots reports whether v is slots rather than an endpoint. It looks
// only at the characters in v.
func looksLikeSlots(v parser.Value) bool {
	if !isText(v) {
		return v.Type() == parser.TypeInteger
	}
	text := v.Bytes()
	for _, c := range text {
		if c-'0' > 9 && c != ',' && c != '-' {
			return false
		}
	}
	return len(text) > 0
}
