package notify

import (
	"iter"
	"strconv"

	"github.com/seed79615202/respush/parser"
)

// Describe returns a description of a push on one line of at most 6 KiB, for
// people to read. The line consists of the name, two spaces, and a text. Spaces
// in the name are escaped.
//
// For a push of a known family and shape, the line is that of the String method
// of its type. For any other push it lists the elements. Long texts and long
// lists are cut, and the line says how much is missing. Characters that are not
// printable are escaped. The attributes of the push are at the end of the line,
// and those of inner values are left out. The line for a frame that is not a
// push has no name.
//
// The line does not refer to the memory of the frame.
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

// appendPush appends the description of push.
func appendPush(dst []byte, push parser.Frame) []byte {
	switch FamilyOf(push.Name()) {
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

// appendView appends the line of the view that parse returns. If parse fails,
// it appends the elements of push.
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

// appendItems appends the values of items. count is their number.
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

// appendPairs appends the pairs of v, which is a map or an attribute.
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

// appendValue appends v. depth is the number of lists around it.
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

// appendInside appends the elements of v, or only their number if v is nested
// too deep.
func appendInside(dst []byte, v parser.Value, depth int) []byte {
	switch {
	case depth >= maxDepth && v.Len() > 0:
		return appendCount(dst, v.Len(), "element")
	case v.Type() == parser.TypeMap, v.Type() == parser.TypeAttribute:
		return appendPairs(dst, v, depth+1)
	}
	return appendItems(dst, v.All(), v.Len(), depth+1)
}
