//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// jobVariable is the environment variable that makes this program a client. It
// holds a job.
const jobVariable = "RESPUSH_ENDTOEND_JOB"

// readBuffer is the size of every client's buffer.
const readBuffer = 32 << 10

// A job tells a client what to do.
type job struct {
	Client string // a key of clients
	Kind   string // the kind of pushes
	Addr   string
	Epoch  int64 // of the clock, in nanoseconds of Unix time
	Paced  bool  // texts carry the time they were sent at
}

// A usage is what a client reports about the time from go to the last push.
type usage struct {
	Pushes              int // that the client saw; the client read reports 0, or one for each of its reads
	Reads, Bytes        int64
	User, System, Wall  time.Duration
	P50, P99, P999, Max time.Duration // of paced pushes, from sending to the handler
	Sent                int           // pushes before the last, not set by the client
}

// disturbed returns a measure of how much other work on the machine disturbed
// the client. It compares usages of one client in one scene.
func (u usage) disturbed() time.Duration {
	if u.P99 > 0 {
		return u.P99
	}
	return u.User + u.System
}

// A client connects through dial, asks for pushes of a kind, and returns when
// the server has answered. Its own goroutine then reads the pushes and gives
// their texts to the recorder.
type client func(j job, dial func(addr string) (net.Conn, error), r *recorder) error

// serve runs a client's process. It prints a line when the client is ready,
// waits for a line of input, and prints the usage after the last push.
func serve(encoded string, in io.Reader, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(encoded), &j); err != nil {
		return err
	}
	start, ok := clients[j.Client]
	if !ok {
		return fmt.Errorf("no client %q", j.Client)
	}
	r := newRecorder(j)
	var g gate
	if err := start(j, g.dial, r); err != nil {
		return err
	}
	g.close()
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return err
	}
	before, begun := processTimes(), time.Now()
	g.open()
	select {
	case <-r.done:
	case <-time.After(patience):
		return fmt.Errorf("%s: the last push has not come", j.Client) // the reading goroutine may still change the count
	}
	after := processTimes()
	u := usage{
		Pushes: r.pushes, Reads: g.reads.Load(), Bytes: g.bytes.Load(),
		User: after.user - before.user, System: after.system - before.system, Wall: time.Since(begun),
	}
	if h := r.latency; h != nil {
		u.P50, u.P99 = time.Duration(h.ValueAtQuantile(50)), time.Duration(h.ValueAtQuantile(99))
		u.P999, u.Max = time.Duration(h.ValueAtQuantile(99.9)), time.Duration(h.Max())
	}
	return json.NewEncoder(out).Encode(u)
}

// times are the processor times of a process.
type times struct{ user, system time.Duration }

func processTimes() times {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // cannot happen with these arguments
	}
	return times{time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())}
}
