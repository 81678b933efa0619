//go:build respushdebug

package dispatch

import "github.com/seed79615202/respush/parser"

// expired is what borrowed bytes read once the handler has returned.
const expired = '!'

// borrow returns a copy of the frame to give to a handler: a copy, so that the
// reply around a nested push survives expire.
func borrow(f parser.Frame) parser.Frame { return f.Clone() }

// expire overwrites what borrow returned, so that a handler that has kept a
// slice of it sees garbage at once, and not only when the buffer is used again.
func expire(f parser.Frame) {
	b := f.Raw()
	for i := range b {
		b[i] = expired
	}
}
