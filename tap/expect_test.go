package tap_test

import (
	"math"
	"slices"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/parser"
)

// expected is what a Conn must make of a stream, as far as the oracle can tell.
type expected struct {
	left   []byte   // what is to be read
	pushes []string // what is to be delivered, as it is on the wire
	tail   bool     // the stream ends inside a frame, which may add to both
	err    error    // a *parser.SyntaxError or *parser.LimitError; the frame it is for may add to both, too
	either bool     // err, or a *parser.LimitError
	open   bool     // of what follows the oracle cannot tell what it is
}

// unlimited is how replies are read.
var unlimited = oracle.Limits{MaxFrame: math.MaxInt, MaxBulk: math.MaxInt, MaxElements: math.MaxInt, MaxDepth: math.MaxInt}

// causes are those of the oracle in the parser's words.
var causes = map[string]error{
	oracle.ErrType: parser.ErrType, oracle.ErrLength: parser.ErrLength, oracle.ErrTerminator: parser.ErrTerminator,
	oracle.ErrNull: parser.ErrNull, oracle.ErrVerbatim: parser.ErrVerbatim, oracle.ErrChunk: parser.ErrChunk, oracle.ErrEnd: parser.ErrEnd,
}

// expect asks the oracle about stream. Pushes are under the default limits; keep says that those of publish and subscribe
// stay between replies.
func expect(stream []byte, keep bool) (e expected) {
	for at := 0; at < len(stream); {
		frame := stream[at:]
		free, bound := oracle.Parse(frame, unlimited), oracle.Parse(frame, oracle.Limits{})
		push := frame[0] == '>'
		if frame[0] == '|' {
			if free.Verdict != oracle.OK {
				e.open = true // a push or a reply
				return e
			}
			push = free.Tree.Type == '>'
			if early := bound.Verdict == oracle.OverLimit && bound.Offset < int64(bare(free.Tree).Start); !push && early {
				free = bound
			}
		}
		found := free
		if push {
			found = bound
		}
		if found.Verdict != oracle.OK {
			e.open = found.Max == math.MaxInt // beyond what can be counted, for the oracle earlier than for Pass
			e.either = e.either || bound.Verdict == oracle.OverLimit
			e.tail, e.err = found.Verdict == oracle.Incomplete, failure(found, at)
			return e
		}
		frame = frame[:found.N]
		if push {
			e.push(frame, found.Tree, keep)
		} else if !e.reply(frame, found.Tree, at) {
			return e
		}
		at += found.N
	}
	return e
}

// push expects a push between replies.
func (e *expected) push(frame []byte, tree *oracle.Node, keep bool) {
	if name, ok := tree.Name(); keep && ok && parser.IsPubSub(name) {
		e.left = append(e.left, frame...)
		return
	}
	e.deliver(frame, tree)
}

// deliver expects a push and those inside it to be delivered.
func (e *expected) deliver(frame []byte, tree *oracle.Node) {
	e.pushes = append(e.pushes, string(frame[tree.Start:tree.End]))
	for _, p := range tree.NestedPushes() {
		e.pushes = append(e.pushes, string(frame[p.Start:p.End]))
	}
}

// reply expects a reply, at an offset in the stream, without the pushes inside it. It reports whether the stream goes on.
func (e *expected) reply(frame []byte, tree *oracle.Node, at int) bool {
	from := 0
	var left []byte
	pushes := inside(tree, nil)
	for _, p := range pushes {
		left = append(left, frame[from:p.Start]...)
		from = p.End
	}
	left = append(left, frame[from:]...)
	for _, wire := range [][]byte{frame, left} {
		if oracle.Parse(wire, oracle.Limits{MaxDepth: parser.DefaultMaxDepth}).Limit == oracle.MaxDepth {
			e.either = true // streamed aggregates cannot be counted with what is around them
		}
	}
	for _, p := range pushes {
		if r := oracle.Parse(frame[p.Start:p.End], oracle.Limits{}); r.Verdict != oracle.OK {
			e.err = failure(r, at+p.Start)
			break
		}
		e.deliver(frame, p)
	}
	if e.err == nil {
		e.left = append(e.left, left...)
	}
	return e.err == nil
}

// inside appends the pushes that are inside n and its attributes, and not inside each other, in wire order and without
// the attributes before them.
func inside(n *oracle.Node, all []*oracle.Node) []*oracle.Node {
	for _, a := range n.Attributes {
		all = inside(a, all)
	}
	for _, c := range n.Children {
		all = inside(c, all)
	}
	for _, p := range n.Pushes {
		for _, a := range p.Attributes {
			all = inside(a, all)
		}
		all = append(all, bare(p))
	}
	slices.SortFunc(all, func(a, b *oracle.Node) int { return a.Start - b.Start })
	return all
}

// bare returns n without its attributes.
func bare(n *oracle.Node) *oracle.Node {
	b := *n
	if last := len(n.Attributes) - 1; last >= 0 {
		b.Start, b.Attributes = n.Attributes[last].End, nil
	}
	return &b
}

// failure is the error for a result; the frame is at an offset in the stream.
func failure(r oracle.Result, at int) error {
	switch r.Verdict {
	case oracle.Syntax:
		return &parser.SyntaxError{Offset: int64(at) + r.Offset, Err: causes[r.Cause]}
	case oracle.OverLimit:
		return &parser.LimitError{Limit: r.Limit, Max: r.Max, Got: r.Got, Offset: int64(at) + r.Offset}
	}
	return nil
}
