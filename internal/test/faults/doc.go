// Package faults puts a loopback TCP proxy between a client and a server, and
// lets a test break what passes.
//
//	p := faults.Start(t, server.Addr)
//	conn, err := net.Dial("tcp", p.Addr)
//	p.Down().Pause() // the client hears nothing more, and the connection stays up
//	p.Down().Resume()
//
// Up is the direction from the client to the server, Down the other one. What
// is set for a direction holds for every connection, also for later ones.
//
// Only tests import it. Every proxy ends with its test.
package faults
