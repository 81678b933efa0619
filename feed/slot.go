package feed

import (
	"fmt"
	"slices"
	"strings"
)

// SlotCount is the number of hash slots of a cluster.
const SlotCount = 16384

// Slot returns the hash slot of a key or of a shard channel (cluster
// specification, "Key distribution model"): that of the text between the first {
// and the } behind it, if there is any, and otherwise that of the whole.
func Slot(key string) int {
	if open := strings.IndexByte(key, '{'); open >= 0 {
		if size := strings.IndexByte(key[open+1:], '}'); size > 0 {
			key = key[open+1 : open+1+size]
		}
	}
	var crc uint16
	for i := range len(key) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^key[i]]
	}
	return int(crc) % SlotCount
}

// crcTable is the table of the CRC-16 with the polynomial 0x1021.
var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			carry := crc >> 15
			crc = crc<<1 ^ carry*0x1021
		}
		table[i] = crc
	}
	return table
}()

// SlotRange is the slots from First to Last, both included.
type SlotRange struct{ First, Last int }

// Slots is a set of slots: ranges in ascending order that neither overlap nor
// touch.
type Slots []SlotRange

// AllSlots returns every slot.
func AllSlots() Slots { return Slots{{0, SlotCount - 1}} }

// Contains reports whether slot is in s. Its cost grows with the logarithm of
// the number of ranges.
func (s Slots) Contains(slot int) bool {
	i, _ := slices.BinarySearchFunc(s, slot, func(r SlotRange, slot int) int { return r.Last - slot })
	return i < len(s) && s[i].First <= slot
}

// ContainsKey reports whether the slot of a key is in s.
func (s Slots) ContainsKey(key string) bool { return s.Contains(Slot(key)) }

// Len returns the number of slots in s.
func (s Slots) Len() int {
	n := 0
	for _, r := range s {
		n += r.Last - r.First + 1
	}
	return n
}

// All yields the slots in ascending order.
func (s Slots) All(yield func(int) bool) {
	for _, r := range s {
		for slot := r.First; slot <= r.Last; slot++ {
			if !yield(slot) {
				return
			}
		}
	}
}

// String returns the ranges as CLUSTER NODES has them, such as 0-5460 5462.
func (s Slots) String() string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprint(&b, r.First)
		if r.Last > r.First {
			fmt.Fprint(&b, "-", r.Last)
		}
	}
	return b.String()
}

// add returns s with a slot that is greater than all of it.
func (s Slots) add(slot int) Slots {
	if n := len(s); n > 0 && s[n-1].Last == slot-1 {
		s[n-1].Last = slot
		return s
	}
	return append(s, SlotRange{slot, slot})
}
