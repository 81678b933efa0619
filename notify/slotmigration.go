package notify

import (
	"iter"

	"github.com/seed79615202/respush/parser"
)

// SlotMigration is a SMIGRATING or SMIGRATED push: slots of a cluster are about
// to move from one server to another, or have moved. It is borrowed from the
// frame it was parsed from.
//
// Invariant: all that push holds has been checked.
type SlotMigration struct {
	Kind Name  // NameSMigrating or NameSMigrated
	Seq  int64 // repeats across nodes, has gaps, and is shared with other maintenance pushes
	push parser.Frame
}

// SlotMove is one part of a SMIGRATED push: the slots that have moved to one
// server. It is borrowed like the SlotMigration it is from.
//
// Invariant: slots has been checked.
type SlotMove struct {
	Source []byte // who had the slots, as the server writes it; nil when it does not tell. See ParseEndpoint
	Target []byte // who has them now
	slots  parser.Value
}

// ParseSlotMigration returns the slot migration that push is. Behind a sequence
// number SMIGRATING has slots such as 123,789-1000, in one element or several,
// and SMIGRATED has an array of arrays of source, target and slots. The source
// may be missing, and so may the inner arrays, or all of them; the sequence
// number of SMIGRATED may be a string. A slot that stands alone may be an
// integer. Ranges run upwards within 0 to 16383. Anything else is a
// [*ShapeError]. It does not allocate but for that.
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

// sequence returns element 1, v, a number or, of SMIGRATED, the text of one.
func (d *decoder) sequence(v parser.Value) int64 {
	if d.push == NameSMigrated && isText(v) {
		if n, err := v.Int64(); err == nil {
			return n
		}
	}
	return d.number(1, v)
}

// check walks all that is behind the sequence number of m.
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

// Slots yields the slots in wire order: those of SMIGRATING, or of all moves of
// SMIGRATED one after the other.
func (m SlotMigration) Slots() iter.Seq[SlotRange] {
	return func(yield func(SlotRange) bool) { m.eachSlots(yield) }
}

// Moves yields the moves of SMIGRATED in wire order, each borrowed like m, and
// nothing for SMIGRATING.
func (m SlotMigration) Moves() iter.Seq[SlotMove] {
	return func(yield func(SlotMove) bool) { m.eachMove(yield) }
}

// Slots yields the slots that have moved, in wire order.
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

// walkRanges calls yield for the ranges behind the sequence number until it
// returns false. An error is that of the element.
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

// walkMoves calls yield for the moves behind the sequence number until it returns
// false. Arrays may be around each of them, around all of them, or not at all.
// element is where it stopped; an error is that of the element.
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

// assembly puts moves together from the values that they are made of.
//
// Invariant: ends is how many endpoints the move under way has; one is in
// move.Target, two are in move.Source and move.Target.
type assembly struct {
	move SlotMove
	ends int
}

// addList adds what an array holds: whole moves, with arrays around them or
// without.
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

// addMove adds what an array holds: one move.
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

// add adds one value: an endpoint, or slots, which end the move. A second value
// that reads as slots is no endpoint: the move has no source.
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

// String returns the slot migration in words on one line: the first ten of its
// moves, or of its ranges.
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

// String returns the move in words on one line.
func (m SlotMove) String() string { return string(m.appendText(nil)) }

func (m SlotMove) appendText(dst []byte) []byte {
	if m.Source != nil {
		dst = append(appendWord(dst, m.Source), ' ')
	}
	dst = append(appendWord(append(dst, "to "...), m.Target), ' ')
	return appendSlots(dst, m.Slots())
}

// appendSlots appends the first ten of ranges.
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
