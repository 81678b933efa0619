package parser

import (
	"cmp"
	"slices"
)

// A nest is an aggregate that nestedPushes is inside.
type nest struct {
	left  int  // values still to come; negative when an end marker follows them
	from  int  // where the attributes before the next value or push begin, or none
	push  int  // the index in found of a push out of band, otherwise as below
	named bool // the first value has begun
}

const (
	none    = -1 // of nest.from
	inBand  = -1 // of nest.push: the aggregate is an element, or the frame's value
	ofValue = -2 // of nest.push: the aggregate is an attribute
)

// A foundPush is a push out of band. Its name is known when its first element
// has begun, and its end last; the rest is known when it has begun itself.
type foundPush struct {
	from, at, end   int
	naming          naming
	nameAt, nameEnd int
}

// nestedPushes calls yield for the pushes inside the frame b, whose value
// begins at b[top], until it returns false.
//
// It looks at each byte once, however deep pushes nest. A push is yielded
// before those inside it, but ends after them, and attributes that hold pushes
// may turn out to be those of a push. So a push that is found waits for the end
// of the outermost push or attribute around it. A few waiting pushes and a few
// levels need no allocation.
func nestedPushes(b []byte, top int, yield func(Frame) bool) {
	var (
		fewNests  [8]nest
		fewPushes [4]foundPush
		cur       = nest{1, none, inBand, false} // the innermost aggregate
		stack     = fewNests[:0]                 // those around it
		found     = fewPushes[:0]                // the pushes that wait
		waits     = 0                            // the pushes and attributes among cur and stack
	)
	for p := 0; ; {
		for cur.left == 0 && len(stack) > 0 {
			if cur.push >= 0 {
				found[cur.push].end = p
			}
			if cur.push != inBand {
				waits--
			}
			cur, stack = stack[len(stack)-1], stack[:len(stack)-1]
		}
		if len(found) > 0 && waits == 0 && cur.from == none {
			if !flush(b, found, yield) {
				return
			}
			found = found[:0]
		}
		if cur.left == 0 {
			walked(p)
			return
		}

		t, push := Type(b[p]), inBand
		switch {
		case t == markEnd:
			cur.left = 0
			p += 3
			continue
		case t == TypeAttribute:
			if cur.from == none {
				cur.from = p
			}
			push = ofValue
		case t == TypePush && p != top:
			push = len(found)
			found = append(found, foundPush{from: cur.begin(p), at: p, naming: nameNone})
		default:
			if cur.begin(p); cur.left > 0 {
				cur.left--
			}
			if cur.push >= 0 && !cur.named {
				cur.named = true
				found[cur.push].name(b, p)
			}
			if classes[t] != classAggregate {
				p = skip(b, p)
				continue
			}
		}
		n, body := header(b, p)
		if p = body; n == -1 {
			continue // a null
		}
		if t.paired() {
			n *= 2
		}
		stack = append(stack, cur)
		cur = nest{n, none, push, false}
		if push != inBand {
			waits++
		}
	}
}

// begin returns where the item at p begins, including the attributes before it,
// and forgets these attributes.
func (n *nest) begin(p int) int {
	if n.from != none {
		p, n.from = n.from, none
	}
	return p
}

// name sets the name of f to the value at b[p], if that is a string.
func (f *foundPush) name(b []byte, p int) {
	switch Type(b[p]) {
	case TypeBulkString, TypeVerbatimString, TypeSimpleString:
	default:
		return
	}
	switch v := parseValue(b, p, p, -1); {
	case v.IsNull():
	case v.meta.streamed():
		f.naming = nameStreamed
	default:
		f.naming = nameKnown
		f.nameAt = p - f.from + v.meta.body()
		f.nameEnd = f.nameAt + len(v.Bytes())
	}
}

// flush calls yield for the pushes found in b, in the order of their first
// bytes, until it returns false.
func flush(b []byte, found []foundPush, yield func(Frame) bool) (more bool) {
	byFrom := func(f, g foundPush) int { return cmp.Compare(f.from, g.from) }
	if !slices.IsSortedFunc(found, byFrom) {
		slices.SortFunc(found, byFrom)
	}
	for i, f := range found {
		holds := i+1 < len(found) && found[i+1].from < f.end
		meta := newFrameMeta(TypePush, f.naming, holds, int64(f.at-f.from), int64(f.nameAt), int64(f.nameEnd))
		if !yield(Frame{b[f.from:f.end:f.end], meta}) {
			return false
		}
	}
	return true
}
