//go:build respushdebug

package dispatch

import "github.com/seed79615202/respush/parser"

// expired is the byte that replaces every borrowed byte after the handler has
// returned.
const expired = '!'

// borrow returns a copy of f to pass to a handler. expire overwrites the copy,
// and so spares the reply around a nested push.
func borrow(f parser.Frame) parser.Frame { return f.Clone() }

// expire overwrites the frame that borrow returned. A handler that has retained
// a slice of it sees the damage at once, rather than when the buffer is reused.
func expire(f parser.Frame) {
	b := f.Raw()
	for i := range b {
		b[i] = expired
	}
}
