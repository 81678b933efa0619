package oracle

import (
	"slices"
	"strconv"
)

// Node is one value of a frame. Its bytes, including the attributes before it,
// are in[Start:End] of the parsed slice. Text borrows that slice, unless the
// string was streamed.
type Node struct {
	Type       byte    // the type byte; '_' for the nulls $-1 and *-1 too
	Text       []byte  // of a scalar, as on the wire; of a verbatim string, including its format
	Children   []*Node // the elements of an aggregate; keys and values in turn for % and |
	Attributes []*Node // the attributes before the value, in wire order; each a Node of type '|'
	Pushes     []*Node // the out-of-band pushes between the children
	Streamed   bool    // $? *? ~? or %?
	Start, End int
}

// Null reports whether n is a null in any of its spellings.
func (n *Node) Null() bool { return n.Type == '_' }

// Aggregate reports whether n has children rather than text.
func (n *Node) Aggregate() bool {
	switch n.Type {
	case '*', '~', '%', '>', '|':
		return true
	}
	return false
}

// Attribute returns all the attributes before n as one node of type '|', or nil
// if there are none.
func (n *Node) Attribute() *Node {
	switch len(n.Attributes) {
	case 0:
		return nil
	case 1:
		return n.Attributes[0]
	}
	all := &Node{Type: '|', Start: n.Attributes[0].Start, End: n.Attributes[len(n.Attributes)-1].End}
	for _, a := range n.Attributes {
		all.Children = append(all.Children, a.Children...)
		all.Pushes = append(all.Pushes, a.Pushes...)
	}
	return all
}

// Content returns the text, without the format of a verbatim string.
func (n *Node) Content() []byte {
	if n.Type == '=' {
		return n.Text[4:]
	}
	return n.Text
}

// Name returns the name of a push, which is the text of its first element if
// that is a string, without the format of a verbatim string. ok is false if n
// is not a push or has no name.
func (n *Node) Name() (name []byte, ok bool) {
	if n.Type != '>' || len(n.Children) == 0 {
		return nil, false
	}
	switch first := n.Children[0]; first.Type {
	case '$', '+', '=':
		return first.Content(), true
	}
	return nil, false
}

// NestedPushes returns the pushes inside n and its attributes, at any depth, in
// the order of their first bytes. If attributes precede a push, its first byte
// is theirs.
func (n *Node) NestedPushes() []*Node {
	all := n.collect(nil)
	slices.SortStableFunc(all, func(a, b *Node) int { return a.Start - b.Start })
	return all
}

// collect appends the pushes inside n and its attributes to all.
func (n *Node) collect(all []*Node) []*Node {
	for _, a := range n.Attributes {
		all = a.collect(all)
	}
	for _, c := range n.Children {
		all = c.collect(all)
	}
	for _, p := range n.Pushes {
		all = p.collect(append(all, p))
	}
	return all
}

// String renders the frame n: its value as [Node.Append] does, then " !" and a
// rendering for each nested push, in the order of [Node.NestedPushes].
func (n *Node) String() string {
	b := n.Append(nil)
	for _, p := range n.NestedPushes() {
		b = append(b, " !"...)
		b = p.Append(b)
	}
	return string(b)
}

// Append renders n without the pushes nested in it: attributes as |[k v] before
// the value, aggregates as *[a b] ~[a b] %[k v] >[a b], strings and errors as
// their type byte and the text quoted as Go does ($"x" +"x" -"x" !"x"
// ="txt:x"), numbers and booleans as on the wire (:1 (1 ,1.5 #t), every null as
// _. Streamed values look like others.
func (n *Node) Append(b []byte) []byte {
	if a := n.Attribute(); a != nil {
		b = a.Append(b)
	}
	switch n.Type {
	case '_':
		return append(b, '_')
	case '+', '-', '$', '!', '=':
		return strconv.AppendQuote(append(b, n.Type), string(n.Text))
	case ':', '(', ',', '#':
		return append(append(b, n.Type), n.Text...)
	}
	b = append(b, n.Type, '[')
	for i, c := range n.Children {
		if i > 0 {
			b = append(b, ' ')
		}
		b = c.Append(b)
	}
	return append(b, ']')
}
