package notify

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// The limits of a line. Together they bound its length to 6 KiB.
const (
	maxText  = 64      // bytes of one text
	maxItems = 10      // elements of one list
	maxDepth = 4       // lists inside one another
	maxLine  = 4 << 10 // bytes of a line after which a list shows no further element
)

// gap separates the parts of a line.
const gap = "  "

// appendText appends b in double quotes, and escapes characters that are not
// printable as Go does. It appends the beginning and the length of a long text.
func appendText(dst, b []byte) []byte {
	if len(b) <= maxText {
		return strconv.AppendQuote(dst, string(b))
	}
	dst = append(strconv.AppendQuote(dst, string(head(b))), "... ("...)
	return append(strconv.AppendInt(dst, int64(len(b)), 10), " bytes)"...)
}

// head returns the first maxText bytes of b, which is longer than that. It
// leaves out a character that is only partly in them.
func head(b []byte) []byte {
	n := maxText
	for n > maxText-utf8.UTFMax+1 && !utf8.RuneStart(b[n]) {
		n--
	}
	if _, size := utf8.DecodeRune(b[n:]); n+size <= maxText {
		n = maxText
	}
	return b[:n]
}

// appendWord appends b without quotes if it is a word, and as appendText does
// otherwise. A word has no space, quote or backslash.
func appendWord(dst, b []byte) []byte {
	if len(b) == 0 || len(b) > maxText || !isWord(b) {
		return appendText(dst, b)
	}
	return append(dst, b...)
}

func isWord(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 || r == ' ' || r == '"' || r == '\\' || !strconv.IsPrint(r) {
			return false
		}
		b = b[size:]
	}
	return true
}

// appendName appends the name of a push and escapes the spaces in it, so that
// the name ends at the first space.
func appendName[T Name | []byte](dst []byte, name T) []byte {
	at := len(dst)
	dst = appendWord(dst, []byte(name))
	if bytes.IndexByte(dst[at:], ' ') < 0 {
		return dst
	}
	return append(dst[:at], bytes.ReplaceAll(dst[at:], []byte(" "), []byte(`\x20`))...)
}

// appendCount appends n and a noun in the singular or plural.
func appendCount(dst []byte, n int, noun string) []byte {
	dst = append(strconv.AppendInt(dst, int64(n), 10), ' ')
	dst = append(dst, noun...)
	if n != 1 {
		dst = append(dst, 's')
	}
	return dst
}

// list appends the first items of a list to a line, and the number of those
// that it leaves out.
type list struct {
	line      []byte
	shown     int
	count     int // the number of all items
	separator string
}

func newList(line []byte, count int, separator string) list {
	return list{line: line, count: count, separator: separator}
}

// next prepares the line for the next item and reports whether the line shows
// it. If not, next has completed the line. The caller calls it only if there is
// a next item.
func (l *list) next() bool {
	if l.shown > 0 {
		l.line = append(l.line, l.separator...)
	}
	if l.shown < maxItems && len(l.line) <= maxLine {
		l.shown++
		return true
	}
	if l.separator == "," {
		l.line = append(l.line, ' ')
	}
	l.line = strconv.AppendInt(append(l.line, "... "...), int64(l.count-l.shown), 10)
	l.line = append(l.line, " more"...)
	return false
}
