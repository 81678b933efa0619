package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/seed79615202/respush/internal/test/workload"
	"github.com/seed79615202/respush/tap"
)

// tapped are the streams that a client reads through a tap.
var tapped = []struct {
	name  string
	reply string
	push  []byte // after each reply, if any
}{
	{"64B", bulk(64), nil},
	{"1KiB", bulk(1 << 10), nil},
	{"16KiB", bulk(16 << 10), nil},
	{"status", "+OK\r\n", nil},
	{"array-10x64B", "*10\r\n" + strings.Repeat(bulk(64), 10), nil},
	{"array-1000x16B", "*1000\r\n" + strings.Repeat(bulk(16), 1000), nil},
	{"1KiB-and-push", bulk(1 << 10), workload.Invalidate(1)},
}

func bulk(n int) string { return fmt.Sprintf("$%d\r\n%s\r\n", n, strings.Repeat("v", n)) }

// taps are the ways to read a connection.
var taps = []struct {
	name string
	opts []tap.Option // nil for no tap
}{
	{"bare", nil},
	{"tap", []tap.Option{}},
	{"observe", []tap.Option{tap.Observe()}},
}

// BenchmarkTap reads a little more than 4 MiB of replies, in reads of 32 KiB.
// With conn=tcp they come over loopback, where another goroutine sends them in
// writes of 64 KiB. With conn=memory they come from memory. Handlers count the
// pushes, if there are any.
func BenchmarkTap(b *testing.B) {
	for _, conn := range []struct {
		name string
		open func(tb testing.TB, stream []byte) net.Conn
	}{{"tcp", openTCP}, {"memory", openMemory}} {
		for _, r := range tapped {
			frame := append([]byte(r.reply), r.push...)
			count := (4<<20 + len(frame) - 1) / len(frame)
			stream := bytes.Repeat(frame, count)
			for _, way := range taps {
				b.Run(fmt.Sprintf("conn=%s/reply=%s/impl=%s", conn.name, r.name, way.name), func(b *testing.B) {
					c, left := conn.open(b, stream), len(stream)
					p, seen := counting(b)
					if way.opts != nil {
						c = tap.NewConn(c, p, way.opts...)
					}
					if way.name == "tap" {
						left = count * len(r.reply)
					}
					readBytes(b, c, left)
					seen()
					b.SetBytes(int64(len(stream)))
					b.ReportAllocs()
					if conn.name == "memory" { // over TCP the goroutines must not be locked to threads
						defer timeThread(b, 1)()
					}
					for b.Loop() {
						readBytes(b, c, left)
						if n := seen(); way.opts != nil && r.push != nil && n < count-1 { // the last one may still be on its way
							b.Fatalf("%d pushes handled, not %d", n, count)
						}
					}
				})
			}
		}
	}
}

// BenchmarkTapRoundTrip measures a command and its lone reply over TCP on
// loopback, as with a client that has nothing else to send. added-ns/op is what
// the tap adds to the time of a round trip on a connection without one.
func BenchmarkTapRoundTrip(b *testing.B) {
	for _, way := range taps[1:] {
		b.Run("reply=status/impl="+way.name, func(b *testing.B) {
			bare := openEcho(b)
			p, _ := counting(b)
			tapped := tap.NewConn(openEcho(b), p, way.opts...)
			workload.Beside(b, 100, func() { roundTrip(b, bare) }, func() { roundTrip(b, tapped) })
		})
	}
}

var ping = []byte("*1\r\n$4\r\nPING\r\n")

// roundTrip sends a command and reads its reply.
func roundTrip(tb testing.TB, c net.Conn) {
	if _, err := c.Write(ping); err != nil {
		tb.Fatal(err)
	}
	readBytes(tb, c, len(status))
}

// openEcho returns a connection on which each command is answered.
func openEcho(tb testing.TB) net.Conn {
	c, server := openPair(tb)
	serveUntilClosed(tb, c, server, func() error {
		var command [64]byte
		if _, err := io.ReadFull(server, command[:len(ping)]); err != nil {
			return err
		}
		_, err := server.Write(status)
		return err
	})
	return c
}

func readBytes(tb testing.TB, c net.Conn, n int) {
	for n > 0 {
		k, err := c.Read(buffer[:min(n, len(buffer))])
		if err != nil {
			tb.Fatal(err)
		}
		n -= k
	}
}

// openTCP returns a connection on which stream arrives over and over.
func openTCP(tb testing.TB, stream []byte) net.Conn {
	c, server := openPair(tb)
	at := 0
	serveUntilClosed(tb, c, server, func() error {
		n, err := server.Write(stream[at:min(at+64<<10, len(stream))])
		at = (at + n) % len(stream)
		return err
	})
	return c
}

// openPair returns the two ends of a connection over loopback.
func openPair(tb testing.TB) (c, server net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if c, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	return c, server
}

// serveUntilClosed calls turn on a goroutine until the connection, which ends
// with the test, is closed.
func serveUntilClosed(tb testing.TB, c, server net.Conn, turn func() error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for turn() == nil {
		}
	}()
	tb.Cleanup(func() {
		_ = c.Close()
		<-done
		_ = server.Close()
	})
}

// openMemory is like openTCP, but without a network.
func openMemory(_ testing.TB, stream []byte) net.Conn { return &memory{stream: stream} }

// memory is a net.Conn for reading only.
type memory struct {
	net.Conn
	stream []byte
	at     int
}

func (m *memory) Read(p []byte) (int, error) {
	if m.at == len(m.stream) {
		m.at = 0
	}
	n := copy(p, m.stream[m.at:])
	m.at += n
	return n, nil
}
