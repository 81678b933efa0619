// Package captures gives tests the real server-to-client streams in testdata/captures: Redis 7.0.15 alone, in a cluster
// and behind go-redis, miniredis, and a proxy that injects maintenance pushes. Each stream comes with the counts of a
// parser that shares no code with this module.
//
//	for _, c := range captures.All(t) {
//		rd := parser.NewReader(captures.NewPieces(c.Bytes, 7))
//		// c.Pushes frames that rd gives must be pushes, and so on
//	}
//
// Only tests import it.
package captures
