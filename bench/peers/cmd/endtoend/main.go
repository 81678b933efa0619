//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	if encoded := os.Getenv(jobVariable); encoded != "" {
		if err := serve(encoded, os.Stdin, os.Stdout); err != nil {
			fail(err)
		}
		return
	}
	var s settings
	flag.StringVar(&s.server, "server", "redis-server", "run this `program` as the server")
	flag.IntVar(&s.pushes, "n", 500_000, "send this many `pushes` flat out")
	flag.IntVar(&s.rate, "rate", 10_000, "send this many paced `pushes` per second")
	flag.DurationVar(&s.length, "time", 2*time.Second, "send paced pushes for this `duration`")
	flag.IntVar(&s.rounds, "count", 3, "measure each client this many `times`")
	flag.Func("scenes", "run only scenes of these `modes`, separated by commas: live,backlog,paced", list(&s.modes))
	flag.Func("clients", "run only these `clients`, separated by commas", list(&s.clients))
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Stdout, s); err != nil {
		stop()
		fail(err)
	}
}

// settings say what is measured, and how much of it.
type settings struct {
	server string
	pushes int
	rate   int
	length time.Duration
	rounds int

	modes, clients []string // nil means all
}

// list returns a function for flag.Func that splits a comma-separated list into
// words.
func list(words *[]string) func(string) error {
	return func(text string) error {
		*words = strings.Split(text, ",")
		return nil
	}
}

// A scene is a kind of pushes and a mode of sending them.
type scene struct {
	kind string
	mode string // live, backlog or paced
}

// run starts a server, measures every client in every scene, and prints tables.
func run(ctx context.Context, w io.Writer, s settings) error {
	ctx, stop := context.WithCancel(ctx)
	addr, wait, err := startServer(ctx, s.server)
	if err != nil {
		stop()
		return err
	}
	defer wait()
	defer stop()
	if s.modes == nil {
		s.modes = []string{"live", "backlog", "paced"}
	}
	if s.clients == nil {
		s.clients = clientNames
	}
	for _, mode := range s.modes {
		for _, kind := range []string{messages, invalidations} {
			if err := runScene(ctx, w, s, scene{kind, mode}, addr); err != nil {
				return err
			}
		}
	}
	return nil
}

// runScene measures all clients in one scene and prints a table. The table
// shows the least disturbed round of each client.
func runScene(ctx context.Context, w io.Writer, s settings, sc scene, addr string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	what := counted[sc.kind]
	fmt.Fprintf(t, "%s, %s\t%s/s\tuser ns\tsystem ns\tin all\tbeyond %s\t%s/read\t", sc.kind, sc.mode, what, s.clients[0], what)
	if sc.mode == "paced" {
		fmt.Fprint(t, "p50 us\tp99 us\tp99.9 us\tmax us\t")
	}
	fmt.Fprintln(t)
	best := make(map[string]usage)
	for range s.rounds { // the clients take turns, so a slow phase of the machine affects all of them
		for _, name := range s.clients {
			u, err := measure(ctx, s, sc, name, addr)
			if err != nil {
				return fmt.Errorf("%s, %s, %s: %w", sc.kind, sc.mode, name, err)
			}
			if b, ok := best[name]; !ok || u.disturbed() < b.disturbed() {
				best[name] = u
			}
		}
	}
	var floor float64
	for i, name := range s.clients {
		u := best[name]
		n := float64(u.Sent)
		per := func(d time.Duration) float64 { return float64(d) / n }
		all := per(u.User + u.System)
		if i == 0 {
			floor = all
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t", name, n/u.Wall.Seconds(), per(u.User), per(u.System), all,
			all-floor, n/float64(u.Reads))
		if sc.mode == "paced" {
			for _, d := range []time.Duration{u.P50, u.P99, u.P999, u.Max} {
				fmt.Fprintf(t, "%.0f\t", float64(d)/1e3)
			}
		}
		fmt.Fprintln(t)
	}
	fmt.Fprintln(t)
	return t.Flush()
}

// measure runs one client in one scene and returns its usage.
func measure(ctx context.Context, s settings, sc scene, name, addr string) (u usage, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	p, err := dialPublisher(addr)
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	j := job{Client: name, Kind: sc.kind, Addr: addr, Epoch: time.Now().UnixNano(), Paced: sc.mode == "paced"}
	c, err := startClient(ctx, j)
	if err != nil {
		return u, err
	}
	sent := s.pushes
	publish := func() error { return p.flood(sc.kind, sent) }
	if j.Paced {
		sent = int(s.length.Seconds() * float64(s.rate))
		publish = func() error { return p.pace(sc.kind, newClock(j.Epoch), s.rate, sent) }
	}
	publishAll := func() error { return errors.Join(publish(), p.end(sc.kind)) }
	steps := []func() error{c.begin, publishAll}
	if sc.mode == "backlog" {
		steps = []func() error{publishAll, c.begin}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			cancel()
			_ = c.cmd.Wait() // cancel has killed it
			return u, err
		}
	}
	if u, err = c.end(); err != nil {
		return u, err
	}
	if name != clientNames[0] && u.Pushes != sent {
		return u, fmt.Errorf("%d pushes seen, %d sent", u.Pushes, sent)
	}
	u.Sent = sent
	return u, nil
}

// A process is a running client.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startClient runs this program again as a client, and waits until the client
// is ready.
func startClient(ctx context.Context, j job) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	c := &process{cmd: exec.CommandContext(ctx, self)}
	c.cmd.Env = append(os.Environ(), jobVariable+"="+string(encoded))
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := c.out.ReadString('\n'); err != nil {
		return nil, errors.Join(err, c.cmd.Wait())
	}
	return c, nil
}

// begin tells the client to start reading.
func (c *process) begin() error {
	_, err := fmt.Fprintln(c.in, "go")
	return err
}

// end waits for the client's end and returns its usage.
func (c *process) end() (u usage, err error) {
	err = json.NewDecoder(c.out).Decode(&u)
	return u, errors.Join(err, c.cmd.Wait())
}
