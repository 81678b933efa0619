// Package faults puts a loopback TCP proxy between a client and a server, so
// that a test can disturb their connections.
//
//	p := faults.Start(t, server.Addr)
//	conn, err := net.Dial("tcp", p.Addr)
//	p.Down().Pause() // the client receives nothing more, but the connection stays up
//	p.Down().Resume()
//
// Up is the direction from the client to the server, and Down is the other one.
// A fault of a direction applies to every connection, including later ones.
//
// Only tests import it. Every proxy ends with its test.
package faults
