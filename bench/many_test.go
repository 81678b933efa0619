package bench_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/parser"
)

// busy is the number of BenchmarkServeMany's connections that get pushes.
const busy = 100

// BenchmarkServeMany serves many connections over loopback, each with its own
// call of Serve. Pushes come on 100 of them, one at a time. An op picks a busy
// connection at random, writes a byte that asks for a push, and waits until the
// push reaches its handler. With conns=100 there are only busy connections.
//
//	B/conn     heap and stacks, connection and Serve together
//	MiB        the same for all connections
//	cpu-ns/op  processor time of the process that serves
//	p50-ns, p99-ns, p99.9-ns  percentiles of the time of an op
//
// Another process holds the other ends, so their memory and processor time are
// not measured, and their files do not count against this process's limit.
func BenchmarkServeMany(b *testing.B) {
	for _, conns := range []int{busy, 10_000} {
		b.Run(fmt.Sprintf("conns=%d/impl=respush", conns), func(b *testing.B) { serveMany(b, conns) })
	}
}

func serveMany(b *testing.B, conns int) {
	addr := startPeer(b, conns)
	before := inUse()
	m := dialMany(b, addr, conns)
	used := inUse() - before
	lengths := make([]time.Duration, 0, 1<<20) // later times are not kept
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 * busy { // warms up, so that all memory is allocated
		m.ask(b, random.IntN(busy))
	}
	cpu := processTime()
	for b.Loop() {
		begun := time.Now()
		m.ask(b, random.IntN(busy))
		if len(lengths) < cap(lengths) {
			lengths = append(lengths, time.Since(begun))
		}
	}
	cpu = processTime() - cpu
	b.ReportMetric(float64(used)/float64(conns), "B/conn")
	b.ReportMetric(float64(used)/(1<<20), "MiB")
	if cpu > 0 {
		b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "cpu-ns/op")
	}
	slices.Sort(lengths)
	for _, share := range []float64{50, 99, 99.9} {
		at := int(math.Ceil(float64(len(lengths))*share/100)) - 1
		b.ReportMetric(float64(lengths[at].Nanoseconds()), fmt.Sprintf("p%v-ns", share))
	}
}

// many is a set of connections under Serve. Every push on any of them sends a
// value on handled.
type many struct {
	conns   []net.Conn
	handled chan struct{}
}

// dialMany makes n connections to the peer and serves each of them. It returns
// when one push has come on each.
func dialMany(tb testing.TB, addr string, n int) *many {
	m := &many{handled: make(chan struct{}, 1)}
	p := dispatch.NewProcessor()
	err := p.HandleFunc("invalidate", func(_ context.Context, _ from, push parser.Frame) error {
		m.handled <- struct{}{}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	for i := range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			tb.Fatal(err)
		}
		m.conns = append(m.conns, c)
		serving.Add(1)
		go func() {
			defer serving.Done()
			if err := p.Serve(ctx, from{Conn: c}, parser.NewReader(c), nil); err != context.Canceled {
				tb.Error(err)
			}
			_ = c.(*net.TCPConn).SetLinger(0) // leaves no port in TIME_WAIT
			_ = c.Close()
		}()
		m.ask(tb, i)
	}
	tb.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return m
}

// ask asks for a push on connection i, and returns when the push has been
// handled.
func (m *many) ask(tb testing.TB, i int) {
	if _, err := m.conns[i].Write(ping[:1]); err != nil {
		tb.Fatal(err)
	}
	<-m.handled
}

// peerVariable is the environment variable that makes the test binary serve the
// other end of the connections. Its value is the number of connections.
const peerVariable = "RESPUSH_BENCH_PEER"

func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(peerVariable)); err == nil {
		if err := servePeer(n); err != nil {
			fmt.Fprintln(os.Stderr, "peer:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// startPeer starts a process that serves the other end of n connections. The
// process ends with the test.
func startPeer(tb testing.TB, n int) (addr string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), peerVariable+"="+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal("the peer did not start: ", err)
	}
	return strings.TrimSpace(line)
}

// servePeer prints its address, accepts n connections, and answers each byte
// with a push until standard input ends. The first connections are the busy
// ones, and each of them keeps a goroutine. The others are asked once.
func servePeer(n int) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	push := workload.Invalidate(1)
	answer := func(c net.Conn) error {
		var b [1]byte
		if _, err := c.Read(b[:]); err != nil {
			return err
		}
		_, err := c.Write(push)
		return err
	}
	go func() {
		kept := make([]net.Conn, 0, n)
		for range n {
			c, err := l.Accept()
			if err != nil {
				return
			}
			kept = append(kept, c)
			if len(kept) > busy {
				_ = answer(c) // the other end reports a connection that ends
				continue
			}
			go func() {
				for answer(c) == nil {
				}
			}()
		}
		runtime.KeepAlive(kept)
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
