// Package redistest runs a real redis-server for a test and talks to it.
//
//	s := redistest.Start(t)
//	c := s.Dial(t)
//	c.Do("SET", "k", "v")
//
// Only tests import it. Every server and connection ends with its test.
package redistest
