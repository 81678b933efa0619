//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// The kinds of pushes.
const (
	messages      = "message"
	invalidations = "invalidate"
)

// counted says what the tables count of each kind. Invalidations are counted by
// key, because the server decides how many keys it puts into one.
var counted = map[string]string{messages: "pushes", invalidations: "keys"}

// channel is where messages are published.
const channel = "channel"

// A text is a payload or a key. It begins with a letter and a number of 15
// digits. The last text of a run is all z.
const (
	digits      = 15
	keySize     = 1 + digits
	messageSize = 64
	endMark     = 'z'
)

func textSize(kind string) int {
	if kind == messages {
		return messageSize
	}
	return keySize
}

// appendText appends the text of the given kind that carries number.
func appendText(b []byte, kind string, number int64) []byte {
	b = fmt.Appendf(b, "k%0*d", digits, number)
	for range textSize(kind) - keySize {
		b = append(b, 'x')
	}
	return b
}

func endText(kind string) string { return strings.Repeat(string(endMark), textSize(kind)) }

// number returns the number that a text carries, and false if it carries none.
func number[T string | []byte](text T) (int64, bool) {
	if len(text) < keySize || text[0] != 'k' {
		return 0, false
	}
	var n int64
	for i := 1; i < keySize; i++ {
		c := text[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

// A clock returns the nanoseconds since an epoch that several processes share.
// Each clock reads the wall clock once, and is monotonic from then on.
type clock struct{ epoch time.Time }

// newClock returns a clock whose epoch is given in nanoseconds of Unix time.
func newClock(epoch int64) clock {
	now := time.Now()
	return clock{now.Add(time.Duration(epoch - now.UnixNano()))}
}

func (c clock) now() int64 { return int64(time.Since(c.epoch)) }
