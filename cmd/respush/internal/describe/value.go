package describe

import (
	"iter"
	"strconv"
	"strings"

	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/parser"
)

// maxDepth is how many levels of lists are opened: deeper ones are told by
// their length, so that no input makes value call itself further.
const maxDepth = 4

// list tells the values of seq, of which there are count, one after the other.
func list(seq iter.Seq[parser.Value], count int) string {
	return listAt(seq, count, 0)
}

func listAt(seq iter.Seq[parser.Value], count, depth int) string {
	var words []string
	for v := range seq {
		if len(words) == maxItems {
			words = append(words, more(count-maxItems))
			break
		}
		words = append(words, valueAt(v, depth))
	}
	return strings.Join(words, " ")
}

func more(n int) string { return "... " + strconv.Itoa(n) + " more" }

// value tells one value: text as a word where it reads as one.
func value(v parser.Value) string { return valueAt(v, 0) }

func valueAt(v parser.Value, depth int) string {
	switch v.Type() {
	case parser.TypeNull:
		return "null"
	case parser.TypeBoolean:
		yes, _ := v.Bool() // a frame that was handed out is valid
		return strconv.FormatBool(yes)
	case parser.TypeInteger, parser.TypeDouble, parser.TypeBigNumber:
		return string(v.Bytes())
	case parser.TypeSimpleError, parser.TypeBulkError:
		return "error " + quote.Text(v.Bytes())
	case parser.TypeMap, parser.TypeAttribute:
		return "{" + inside(v, depth, pairsAt) + "}"
	case parser.TypeSet:
		return "(" + inside(v, depth, itemsAt) + ")"
	case parser.TypeArray, parser.TypePush:
		return "[" + inside(v, depth, itemsAt) + "]"
	default:
		return quote.Word(v.Bytes())
	}
}

// inside tells what a list holds, or only how much once it lies too deep.
func inside(v parser.Value, depth int, open func(parser.Value, int) string) string {
	if depth >= maxDepth && v.Len() > 0 {
		return plural(v.Len(), "element")
	}
	return open(v, depth+1)
}

func itemsAt(v parser.Value, depth int) string { return listAt(v.All(), v.Len(), depth) }

func pairsAt(v parser.Value, depth int) string {
	var words []string
	for key, val := range v.Pairs() {
		if len(words) == maxItems {
			words = append(words, more(v.Len()/2-maxItems))
			break
		}
		words = append(words, valueAt(key, depth)+": "+valueAt(val, depth))
	}
	return strings.Join(words, ", ")
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// isText says whether v is a string of any of the three kinds.
func isText(v parser.Value) bool {
	switch v.Type() {
	case parser.TypeBulkString, parser.TypeSimpleString, parser.TypeVerbatimString:
		return true
	default:
		return false
	}
}

// isList says whether v holds values in order.
func isList(v parser.Value) bool {
	return v.Type() == parser.TypeArray || v.Type() == parser.TypeSet
}

// whole returns the integer that v is or holds.
func whole(v parser.Value) (string, bool) {
	n, err := v.Int64()
	if err != nil {
		return "", false
	}
	return strconv.FormatInt(n, 10), true
}
