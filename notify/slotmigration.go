package notify

import (
	"iter"

	"github.com/seed79615202/respush/parser"
)

// SlotMigration is an SMIGRATING or SMIGRATED push: slots of a cluster are
// about to move from one server to another, or have moved. It is borrowed from
// the frame it was parsed from.
//
// Invariant: ParseSlotMigration has validated every element of push.
type SlotMigration struct {
	Kind Name  // NameSMigrating or NameSMigrated
	Seq  int64 // sequence number of maintenance pushes; repeats across nodes and has gaps
	push parser.Frame
}

// SlotMove is a part of an SMIGRATED push: the slots that have moved to one
// server. It is borrowed like the SlotMigration it is from.
//
// Invariant: ParseSlotMigration has validated slots.
type SlotMove struct {
	Source []byte // the server that had the slots, for ParseEndpoint; nil if the push does not name it
	Target []byte // the server that has them now, for ParseEndpoint
	slots  parser.Value
}

// ParseSlotMigration parses an SMIGRATING or SMIGRATED push. The first element
// after the name is a sequence number.
//
// In SMIGRATING the other elements are slots, such as 123,789-1000. In
// SMIGRATED the other element is an array of moves, and each move is an array
// of source, target and slots. The source may be missing. The arrays around the
// moves, or all arrays, may be missing too. The sequence number of SMIGRATED
// may be a string. A single slot may be an integer. Slots are in the range 0 to
// 16383, and a range does not end before its start.
//
// ParseSlotMigration returns a [*ShapeError] for any other frame, and allocates
// only for that.
func ParseSlotMigration(push parser.Frame) (SlotMigration, error) {
	kind, family := lookup(push.Name())
	if family != FamilySlotMigration {
		return SlotMigration{}, errFamily(push, FamilySlotMigration)
	}
	d := decoder{family: FamilySlotMigration, push: kind}
	if n := push.Len(); n < 3 {
		d.fail(n, ErrMissing)
		return SlotMigration{}, d.err
	}
	m := SlotMigration{Kind: kind, push: push}
	first, _, _ := push.Elements().Next()
	m.Seq = d.sequence(first)
	d.check(m)
	if d.err != nil {
		return SlotMigration{}, d.err
	}
	return m, nil
}

// sequence returns v, which is element 1. It must be an integer, or in
// SMIGRATED the text of one.
func (d *decoder) sequence(v parser.Value) int64 {
	if d.push == NameSMigrated && isText(v) {
		if n, err := v.Int64(); err == nil {
			return n
		}
	}
	return d.number(1, v)
}

// check validates the elements of m after the sequence number.
func (d *decoder) check(m SlotMigration) {
	if m.Kind == NameSMigrating {
		if element, err := m.walkRanges(func(SlotRange) bool { return true }); err != nil {
			d.fail(element, err)
		}
		return
	}
	valid := true
	element, err := m.walkMoves(func(move SlotMove) bool {
		_, valid = eachRange(move.slots, func(SlotRange) bool { return true })
		return valid
	})
	if !valid {
		err = ErrSlots
	}
	if err != nil {
		d.fail(element, err)
	}
}

// Slots returns an iterator over the slots in wire order. For SMIGRATED these
// are the slots of all moves.
func (m SlotMigration) Slots() iter.Seq[SlotRange] {
	return func(yield func(SlotRange) bool) { m.eachSlots(yield) }
}

// Moves returns an iterator over the moves of SMIGRATED in wire order. Each is
// borrowed like m. For SMIGRATING it yields nothing.
func (m SlotMigration) Moves() iter.Seq[SlotMove] {
	return func(yield func(SlotMove) bool) { m.eachMove(yield) }
}

// Slots returns an iterator over the slots that have moved, in wire order.
func (m SlotMove) Slots() iter.Seq[SlotRange] {
	return func(yield func(SlotRange) bool) { eachRange(m.slots, yield) }
}

func (m SlotMigration) eachSlots(yield func(SlotRange) bool) {
	if m.Kind == NameSMigrating {
		m.walkRanges(yield)
		return
	}
	m.walkMoves(func(move SlotMove) bool {
		more, _ := eachRange(move.slots, yield)
		return more
	})
}

func (m SlotMigration) eachMove(yield func(SlotMove) bool) {
	if m.Kind == NameSMigrated {
		m.walkMoves(yield)
	}
}

