// Package textline formats a push that has just arrived as one line for people.
package textline

import (
	"fmt"
	"strings"
	"time"

	"github.com/rivo/uniseg"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// The columns are wide enough for an IPv4 address with a port and for the most
// frequent names. Longer ones shift the rest of their line.
const (
	peerColumn = 21
	nameColumn = 10
)

// maxRanges is how many ranges of slots a line has at most.
const maxRanges = 4

// The time at the beginning of a line. The day changes too seldom to be shown
// unless it is asked for.
const (
	clock         = "15:04:05.000"
	dateAndClock  = "2006-01-02 15:04:05.000 -07:00"
	cutHere       = "…"
	dim           = "\x1b[2m"
	plain         = "\x1b[0m"
	yellow, green = "\x1b[33m", "\x1b[32m"
	cyan, magenta = "\x1b[36m", "\x1b[35m"
	red           = "\x1b[31m"
)

// colours are those of the names of a family.
var colours = map[notify.Family]string{
	notify.FamilyUnknown:             red,
	notify.FamilyInvalidation:        yellow,
	notify.FamilyMessage:             green,
	notify.FamilySubscription:        cyan,
	notify.FamilyMoving:              magenta,
	notify.FamilyMigration:           magenta,
	notify.FamilySlotMigration:       magenta,
	notify.FamilyTrackingRedirBroken: red,
	notify.FamilyServerCPUUsage:      cyan,
}

// A Style selects the look of lines. The zero value is for a file.
type Style struct {
	Date    bool       // with the date and the zone
	Colours bool       // a colour for each family
	Width   func() int // returns the largest number of columns, or 0 for no limit; may be nil
}

// Append appends push to dst as a line: the time, the peer that it flows to or
// comes from unless peer is empty, and the push in words. It retains nothing of
// the push.
func (s Style) Append(dst []byte, at time.Time, peer string, push parser.Frame) []byte {
	name, words, _ := strings.Cut(notify.Describe(push), "  ")
	return s.append(dst, at, peer, colours[notify.FamilyOf(push.Name())], name, words)
}

// AppendGap appends a line about a gap to dst: when it was noticed, the node and
// what is missing of a cluster, the moment from which on pushes may be missing,
// and why. A server that is alone has neither node nor part.
func (s Style) AppendGap(dst []byte, at time.Time, node string, of feed.Part, since time.Time, cause string) []byte {
	words := "since " + since.Format(s.clock()) + "  " + partWords(of) + cause
	return s.append(dst, at, node, red, "gap", words)
}

// AppendArmed appends a line about the end of a gap to dst: when that was, the
// node and the part of a cluster, the moment from which on pushes may be missing,
// and how long it lasted.
func (s Style) AppendArmed(dst []byte, at time.Time, node string, of feed.Part, since time.Time, lasted time.Duration) []byte {
	words := fmt.Sprintf("again after %v  %spushes since %s may be missing", lasted.Round(time.Millisecond), partWords(of), since.Format(s.clock()))
	return s.append(dst, at, node, green, "armed", words)
}

// partWords returns a part in words, and a separator if there are any.
func partWords(p feed.Part) string {
	var words []string
	if len(p.Slots) > maxRanges {
		words = append(words, fmt.Sprintf("slots %v ... %d more", p.Slots[:maxRanges], p.Slots[maxRanges:].Len()))
	} else if len(p.Slots) > 0 {
		words = append(words, "slots "+p.Slots.String())
	}
	if p.Channels {
		words = append(words, "channels")
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " and ") + "  "
}

// clock returns the layout of times.
func (s Style) clock() string {
	if s.Date {
		return dateAndClock
	}
	return clock
}

// append appends a line to dst. The colour is that of name.
func (s Style) append(dst []byte, at time.Time, peer, colour, name, words string) []byte {
	var line strings.Builder
	line.WriteString(at.Format(s.clock()))
	clockEnds := line.Len()
	if peer != "" {
		fmt.Fprintf(&line, "  %-*s", peerColumn, peer)
	}
	line.WriteString("  ")
	nameBegins := line.Len()
	fmt.Fprintf(&line, "%-*s", nameColumn, name)
	nameEnds := line.Len()
	fmt.Fprintf(&line, "  %s", words)
	text := s.cut(line.String())
	if !s.Colours {
		return append(append(dst, text...), '\n')
	}
	clockEnds, nameBegins, nameEnds = min(clockEnds, len(text)), min(nameBegins, len(text)), min(nameEnds, len(text))
	return fmt.Appendf(dst, "%s%s%s%s%s%s%s%s\n", dim, text[:clockEnds], plain, text[clockEnds:nameBegins],
		colour, text[nameBegins:nameEnds], plain, text[nameEnds:])
}

// cut returns as much of line as there is room for.
func (s Style) cut(line string) string {
	if s.Width == nil {
		return line
	}
	room := s.Width()
	if room == 0 || uniseg.StringWidth(line) <= room {
		return line
	}
	room -= uniseg.StringWidth(cutHere)
	kept, state := 0, -1
	for rest := line; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if room -= width; room < 0 {
			break
		}
		kept += len(cluster)
	}
	return line[:kept] + cutHere
}
