// Package filter selects the pushes to show.
package filter

import (
	"fmt"
	"path"
	"strings"

	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A Filter picks pushes by their names and by the keys or channels that they
// are about. The zero value picks all pushes.
type Filter struct {
	Names []string // only pushes with one of these names
	Globs []string // only pushes about a key or channel that one of these matches
}

// Validate returns an error if a glob is malformed.
func (f Filter) Validate() error {
	for _, glob := range f.Globs {
		if _, err := path.Match(glob, ""); err != nil {
			return fmt.Errorf("--match %q: %w", glob, err)
		}
	}
	return nil
}

// Picks reports whether push is to be shown. An invalidation of all keys is
// about every key. Globs do not apply to a push that is about neither keys nor
// channels, or does not have the shape that its name promises.
func (f Filter) Picks(push parser.Frame) bool {
	return f.named(push.Name()) && f.about(push)
}

func (f Filter) named(name []byte) bool {
	for _, want := range f.Names {
		if string(name) == want {
			return true
		}
	}
	return len(f.Names) == 0
}

func (f Filter) about(push parser.Frame) bool {
	if len(f.Globs) == 0 {
		return true
	}
	if i, err := notify.ParseInvalidation(push); err == nil {
		for key := range i.Keys() {
			if f.matches(key) {
				return true
			}
		}
		return i.FlushAll()
	}
	if m, err := notify.ParseMessage(push); err == nil {
		return f.matches(m.Channel)
	}
	if s, err := notify.ParseSubscription(push); err == nil {
		return f.matches(s.Channel)
	}
	return true
}

// matches reports whether one of the globs matches text. In package path an
// asterisk does not match a slash; to a server a slash is like any other
// character.
func (f Filter) matches(text []byte) bool {
	plain := noSlashes(string(text))
	for _, glob := range f.Globs {
		if ok, _ := path.Match(noSlashes(glob), plain); ok { // Validate has found the errors
			return true
		}
	}
	return false
}

// noSlashes returns text with another character in place of each slash.
func noSlashes(text string) string { return strings.ReplaceAll(text, "/", "\x00") }
