package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"

	"github.com/seed79615202/respush/cmd/respush/internal/jsonline"
	"github.com/seed79615202/respush/cmd/respush/internal/tally"
	"github.com/seed79615202/respush/parser"
)

// A group counts frames and their bytes.
type group struct {
	count int
	bytes uint64
}

func (g *group) add(size int64) {
	g.count++
	g.bytes += uint64(size)
}

func (g *group) addGroup(other group) {
	g.count += other.count
	g.bytes += other.bytes
}

// Totals are the counts of one or more inputs.
//
// Invariant: pushes and replies together are all frames, including those of
// oversize. named is the sum of pushes and nested.
type totals struct {
	pushes     group // between replies
	nested     group // inside other frames
	replies    group
	oversize   group // not searched for nested pushes
	attributes int   // the number of values that have attributes
	tail       int64 // bytes of frames that are cut short
	named      tally.Tally
}

// frame counts a frame and the pushes inside it.
func (t *totals) frame(f parser.Frame) {
	size := int64(len(f.Raw()))
	if f.IsPush() {
		t.pushes.add(size)
		t.named.AddFrame(f)
	} else {
		t.replies.add(size)
	}
	t.countAttributes(f)
	for push := range f.NestedPushes() {
		t.nested.add(int64(len(push.Raw())))
		t.named.AddFrame(push)
		t.countAttributes(push)
	}
}

// large counts a frame that is too large or too deep to be decoded.
func (t *totals) large(it item) {
	t.oversize.add(it.size)
	if it.typ == parser.TypePush {
		t.pushes.add(it.size)
		t.named.Add(it.name, uint64(it.size))
	} else {
		t.replies.add(it.size)
	}
}

// add adds the counts of other.
func (t *totals) add(other *totals) {
	t.pushes.addGroup(other.pushes)
	t.nested.addGroup(other.nested)
	t.replies.addGroup(other.replies)
	t.oversize.addGroup(other.oversize)
	t.attributes += other.attributes
	t.tail += other.tail
	t.named.AddTally(&other.named)
}

// countAttributes counts the values of a frame that have attributes. It leaves
// out the values in pushes inside the frame.
func (t *totals) countAttributes(f parser.Frame) {
	if bytes.IndexByte(f.Raw(), byte(parser.TypeAttribute)) < 0 {
		return // the rule, and cheaper than a walk
	}
	if f.Attributes().Type() == parser.TypeAttribute {
		t.attributes++
	}
	t.countInner(f.Value())
}

// countInner is recursive. The parser's limit on nesting bounds its depth.
func (t *totals) countInner(v parser.Value) {
	if v.Attributes().Type() == parser.TypeAttribute {
		t.attributes++
	}
	for child := range v.All() {
		t.countInner(child)
	}
}

// write writes the totals of an input as a table.
func (t *totals) write(out io.Writer, name string) error {
	frames := t.pushes
	frames.addGroup(t.replies)
	_, err := fmt.Fprintf(out, "--- %s: %s in %s\n", name,
		tally.CountOf(frames.count, "frame", "frames"), tally.CountOf(frames.bytes, "byte", "bytes"))
	if err != nil {
		return err
	}
	table := tally.NewTable(out)
	table.Row(t.pushes.count, t.pushes.bytes, "pushes")
	table.Row(t.nested.count, t.nested.bytes, "nested pushes")
	table.Row(t.replies.count, t.replies.bytes, "replies")
	table.Count(uint64(t.attributes), "attributes")
	if t.oversize.count > 0 {
		table.Row(t.oversize.count, t.oversize.bytes, "too large or too deep, not looked into")
	}
	if t.tail > 0 {
		fmt.Fprintf(table, "\t\t%s\t  of a frame that is cut short\n", humanize.Bytes(uint64(t.tail)))
	}
	if t.named.Pushes > 0 {
		fmt.Fprintf(table, "\t\t\t  pushes by name:\n")
	}
	table.Tally(&t.named)
	return table.Flush()
}

// A nameLine counts the pushes of one name in JSON.
type nameLine struct {
	Name   json.RawMessage `json:"name"`             // null for pushes without a name
	Others bool            `json:"others,omitempty"` // of all names without a line of their own
	Pushes int             `json:"pushes"`
	Bytes  uint64          `json:"bytes"`
}

// writeJSON writes the totals of an input as a line.
func (t *totals) writeJSON(out io.Writer, name string) error {
	line := struct {
		File         json.RawMessage `json:"file"`
		Bytes        uint64          `json:"bytes"` // of whole frames
		Frames       int             `json:"frames"`
		Pushes       int             `json:"pushes"`
		NestedPushes int             `json:"nested_pushes"`
		Replies      int             `json:"replies"`
		Attributes   int             `json:"attributes"`
		Oversize     int             `json:"oversize"`
		TailBytes    int64           `json:"tail_bytes"`
		Names        []nameLine      `json:"names"`
	}{
		File:  jsonline.Text(nil, []byte(name)),
		Bytes: t.pushes.bytes + t.replies.bytes, Frames: t.pushes.count + t.replies.count,
		Pushes: t.pushes.count, NestedPushes: t.nested.count, Replies: t.replies.count,
		Attributes: t.attributes, Oversize: t.oversize.count, TailBytes: t.tail,
		Names: []nameLine{},
	}
	for _, r := range t.named.Rows() {
		n := nameLine{Others: r.Others, Pushes: r.Pushes, Bytes: r.Bytes}
		if r.Name != nil {
			n.Name = jsonline.Text(nil, r.Name)
		}
		line.Names = append(line.Names, n)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(line)
}
