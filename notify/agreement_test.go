package notify_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// longest is the maximum length of a line in bytes.
const longest = 6 << 10

// causes are the causes of a ShapeError.
var causes = []error{notify.ErrFamily, notify.ErrMissing, notify.ErrExtra, notify.ErrType, notify.ErrEndpoint, notify.ErrSlots}

// disagreement parses the frame that wire begins with, if any, as a push of every family in turn. It describes how the
// views or the lines differ from what they should be. element is that of the error for the frame's own family.
func disagreement(wire []byte) (element int, d string) {
	f, n, err := parser.Parse(wire)
	if err != nil {
		return 0, ""
	}
	tree := oracle.Parse(wire[:n], oracle.Limits{}).Tree
	before := string(wire[:n])
	own, _ := tree.Name()
	for family, parse := range views {
		got, err := parse(f)
		if want, ok := wanted(tree, family); ok != (err == nil) {
			return 0, fmt.Sprintf("as %s: %v, want ok %t", family, err, ok)
		} else if ok && got.dump() != want {
			return 0, fmt.Sprintf("as %s: got %s\nwant %s", family, got.dump(), want)
		}
		if d := oddLine(got.String()); d != "" {
			return 0, fmt.Sprintf("%s: %q", d, got.String())
		}
		if err == nil {
			if line := notify.Describe(f); f.Attributes().Len() == 0 && line != got.String() {
				return 0, fmt.Sprintf("described as %q, not %q", line, got.String())
			}
			continue
		}
		e, d := oddError(err, f, family)
		if d != "" {
			return 0, fmt.Sprintf("%s: %v", d, err)
		}
		if family == familyOf(own) {
			element = e
		}
	}
	if d := oddLine(notify.Describe(f)); d != "" {
		return 0, fmt.Sprintf("%s: %q", d, notify.Describe(f))
	}
	if got := f.Raw(); string(got) != before {
		return 0, "the frame has changed"
	}
	return element, ""
}

// oddLine describes what is wrong with a line, if anything.
func oddLine(line string) string {
	switch {
	case line == "":
		return "nothing"
	case len(line) > longest:
		return "a line of " + strconv.Itoa(len(line)) + " bytes"
	case !utf8.ValidString(line):
		return "no UTF-8"
	}
	for _, r := range line {
		if !strconv.IsPrint(r) {
			return "not printable"
		}
	}
	return ""
}

// oddError describes what is wrong with the error for f as a push of a family, if anything. It returns the element of the
// error.
func oddError(err error, f parser.Frame, family notify.Family) (element int, d string) {
	var e *notify.ShapeError
	switch known := notify.FamilyOf(f.Name()); {
	case !errors.As(err, &e) || !slices.Contains(causes, e.Err) || e.Family != family:
		return 0, "another error"
	case errors.Is(err, notify.ErrFamily) != (known != family):
		return 0, "another cause"
	case known == notify.FamilyUnknown && e.Push != "", known != notify.FamilyUnknown && string(e.Push) != string(f.Name()):
		return 0, "another push"
	case (e.Element == 0) != (known != family), e.Element > f.Len(), e.Element == f.Len() && e.Err != notify.ErrMissing && f.Len() > 0:
		return 0, "another element"
	}
	return e.Element, ""
}

func TestShapesAgreeWithTheOracle(t *testing.T) {
	for _, all := range shapes() {
		for _, s := range all {
			_, d := disagreement(s.bytes())
			require.Empty(t, d, "%q", s.wire)
		}
	}
}

// The test cuts every push at every byte. The rest is never a frame.
func TestShapesCutAreNoFrames(t *testing.T) {
	for _, all := range shapes() {
		for _, s := range all {
			wire := s.bytes()
			for n := range wire {
				_, _, err := parser.Parse(wire[:n])
				require.Equal(t, parser.ErrIncomplete, err, "%q", wire[:n])
			}
		}
	}
}

