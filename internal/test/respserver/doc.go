// Package respserver is a RESP server whose answers a test writes, for what no
// real server does here.
//
//	s := respserver.Start(t)
//	s.Handle("CLIENT TRACKING", func(c *respserver.Conn, cmd []string) {
//		c.Write("-NOPERM no\r\n")
//	})
//	commands := s.Events()
//	// ... a client dials s.Addr
//	respserver.Await(t, commands, "CLIENT TRACKING").Conn.Push("invalidate", nil)
//
// It knows the commands that set up a connection for pushes, and nothing of
// keys. Only tests import it. Every server and connection ends with its test.
package respserver
