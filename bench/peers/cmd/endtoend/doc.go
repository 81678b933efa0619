//go:build linux

// Command endtoend measures what pushes cost a client of a real redis-server on
// the loopback interface. It measures the processor time per push while the
// server publishes and invalidates flat out, and the latency from sending to
// the handler at a fixed rate.
//
//	go run ./cmd/endtoend
//
// The command starts the server itself. Each client is a process of its own, so
// user and system time are the client's alone. All clients have read buffers of
// 32 KiB. The client called read only reads. Its cost is that of the kernel and
// the scheduler, and whatever another client costs beyond it is that client's
// own. Four clients break down the cost of respush:
//
//	scan            only finds the pushes
//	respush-counts  has Serve call handlers that read only the last text
//	respush-values  reads all texts with package parser
//	respush         reads all texts through package notify
//
// There are three modes of sending pushes:
//
//	live     the client reads while they are being sent; a fast client catches
//	         up, and then reads little at a time
//	backlog  all have been sent when the client begins, so it reads as much as
//	         it can at a time
//	paced    at a fixed rate; each push carries the time it was sent at
//
// Messages have payloads of 64 bytes. Invalidations have keys of 16 bytes. They
// come in broadcasting mode, in which the server puts all keys that change in
// one round of its event loop into one push, so they are counted by key.
//
// Each client is measured several times, in turn with the others. The tables
// show the round that was disturbed least: the one with the least processor
// time or, at a fixed rate, the least p99. The kernel samples how processor
// time divides into user and system time, so that division is coarse where
// there is little of it. The sum is exact.
//
// The command needs redis-server and Linux, whose timers are fine enough for
// the pace.
package main
