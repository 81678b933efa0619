// Package quote makes text from a server fit for one line of a terminal.
//
// Nothing it returns holds a control character, a line end or an invalid
// byte, whatever came in: those are told as Go escapes. Text longer than Max
// bytes is cut, and its length told.
package quote

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Max is how many bytes of a text are shown.
const Max = 64

// Text returns b in double quotes, as strconv.Quote writes it.
func Text(b []byte) string {
	if len(b) <= Max {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("%s... (%d bytes)", strconv.Quote(string(b[:cut(b)])), len(b))
}

// Word returns b bare when it reads as one word, and as Text otherwise. A
// bare word holds no space, quote or backslash.
func Word(b []byte) string {
	if len(b) == 0 || len(b) > Max || !isWord(string(b)) {
		return Text(b)
	}
	return string(b)
}

// Name is Word with its spaces escaped too: the first space after it ends it.
func Name(b []byte) string {
	return strings.ReplaceAll(Word(b), " ", `\x20`)
}

// Line returns s without quotes and whole, what is not printable escaped: for
// an error text that goes into a sentence.
func Line(s string) string {
	var out strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if (r == utf8.RuneError && n == 1) || !strconv.IsPrint(r) {
			escaped := strconv.Quote(s[:n])
			out.WriteString(escaped[1 : len(escaped)-1])
		} else {
			out.WriteString(s[:n])
		}
		s = s[n:]
	}
	return out.String()
}

// cut returns where to cut a long text: at Max, or at the start of the
// character that lies across it.
func cut(b []byte) int {
	for n := Max; n > Max-utf8.UTFMax; n-- {
		if !utf8.RuneStart(b[n]) {
			continue
		}
		if r, size := utf8.DecodeRune(b[n:]); r == utf8.RuneError && size <= 1 {
			break
		}
		return n
	}
	return Max
}

func isWord(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r == ' ' || r == '"' || r == '\\' || !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}
