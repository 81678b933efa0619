// Package quote makes text from a server fit for one line of a terminal.
//
// What it returns holds no control character, no line end and no invalid byte.
// They are written as Go escapes. Text longer than Max bytes is cut, and its
// length is added.
package quote

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Max is the number of bytes of a text that are shown.
const Max = 64

// Text returns b in double quotes, as strconv.Quote writes it.
func Text(b []byte) string {
	if len(b) <= Max {
		return strconv.Quote(string(b))
	}
	return fmt.Sprintf("%s... (%d bytes)", strconv.Quote(string(b[:cut(b)])), len(b))
}

// Word returns b as it is if it reads as one word, and as Text does otherwise.
// A word as it is holds no space, quote or backslash.
func Word(b []byte) string {
	if len(b) == 0 || len(b) > Max || !isWord(string(b)) {
		return Text(b)
	}
	return string(b)
}

// Name is like Word, but escapes spaces too, so that the first space after the
// name ends it.
func Name(b []byte) string {
	return strings.ReplaceAll(Word(b), " ", `\x20`)
}

// Line returns all of s without quotes, with escapes for what is not printable.
// It is for an error text inside a sentence.
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

// cut returns the place to cut a long text: at Max, or at the start of the
// character that lies across Max.
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
