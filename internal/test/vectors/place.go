package vectors

import (
	"slices"

	"github.com/seed79615202/respush/internal/test/oracle"
)

// A place is a frame with a hole where a value may stand. It holds the wire and
// the tree before and after the hole.
type place struct {
	name          string
	before, after string
	open, closed  string
	pushes        []string // nested pushes before the hole
	streamed      bool     // an end marker may stand in the hole
}

var places = []place{
	{"array", "*1\r\n", "", "*[", "]", nil, false},
	{"array-middle", "*3\r\n$1\r\na\r\n", ":1\r\n", `*[$"a" `, " :1]", nil, false},
	{"set", "~1\r\n", "", "~[", "]", nil, false},
	{"map-key", "%1\r\n", "#t\r\n", "%[", " #t]", nil, false},
	{"map-value", "%1\r\n,1.5\r\n", "", "%[,1.5 ", "]", nil, false},
	{"push-name", ">1\r\n", "", ">[", "]", nil, false},
	{"push-element", ">3\r\n+p\r\n", "_\r\n", `>[+"p" `, " _]", nil, false},
	{"attribute-key", "|1\r\n", "+v\r\n:1\r\n", "|[", ` +"v"]:1`, nil, false},
	{"attribute-value", "|1\r\n+k\r\n", ":1\r\n", `|[+"k" `, "]:1", nil, false},
	{"inner-attribute", "*1\r\n|1\r\n+k\r\n", ":1\r\n", `*[|[+"k" `, "]:1]", nil, false},
	{"deep", "*1\r\n~1\r\n%1\r\n+k\r\n*1\r\n", "", `*[~[%[+"k" *[`, "]]]]", nil, false},
	{"after-nested-push", "*1\r\n>1\r\n+n\r\n", "", "*[", "]", []string{`>[+"n"]`}, false},
	{"in-nested-push", "*1\r\n>1\r\n", ":1\r\n", "*[:1]", "", nil, false},
	{"streamed-array", "*?\r\n", ".\r\n", "*[", "]", nil, true},
	{"streamed-set-second", "~?\r\n:1\r\n", ".\r\n", "~[:1 ", "]", nil, true},
	{"streamed-map-key", "%?\r\n", ":1\r\n.\r\n", "%[", " :1]", nil, true},
	{"streamed-map-value", "%?\r\n:1\r\n", ".\r\n", "%[:1 ", "]", nil, true},
}

// Placed returns every case with default limits at each place where a value may
// stand inside a frame: in arrays, sets, maps, pushes and attributes, streamed
// or not. The outcome of a placed case follows from that of the case.
//
// Placed leaves out pushes, which are not elements inside a frame. It leaves
// out cases at or near a limit, since sums depend on the place. At places where
// an end marker is valid, it leaves out the cases about stray end markers.
func Placed() []Case {
	var all []Case
	for _, c := range Cases() {
		if c.Limits != def || c.nearLimit() || c.isPush() {
			continue
		}
		for _, p := range places {
			if !p.streamed || !c.strayEnd() {
				all = append(all, c.at(p))
			}
		}
	}
	return all
}

// nearLimit reports whether c exceeds a limit, or would do so inside another
// value.
func (c Case) nearLimit() bool {
	r := oracle.Parse([]byte(c.Wire), limits{MaxElements: 16<<20 - 16, MaxDepth: 120})
	return r.Verdict == oracle.OverLimit
}

// isPush reports whether the frame of c is a push.
func (c Case) isPush() bool {
	r := oracle.Parse([]byte(c.Wire), c.Limits)
	return r.Verdict == oracle.OK && r.Tree.Type == '>'
}

// strayEnd reports whether c is about an end marker at a wrong place.
func (c Case) strayEnd() bool {
	w := c.Want
	return w.Verdict == oracle.Syntax && w.Cause == errType && c.Wire[w.Offset] == '.'
}

// at returns c with its wire at the place p.
func (c Case) at(p place) Case {
	c.Name += "@" + p.name
	switch w := c.Want; w.Verdict {
	case oracle.OK:
		c.Wire = p.before + c.Wire[:c.N()] + p.after
		if p.name == "in-nested-push" {
			c.Want = ok(p.open, slices.Concat([]string{">[" + w.Tree + "]"}, w.Pushes)...)
			break
		}
		c.Want = ok(p.open+w.Tree+p.closed, slices.Concat(p.pushes, w.Pushes)...)
	case oracle.Incomplete:
		c.Wire = p.before + c.Wire
	case oracle.Syntax:
		c.Wire = p.before + c.Wire + p.after
		c.Want = bad(w.Cause, w.Offset+int64(len(p.before)))
	}
	return c
}
