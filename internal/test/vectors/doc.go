// Package vectors holds the test data of the parser: hand-written wire literals and the outcome of each ([Cases]), the
// same literals at every place where a value may stand ([Placed]), frames built from random bytes ([Generate]), and
// captured streams ([Captures]).
//
//	for _, c := range vectors.Cases() {
//		f, n, err := parser.Parse([]byte(c.Wire))
//		// c.Want says which of the four outcomes this must be
//	}
//
// Only tests import it. The oracle is tested with the same table. If parser and oracle agree on a case but the table
// differs, the table is probably wrong, and the rules of the wire format decide.
package vectors
