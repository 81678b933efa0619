// Package textline writes a push that has just come as one line for people.
package textline

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// The widths of the columns fit what comes most, a client's IPv4 address and
// port and the name of a push; longer ones push their line along.
const (
	clientColumn = 21
	nameColumn   = 10
)

// clock is how a line begins: the day does not change often enough to tell.
const clock = "15:04:05.000"

// Append appends push as a line to dst: when it came, the client that it flows
// to unless that is empty, and the push in words. Nothing of the push is kept.
func Append(dst []byte, at time.Time, client string, push parser.Frame) []byte {
	dst = at.AppendFormat(dst, clock)
	if client != "" {
		dst = fmt.Appendf(dst, "  %-*s", clientColumn, client)
	}
	name, words, _ := strings.Cut(notify.Describe(push), "  ")
	return fmt.Appendf(dst, "  %-*s  %s\n", nameColumn, name, words)
}
