package vectors

import (
	"slices"

	"github.com/seed79615202/respush/internal/test/oracle"
)

// Case is one wire literal, the limits it is read under, and the outcome that a
// parser must reach. Names are unique.
type Case struct {
	Name   string
	Wire   string
	Limits oracle.Limits // the zero value means the defaults
	Want   Want
}

// Want is the outcome of one case. Verdict says which of the fields count:
// Tree, Pushes, Behind and Odd for oracle.OK; Cause and Offset for
// oracle.Syntax; Limit, Max, Got and Offset for oracle.OverLimit.
type Want struct {
	Verdict oracle.Verdict
	Tree    string   // the frame as oracle.Node.Append renders it
	Pushes  []string // the pushes nested in the frame, in order, each rendered like Tree
	Behind  int      // bytes of Wire after the frame
	Odd     string   // why Any has no value for the frame; empty if it has one
	Cause   string
	Limit   string
	Max     int64
	Got     int64
	Offset  int64
}

// N returns the length of the frame in c. The verdict of c must be oracle.OK.
func (c Case) N() int { return len(c.Wire) - c.Want.Behind }

// String renders the whole frame as oracle.Node.String does.
func (w Want) String() string {
	s := w.Tree
	for _, p := range w.Pushes {
		s += " !" + p
	}
	return s
}

// Result returns the outcome as an oracle.Result, without its tree.
func (c Case) Result() oracle.Result {
	w := c.Want
	r := oracle.Result{Verdict: w.Verdict, Cause: w.Cause, Offset: w.Offset, Limit: w.Limit, Max: w.Max, Got: w.Got}
	if w.Verdict == oracle.OK {
		r.N = c.N()
	}
	return r
}

// Cases returns the whole table, in a new slice.
func Cases() []Case {
	return slices.Concat(
		simpleCases, bulkCases, nullCases, integerCases, bigNumberCases, doubleCases, booleanCases,
		oddDoubleCases, oddNumberCases, oddBooleanCases, badScalarCases,
		typeCases, lineCases, terminatorCases, misplacedCases,
		bulkLengthCases, aggregateLengthCases, otherLengthCases,
		arrayCases, deepCases, mapCases, attributeCases, pushPlaceCases, placeCases,
		knownPushCases, maintenanceCases, strangePushCases,
		plainCases, nestedCases, nestedElsewhereCases, nestedErrorCases,
		streamedStringCases, streamedAggregateCases, streamedErrorCases,
		maxBulkCases, maxFrameCases, maxElementsCases, maxDepthCases, limitOrderCases, wideCases(),
		failureCases, routingCases,
	)
}

// def is the zero Limits, which means the defaults.
var def oracle.Limits

// ok expects the whole wire to be one frame.
func ok(tree string, pushes ...string) Want {
	return Want{Verdict: oracle.OK, Tree: tree, Pushes: pushes}
}

// odd expects the whole wire to be one frame for which Any has no value.
func odd(tree, cause string) Want {
	return Want{Verdict: oracle.OK, Tree: tree, Odd: cause}
}

// behind returns w for a wire whose last n bytes come after the frame.
func (w Want) behind(n int) Want {
	w.Behind = n
	return w
}

// more expects the wire to be incomplete.
func more() Want { return Want{Verdict: oracle.Incomplete} }

// bad expects the byte at offset to break a rule.
func bad(cause string, offset int64) Want {
	return Want{Verdict: oracle.Syntax, Cause: cause, Offset: offset}
}

// over expects the item at offset to exceed a limit.
func over(limit string, most, got, offset int64) Want {
	return Want{Verdict: oracle.OverLimit, Limit: limit, Max: most, Got: got, Offset: offset}
}

// Short names of the causes and limits, so that a case fits on a line.
const (
	errType       = oracle.ErrType
	errLength     = oracle.ErrLength
	errTerminator = oracle.ErrTerminator
	errNull       = oracle.ErrNull
	errVerbatim   = oracle.ErrVerbatim
	errChunk      = oracle.ErrChunk
	errEnd        = oracle.ErrEnd

	errNumber  = oracle.ErrNumber
	errBoolean = oracle.ErrBoolean
	errRange   = oracle.ErrRange
	errMapKey  = oracle.ErrMapKey

	maxFrame    = oracle.MaxFrame
	maxBulk     = oracle.MaxBulk
	maxElements = oracle.MaxElements
	maxDepth    = oracle.MaxDepth
)
