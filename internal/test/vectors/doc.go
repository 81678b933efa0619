// Package vectors holds what the parser is tested with: hand-written wire literals and what must come of each
// ([Cases]), the same literals put at every place a value may stand ([Placed]), frames built from random bytes
// ([Generate]) and captured streams ([Captures]).
//
//	for _, c := range vectors.Cases() {
//		f, n, err := parser.Parse([]byte(c.Wire))
//		// c.Want says which of the four outcomes this must be
//	}
//
// Only tests import it. The oracle is held to the same table, so a case on which parser and oracle agree but the table
// does not is a mistake in the table, and the wire's rules decide.
package vectors
