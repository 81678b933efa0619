package vectors_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
)

// parse returns the oracle's result for wire, with the tree rendered
// separately.
func parse(wire string, l oracle.Limits) (r oracle.Result, tree string) {
	r = oracle.Parse([]byte(wire), l)
	if r.Tree != nil {
		tree = r.Tree.String()
		r.Tree = nil
	}
	return r, tree
}

// check checks the oracle against one case.
func check(t *testing.T, c vectors.Case) {
	t.Helper()
	got, tree := parse(c.Wire, c.Limits)
	if got != c.Result() || (got.Verdict == oracle.OK && tree != c.Want.String()) {
		t.Errorf("%s: %.200q\nwant %+v %s\ngot  %+v %s", c.Name, c.Wire, c.Result(), c.Want.String(), got, tree)
	}
}

// TestOracleKnowsWhichTextIsOdd asks the oracle for the value of every case.
// Most cases do not record map keys that are aggregates, so the test accepts
// ErrMapKey where a case expects no cause.
func TestOracleKnowsWhichTextIsOdd(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict == oracle.OK {
			_, cause := oracle.Parse([]byte(c.Wire), c.Limits).Tree.Any()
			if cause != oracle.ErrMapKey || c.Want.Odd != "" {
				require.Equal(t, c.Want.Odd, cause, c.Name)
			}
		}
	}
}

func TestCasesAreManyAndNamed(t *testing.T) {
	cases := vectors.Cases()
	require.GreaterOrEqual(t, len(cases), 320)
	t.Logf("%d cases, %d placed", len(cases), len(vectors.Placed()))
	names := map[string]bool{}
	wires := map[string]string{}
	for _, c := range cases {
		require.NotEmpty(t, c.Name)
		require.NotContains(t, c.Name, " ", c.Name)
		require.NotContains(t, c.Name, "@", c.Name)
		require.False(t, names[c.Name], "name %s twice", c.Name)
		names[c.Name] = true
		if c.Limits == (oracle.Limits{}) {
			wires[c.Wire] += " " + c.Name
		}
	}
	for wire, in := range wires {
		// Failures and known pushes may repeat the wire of another group.
		require.LessOrEqual(t, strings.Count(in, " "), 2, "%.80q is in%s", wire, in)
	}
}

func TestOracleAgreesWithEveryCase(t *testing.T) {
	for _, c := range vectors.Cases() {
		check(t, c)
	}
}

func TestOracleAgreesWithEveryPlacedCase(t *testing.T) {
	placed := vectors.Placed()
	require.Greater(t, len(placed), 5000)
	for _, c := range placed {
		check(t, c)
	}
}

// TestEveryVerdictCauseAndLimitIsReached checks that the table is complete.
func TestEveryVerdictCauseAndLimitIsReached(t *testing.T) {
	count := map[string]int{}
	for _, c := range vectors.Cases() {
		count[c.Want.Verdict.String()]++
		count[c.Want.Cause]++
		count[c.Want.Odd]++
		count[c.Want.Limit]++
	}
	for _, name := range []string{
		"ok", "incomplete", "syntax", "limit",
		oracle.ErrType, oracle.ErrLength, oracle.ErrTerminator, oracle.ErrNull, oracle.ErrVerbatim, oracle.ErrChunk, oracle.ErrEnd, oracle.ErrNumber, oracle.ErrBoolean, oracle.ErrRange,
		oracle.MaxFrame, oracle.MaxBulk, oracle.MaxElements, oracle.MaxDepth,
	} {
		require.GreaterOrEqual(t, count[name], 9, name)
	}
}

// step returns the distance between two cuts of a wire. It is one, except for
// very long wires.
func step(c vectors.Case) int {
	if len(c.Wire) > 4<<10 {
		return 97
	}
	return 1
}

// TestStrictPrefixesAreIncomplete cuts frames everywhere. A strict prefix is
// never an error and never a frame.
func TestStrictPrefixesAreIncomplete(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict != oracle.OK && c.Want.Verdict != oracle.Incomplete {
			continue
		}
		for n := range len(c.Wire) - c.Want.Behind {
			got, _ := parse(c.Wire[:n], c.Limits)
			require.Equal(t, oracle.Result{Verdict: oracle.Incomplete}, got, "%s cut at %d", c.Name, n)
		}
	}
}

// TestErrorsComeWithTheirByte cuts malformed frames everywhere. A cut before
// the byte that breaks a rule is incomplete, and every later cut gives the same
// error. The only exception is a verbatim string that is too short for its
// format, which shows only at the end of its header.
func TestErrorsComeWithTheirByte(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict != oracle.Syntax {
			continue
		}
		first := int(c.Want.Offset)
		for n := 0; n <= len(c.Wire); n += step(c) {
			got, _ := parse(c.Wire[:n], c.Limits)
			if n > first && got.Verdict == oracle.Incomplete && c.Want.Cause == oracle.ErrVerbatim && !strings.Contains(c.Wire[first:n], "\n") {
				continue
			}
			if n <= first {
				require.Equal(t, oracle.Incomplete, got.Verdict, "%s cut at %d", c.Name, n)
			} else {
				require.Equal(t, c.Result(), got, "%s cut at %d", c.Name, n)
			}
		}
	}
}

// TestLimitsDecideOnce cuts frames that exceed a limit. Cuts are incomplete up
// to some byte, and exceed the same limit from there on.
func TestLimitsDecideOnce(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict != oracle.OverLimit {
			continue
		}
		over := false
		for n := 0; n <= len(c.Wire); n += step(c) {
			got, _ := parse(c.Wire[:n], c.Limits)
			if over || got.Verdict == oracle.OverLimit {
				over = true
				require.Equal(t, c.Result(), got, "%s cut at %d", c.Name, n)
				continue
			}
			require.Equal(t, oracle.Incomplete, got.Verdict, "%s cut at %d", c.Name, n)
		}
		require.True(t, over, c.Name)
	}
}

// TestBytesBehindChangeNothing appends all sorts of bytes to wires that are not
// incomplete.
func TestBytesBehindChangeNothing(t *testing.T) {
	for _, c := range vectors.Cases() {
		if c.Want.Verdict == oracle.Incomplete {
			continue
		}
		want := c.Result()
		for _, behind := range []string{"\r", "\n", "\r\n", ".\r\n", ";0\r\n", "|1\r\n", ">1\r\n+p\r\n", "+OK\r\n", "0", "\x00\xff"} {
			got, tree := parse(c.Wire+behind, c.Limits)
			require.Equal(t, want, got, "%s with %q behind", c.Name, behind)
			if want.Verdict == oracle.OK {
				require.Equal(t, c.Want.String(), tree, c.Name)
			}
		}
	}
}