// walkRanges calls yield for the ranges after the sequence number until yield
// returns false. It returns the index of the element at which it stopped, and
// the error of that element.
func (m SlotMigration) walkRanges(yield func(SlotRange) bool) (element int, err error) {
	for v := range m.push.Args() {
		if element++; element == 1 {
			continue
		}
		more, ok := eachRange(v, yield)
		switch {
		case !ok && !isText(v) && v.Type() != parser.TypeInteger:
			return element, ErrType
		case !ok:
			return element, ErrSlots
		case !more:
			return element, nil
		}
	}
	return element, nil
}

// walkMoves calls yield for the moves after the sequence number until yield
// returns false. There may be an array around each move, around all of them,
// both or neither. It returns the index of the element at which it stopped, and
// the error of that element.
func (m SlotMigration) walkMoves(yield func(SlotMove) bool) (element int, err error) {
	var a assembly
	for v := range m.push.Args() {
		if element++; element == 1 {
			continue
		}
		more := false
		if v.Type() != parser.TypeArray {
			more, err = a.add(v, yield)
		} else if a.ends == 0 {
			more, err = a.addList(v, yield)
		} else {
			err = ErrType
		}
		if !more || err != nil {
			return element, err
		}
	}
	if a.ends > 0 {
		return element + 1, ErrMissing
	}
	return element, nil
}

// assembly assembles moves from the values that they consist of.
//
// Invariant: ends is the number of endpoints that move has so far. One endpoint
// is in move.Target, and two are in move.Source and move.Target.
type assembly struct {
	move SlotMove
	ends int
}

// addList adds the values of an array of whole moves. There may be an array
// around each move.
func (a *assembly) addList(list parser.Value, yield func(SlotMove) bool) (more bool, err error) {
	for v := range list.All() {
		if v.Type() != parser.TypeArray {
			more, err = a.add(v, yield)
		} else if a.ends == 0 {
			more, err = a.addMove(v, yield)
		} else {
			err = ErrType
		}
		if !more || err != nil {
			return false, err
		}
	}
	if a.ends > 0 {
		return false, ErrMissing
	}
	return true, nil
}

// addMove adds the values of an array that is one move.
func (a *assembly) addMove(list parser.Value, yield func(SlotMove) bool) (more bool, err error) {
	switch n := list.Len(); {
	case n < 2:
		return false, ErrMissing
	case n > 3:
		return false, ErrExtra
	}
	for v := range list.All() {
		if more, err = a.add(v, yield); !more || err != nil {
			return false, err
		}
	}
	if a.ends > 0 {
		return false, ErrMissing
	}
	return true, nil
}

// add adds one value, which is an endpoint or slots. Slots complete the move
// and make it yield. The second value of a move is slots if it looks like
// slots, and the move then has no source.
func (a *assembly) add(v parser.Value, yield func(SlotMove) bool) (more bool, err error) {
	switch slots := looksLikeSlots(v); {
	case a.ends > 0 && slots:
		move := a.move
		move.slots = v
		*a = assembly{}
		return yield(move), nil
	case !isText(v):
		return false, ErrType
	case slots:
		return false, ErrEndpoint
	case a.ends == 2:
		return false, ErrSlots
	}
	a.move.Source, a.move.Target = a.move.Target, v.Bytes()
	a.ends++
	return true, nil
}

// String returns a description of the slot migration on one line: the first ten
// of its moves or ranges.
func (m SlotMigration) String() string { return string(m.appendLine(nil)) }

func (m SlotMigration) appendLine(dst []byte) []byte {
	dst = appendSeq(appendName(dst, m.Kind), m.Seq)
	if m.Kind != NameSMigrated {
		return appendSlots(append(dst, gap...), m.Slots())
	}
	n := 0
	for range m.Moves() {
		n++
	}
	if n == 0 {
		return dst
	}
	l := newList(append(dst, gap...), n, "; ")
	for move := range m.Moves() {
		if !l.next() {
			break
		}
		l.line = move.appendText(l.line)
	}
	return l.line
}

// String returns a description of the move on one line.
func (m SlotMove) String() string { return string(m.appendText(nil)) }

func (m SlotMove) appendText(dst []byte) []byte {
	if m.Source != nil {
		dst = append(appendWord(dst, m.Source), ' ')
	}
	dst = append(appendWord(append(dst, "to "...), m.Target), ' ')
	return appendSlots(dst, m.Slots())
}

// appendSlots appends the first ten ranges.
func appendSlots(dst []byte, ranges iter.Seq[SlotRange]) []byte {
	n := 0
	for range ranges {
		n++
	}
	l := newList(append(dst, "slots "...), n, ",")
	for r := range ranges {
		if !l.next() {
			break
		}
		l.line = r.appendText(l.line)
	}
	return l.line
}
