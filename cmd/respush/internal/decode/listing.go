package decode

import (
	"fmt"
	"io"

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/cmd/respush/internal/quote"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// nestedPush is the type that the listing shows for a push inside another
// frame.
const nestedPush = "nested push"

// A listing prints a line for each frame. Pushes inside a frame follow it, at
// their own offset.
type listing struct {
	Options
	out     io.Writer
	several bool // inputs, each to be named
	begun   bool // one of them
	name    string
	line    []byte // reused
}

func (l *listing) begin(name string) error {
	l.name = name
	if l.JSON || !l.several {
		return nil // each line names it, or nothing need to
	}
	heading := "==> " + quote.Line(name) + " <==\n"
	if l.begun {
		heading = "\n" + heading
	}
	l.begun = true
	_, err := io.WriteString(l.out, heading)
	return err
}

func (l *listing) item(it item) error {
	if !l.Pushes || it.typ == parser.TypePush {
		if err := l.print(it, -1); err != nil {
			return err
		}
	}
	at := 0
	for push := range it.frame.NestedPushes() {
		at = find(it.frame.Raw(), at, push.Raw())
		inner := item{offset: it.offset + int64(at), size: int64(len(push.Raw())), frame: push, typ: parser.TypePush}
		if err := l.print(inner, it.offset); err != nil {
			return err
		}
	}
	return nil
}

// find returns the index of part in b. It looks from b[at] on for the bytes
// that part shares with b, and not for bytes with the same content.
func find(b []byte, at int, part []byte) int {
	for &b[at] != &part[0] {
		at++
	}
	return at
}

// print prints a line about a frame. If inside is not negative, the frame is
// inside the one at that offset.
func (l *listing) print(it item, inside int64) error {
	if l.JSON {
		l.line = l.appendJSON(l.line[:0], it, inside)
	} else {
		l.line = l.appendText(l.line[:0], it, inside)
	}
	_, err := l.out.Write(l.line)
	return err
}

func (l *listing) appendJSON(dst []byte, it item, inside int64) []byte {
	place := jsonline.Place{File: l.name, Offset: it.offset, Inside: inside}
	if it.oversize() {
		return jsonline.Oversize(dst, place, it.size, it.typ, it.name)
	}
	return jsonline.Captured(dst, place, it.frame)
}

func (l *listing) appendText(dst []byte, it item, inside int64) []byte {
	kind := it.typ.String()
	if inside >= 0 {
		kind = nestedPush
	}
	dst = fmt.Appendf(dst, "%10d %9d  %-15s  ", it.offset, it.size, kind)
	if !it.oversize() {
		return append(append(dst, notify.Describe(it.frame)...), '\n')
	}
	if it.name != nil {
		dst = append(append(dst, quote.Name(it.name)...), "  "...)
	}
	if it.deep {
		return fmt.Appendf(dst, "not looked into: nested more than %d levels deep\n", parser.DefaultMaxDepth)
	}
	return fmt.Appendf(dst, "not looked into: larger than --max-frame %s\n", &l.MaxFrame)
}

func (l *listing) end(int64) error { return nil }
func (l *listing) close() error    { return nil }
