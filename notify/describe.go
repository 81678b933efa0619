package notify

import (
	"iter"
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// Describe returns a push as one readable line of at most 6 KiB: its name, two
// spaces, and what it says. The name holds no space. A push of a known family and
// shape is told as the String method of its type does; any other element by
// element. Long texts and long lists are cut and their size told, and what is
// not printable is escaped. Attributes before the push come last, those of inner
// values not at all. A frame that is no push is told without a name.
func Describe(push parser.Frame) string {
	var line []byte
	if push.IsPush() {
		line = appendPush(nil, push)
	} else {
		line = appendValue(nil, push.Value(), 0)
	}
	if attributes := push.Attributes(); attributes.Len() > 0 {
		line = append(line, gap+"attributes "...)
		line = appendValue(line, attributes, 0)
	}
	return string(line)
}

// appendPush appends push in the words of its family, if its shape allows.
func appendPush(dst []byte, push parser.Frame) []byte {
	switch Kind(push.Name()) {
	case FamilyInvalidation:
		return appendView(dst, push, ParseInvalidation)
	case FamilyMessage:
		return appendView(dst, push, ParseMessage)
	case FamilySubscription:
		return appendView(dst, push, ParseSubscription)
	case FamilyMoving:
		return appendView(dst, push, ParseMoving)
	case FamilyMigration:
		return appendView(dst, push, ParseMigration)
	case FamilySlotMigration:
		return appendView(dst, push, ParseSlotMigration)
	case FamilyTrackingRedirBroken:
		return appendView(dst, push, ParseTrackingRedirBroken)
	case FamilyServerCPUUsage:
		return appendView(dst, push, ParseServerCPUUsage)
	}
	return appendElements(dst, push)
}

// appendView appends push as parse sees it, or else element by element.
func appendView[T interface{ appendLine([]byte) []byte }](dst []byte, push parser.Frame, parse func(parser.Frame) (T, error)) []byte {
	view, err := parse(push)
	if err != nil {
		return appendElements(dst, push)
	}
	return view.appendLine(dst)
}

// appendElements appends the name and the elements of push.
func appendElements(dst []byte, push parser.Frame) []byte {
	name, elements, count := push.Name(), push.Args(), push.Len()-1
	if name == nil {
		dst = append(dst, "(no-name)"+gap...)
		elements, count = push.Value().All(), push.Len()
	} else {
		dst = append(appendName(dst, name), gap...)
	}
	if count == 0 {
		return append(dst, "(nothing)"...)
	}
	return appendItems(dst, elements, count, 0)
}

// appendItems appends the values of items, of which there are count.
func appendItems(dst []byte, items iter.Seq[parser.Value], count, depth int) []byte {
	l := newList(dst, count, " ")
	for v := range items {
		if !l.next() {
			break
		}
		l.line = appendValue(l.line, v, depth)
	}
	return l.line
}

// appendPairs appends the pairs in v.
func appendPairs(dst []byte, v parser.Value, depth int) []byte {
	l := newList(dst, v.Len()/2, ", ")
	for key, val := range v.Pairs() {
		if !l.next() {
			break
		}
		l.line = append(appendValue(l.line, key, depth), ": "...)
		l.line = appendValue(l.line, val, depth)
	}
	return l.line
}

// appendValue appends v, with text as a word where it reads as one. Depth is how
// many lists are around it.
func appendValue(dst []byte, v parser.Value, depth int) []byte {
	switch v.Type() {
	case parser.TypeNull:
		return append(dst, "null"...)
	case parser.TypeBoolean:
		if yes, err := v.Bool(); err == nil {
			return strconv.AppendBool(dst, yes)
		}
	case parser.TypeSimpleError, parser.TypeBulkError:
		return appendText(append(dst, "error "...), v.Bytes())
	case parser.TypeMap, parser.TypeAttribute:
		return append(appendInside(append(dst, '{'), v, depth), '}')
	case parser.TypeSet:
		return append(appendInside(append(dst, '('), v, depth), ')')
	case parser.TypeArray, parser.TypePush:
		return append(appendInside(append(dst, '['), v, depth), ']')
	}
	return appendWord(dst, v.Bytes())
}

// appendInside appends what v holds, or how much it is once that lies too deep.
func appendInside(dst []byte, v parser.Value, depth int) []byte {
	switch {
	case depth >= maxDepth && v.Len() > 0:
		return appendCount(dst, v.Len(), "element")
	case v.Type() == parser.TypeMap, v.Type() == parser.TypeAttribute:
		return appendPairs(dst, v, depth+1)
	}
	return appendItems(dst, v.All(), v.Len(), depth+1)
}
