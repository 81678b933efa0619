package parser

import "math"

// level is one open aggregate.
type level struct {
	rem        int64 // values still to come; not used by a streamed one
	kind       levelKind
	attributed bool // an attribute has been read and its value has not
	odd        bool // a streamed map waits for the value of a key
}

// levelKind says what the end of an aggregate means to the one around it.
type levelKind uint8

const (
	levelStreamed  levelKind = 1 << iota // ended by a marker, not by a count
	levelMap                             // streamed, in pairs
	levelAttribute                       // no value: one must follow
	levelOutOfBand                       // a push inside another value: no element of it
)

// stack holds the open aggregates. The first few need no allocation.
type stack struct {
	depth   int
	cur     level    // the innermost; the zero level when depth is 0
	shallow bool     // fail with errDeep instead of allocating
	inline  [6]level // the outermost ones but cur
	more    []level  // those that do not fit into inline
}

// enter opens an aggregate, and reports whether there was room.
func (k *stack) enter(l level) bool {
	if i := k.depth - 1; i >= 0 {
		switch {
		case i < len(k.inline):
			k.inline[i] = k.cur
		case k.shallow:
			return false
		default:
			k.more = append(k.more[:i-len(k.inline)], k.cur)
		}
	}
	k.cur = l
	k.depth++
	return true
}

// roomy reports whether enter would succeed.
func (k *stack) roomy() bool { return !k.shallow || k.depth <= len(k.inline) }

// leave closes the innermost aggregate.
func (k *stack) leave() {
	k.depth--
	switch i := k.depth - 1; {
	case i < 0:
		k.cur = level{}
	case i < len(k.inline):
		k.cur = k.inline[i]
	default:
		k.cur = k.more[i-len(k.inline)]
	}
}

// aggregate acts on the header of an aggregate.
func (s *Scanner) aggregate() (done bool, err error) {
	t := Type(s.mark)
	count := int64(s.n)
	var kind levelKind
	switch {
	case t == TypeAttribute:
		kind = levelAttribute
	case t == TypePush && s.depth > 0:
		kind = levelOutOfBand
	}
	if t.paired() {
		count *= 2
	}
	if s.form == formStream {
		kind |= levelStreamed
		if t == TypeMap {
			kind |= levelMap
		}
	}
	if s.depth >= s.lim.MaxDepth && !s.flattens(kind) {
		return false, s.over("MaxDepth", s.lim.MaxDepth, int64(s.depth)+1)
	}
	if err = s.announce(count); err != nil {
		return false, err
	}
	s.state = stValue
	switch {
	case count == 0 && kind&levelStreamed == 0:
		if t == TypePush && s.depth == 0 {
			s.naming = nameNone
		}
		return s.closed(kind), nil
	case s.depth >= s.lim.MaxDepth && s.cur.kind&levelStreamed == 0:
		return false, s.flatten(count, kind)
	case !s.enter(level{rem: count, kind: kind}):
		return false, errDeep
	}
	return false, nil
}

// flattens reports whether an aggregate deeper than the limit can be dropped
// without remembering it. A counted aggregate can be: its values are added to
// those of the aggregate around it.
func (s *Scanner) flattens(kind levelKind) bool {
	return s.skip && kind&levelStreamed == 0
}

// flatten adds an aggregate's values to those of the aggregate around it, which
// is enough to drop both.
func (s *Scanner) flatten(count int64, kind levelKind) error {
	rem := s.cur.rem
	if kind&(levelAttribute|levelOutOfBand) == 0 {
		rem-- // it was itself one of the values to come
	}
	if rem > math.MaxInt64-count {
		return s.over("MaxElements", s.lim.MaxElements, math.MaxInt64)
	}
	s.cur.rem = rem + count
	return nil
}

// complete acts on the end of a value and of all aggregates that end with it.
// It reports whether the frame has ended.
func (s *Scanner) complete() bool {
	s.state = stValue
	for s.depth > 0 {
		s.cur.attributed = false
		if s.cur.kind&levelStreamed != 0 {
			s.cur.odd = !s.cur.odd && s.cur.kind&levelMap != 0
			return false
		}
		if s.cur.rem--; s.cur.rem > 0 {
			return false
		}
		kind := s.cur.kind
		s.leave()
		if kind&(levelAttribute|levelOutOfBand) != 0 {
			s.cur.attributed = kind&levelAttribute != 0
			return false
		}
	}
	s.ended = true
	return true
}

// closed acts on the end of an aggregate without values, and reports whether
// the frame has ended.
func (s *Scanner) closed(kind levelKind) bool {
	if kind&(levelAttribute|levelOutOfBand) != 0 {
		s.cur.attributed = kind&levelAttribute != 0
		return false
	}
	return s.complete()
}
