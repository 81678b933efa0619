//go:build linux

// Command endtoend measures what pushes cost a client of a real redis-server on
// the loopback interface: processor time per push while the server publishes
// and invalidates flat out, and the time from sending to the handler at a fixed
// rate.
//
//	go run ./cmd/endtoend
//
// It starts the server itself, and each client as a process of its own, so that
// user and system time are the client's. All clients read into 32 KiB. The
// client called read only reads: what it costs is the kernel's and the
// scheduler's, and what another one costs beyond it is that client's own. That
// of respush is taken apart: scan only finds the pushes, respush-counts has
// Serve call handlers that read the last text alone, respush-values reads all
// of them with package parser, and respush through package notify. There are
// three ways to be sent pushes:
//
//	live     the client reads while they are being sent; a fast one catches
//	         up, and then reads little at a time
//	backlog  all have been sent when the client begins, so that it reads as
//	         much as it can at a time
//	paced    at a fixed rate; each push carries the time it was sent at
//
// Messages are of 64 bytes. Invalidations are of keys of 16 bytes, in
// broadcasting mode, in which the server puts all keys that a round of its
// event loop has changed into one push: they are counted by key.
//
// Each is measured several times, the clients in turn, and the round told that
// was disturbed least: the one with the least processor time, or at a fixed
// rate the least p99. How processor time divides into user and system is
// sampled by the kernel, and coarse where there is little of it; the sum is
// exact.
//
// It needs Linux, where the clock of the pace is fine enough, and redis-server.
package main
