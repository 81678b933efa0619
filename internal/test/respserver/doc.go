// Package respserver is a RESP server whose answers are written by the test,
// for behaviour that the real servers of the tests do not show.
//
//	s := respserver.Start(t)
//	s.Handle("CLIENT TRACKING", func(c *respserver.Conn, cmd []string) {
//		c.Write("-NOPERM no\r\n")
//	})
//	commands := s.Events()
//	// ... a client dials s.Addr
//	respserver.Await(t, commands, "CLIENT TRACKING").Conn.Push("invalidate", nil)
//
// The server knows the commands that set up a connection for pushes, but no
// commands on keys. Only tests import the package. Every server and connection
// ends with its test.
package respserver
