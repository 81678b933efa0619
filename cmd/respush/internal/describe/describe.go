// Package describe tells a push in words, on one line.
//
// The pushes that Redis is known to send have words of their own. Any other
// shape, and any other push, is told element by element: nothing that came in
// is left out but the middle of long texts and the end of long lists, and of
// those the size is told.
package describe

import (
	"slices"
	"strings"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/parser"
)

// gap stands between the parts of a line.
const gap = "  "

// maxItems is how many elements of one list are shown.
const maxItems = 10

// A teller puts the elements after a push's name into words; false when they
// have not the shape it knows.
type teller func(args []parser.Value) (string, bool)

// Describe returns push as its name, two spaces, and its elements in words.
// The name holds no space. Attributes before the push are told last, those of
// inner values not at all. Nothing of the push is kept.
func Describe(push parser.Frame) string {
	line := describe(push)
	if attributes := push.Attributes(); attributes.Len() > 0 {
		line = join(line, "attributes "+value(attributes))
	}
	return line
}

func describe(push parser.Frame) string {
	name := push.Name()
	if name == nil {
		return "(no-name)" + gap + orNothing(list(push.Value().All(), push.Len()))
	}
	count := push.Len() - 1
	if tell, ok := tellers[string(name)]; ok && count <= maxArgs {
		if words, ok := tell(slices.Collect(push.Args())); ok {
			return quote.Name(name) + gap + words
		}
	}
	return quote.Name(name) + gap + orNothing(list(push.Args(), count))
}

func orNothing(words string) string {
	if words == "" {
		return "(nothing)"
	}
	return words
}

// join puts the parts that are not empty on one line.
func join(parts ...string) string {
	kept := parts[:0]
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, gap)
}