// The test replaces each byte of every push with other bytes, and leaves it out. This takes long, so it makes one in five
// of these changes, and one in 17 with the race detector. The fuzz targets see the others.
func TestShapesWithOtherBytesAgreeWithTheOracle(t *testing.T) {
	turn, every := 0, 5
	if race.Enabled {
		every = 17
	}
	skips := func() bool {
		turn++
		return turn%every != 0
	}
	others := []byte("0123456789-+$*:_=~%>|,#(!.;?\r\n\x00\xff anNu[]<")
	for _, all := range shapes() {
		for _, s := range all {
			wire := s.bytes()
			for i, c := range wire {
				for _, wire[i] = range others {
					if skips() {
						continue
					}
					_, d := disagreement(wire)
					require.Empty(t, d, "%q", wire)
				}
				wire[i] = c
				_, d := disagreement(slices.Delete(bytes.Clone(wire), i, i+1))
				require.Empty(t, d, "%q without byte %d", wire, i)
			}
		}
	}
}

// elements are the elements that TestShapesWithOtherElementsAgreeWithTheOracle puts in the place of others.
var elements = []string{
	"_\r\n", "$-1\r\n", "*-1\r\n", ":0\r\n", ":-1\r\n", ":16383\r\n", ":16384\r\n", "(1\r\n", ",1\r\n", "#t\r\n", "-ERR\r\n", "!3\r\nERR\r\n",
	"$0\r\n\r\n", "$1\r\n7\r\n", "+1-2\r\n", "+2-1\r\n", "$3\r\na:1\r\n", "+null\r\n", "=9\r\ntxt:<nil>\r\n", "$?\r\n;1\r\n1\r\n;1\r\n2\r\n;0\r\n",
	"*0\r\n", "*1\r\n+a\r\n", "*2\r\n+a\r\n+1\r\n", "*3\r\n+a\r\n+b\r\n+1\r\n", "*1\r\n*2\r\n+a\r\n+1\r\n", "*?\r\n+a\r\n.\r\n",
	"~1\r\n+a\r\n", "%1\r\n+a\r\n+1\r\n", "|1\r\n+a\r\n+b\r\n:1\r\n", ">1\r\n+p\r\n+a\r\n", "*1\r\n_\r\n",
}

// The test leaves out, repeats and replaces the elements of every push, at every depth. A change of an element affects
// nothing before it.
func TestShapesWithOtherElementsAgreeWithTheOracle(t *testing.T) {
	for _, all := range shapes() {
		for _, s := range all {
			wire := s.bytes()
			tree := oracle.Parse(wire, oracle.Limits{}).Tree
			for i := range tree.Children {
				change(t, wire, tree, i, s.cause == nil, i)
			}
		}
	}
}

// change changes child i of n and everything in it. The child is in an element of wire, and good says that wire itself is
// good.
func change(t *testing.T, wire []byte, n *oracle.Node, i int, good bool, element int) {
	if n.Type != '>' && n.Type != '*' || n.Streamed {
		return
	}
	var before, after []byte
	for j, c := range n.Children {
		switch text := wire[c.Start:c.End]; {
		case j < i:
			before = append(before, text...)
		case j > i:
			after = append(after, text...)
		}
	}
	at := n.Start
	if a := n.Attribute(); a != nil {
		at = a.End
	}
	own := string(wire[n.Children[i].Start:n.Children[i].End])
	for _, other := range append([]string{"", own + own}, elements...) {
		count := len(n.Children)
		switch other {
		case "":
			count--
		case own + own:
			count++
		}
		changed := fmt.Appendf(bytes.Clone(wire[:at]), "%c%d\r\n%s%s%s%s", n.Type, count, before, other, after, wire[n.End:])
		_, _, err := parser.Parse(changed)
		require.NoError(t, err, "%q", changed)
		at, d := disagreement(changed)
		require.Empty(t, d, "%q", changed)
		require.False(t, good && at != 0 && at < element, "%q: element %d", changed, at)
	}
	for j := range n.Children[i].Children {
		change(t, wire, n.Children[i], j, good, element)
	}
}
