//go:build linux

package main

import (
	"fmt"
	"net"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/seed79615202/respush/parser"
)

// A publisher is a connection that publishes messages and sets keys. The server
// sends it only the replies that it waits for.
type publisher struct {
	conn net.Conn
	rd   *parser.Reader
	b    []byte // commands not yet sent
}

// dialPublisher connects to a server and deletes all its keys.
func dialPublisher(addr string) (*publisher, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	p := &publisher{conn: conn, rd: parser.NewReader(conn)}
	if err := p.do("FLUSHALL"); err != nil {
		_ = conn.Close()
		return nil, err
	}
	p.command("CLIENT", "REPLY", "OFF")
	return p, p.send()
}

func (p *publisher) close() error { return p.conn.Close() }

// do sends a command and waits for its reply.
func (p *publisher) do(args ...string) error {
	p.command(args...)
	if err := p.send(); err != nil {
		return err
	}
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	f, err := p.rd.Next()
	if err != nil {
		return err
	}
	if f.Type() == parser.TypeSimpleError {
		return fmt.Errorf("%s: %s", args[0], f.Value())
	}
	return nil
}

// command adds a command to those not yet sent.
func (p *publisher) command(args ...string) { p.b = appendCommand(p.b, args...) }

// push adds a command that makes the server send a push with this text.
func (p *publisher) push(kind, text string) {
	if kind == messages {
		p.command("PUBLISH", channel, text)
	} else {
		p.command("SET", text, "v")
	}
}

func (p *publisher) send() error {
	_, err := p.conn.Write(p.b)
	p.b = p.b[:0]
	return err
}

// flood sends n pushes flat out.
func (p *publisher) flood(kind string, n int) error {
	const batch = 16 << 10 // bytes; redis reads as many at a time
	var text []byte
	for i := range n {
		text = appendText(text[:0], kind, int64(i))
		p.push(kind, string(text))
		if len(p.b) >= batch || i == n-1 {
			if err := p.send(); err != nil {
				return err
			}
		}
	}
	return nil
}

// pace sends n pushes at the given rate per second. Each push carries the time
// it is sent at.
func (p *publisher) pace(kind string, clock clock, rate, n int) error {
	runtime.LockOSThread() // Go's own timers are too coarse
	defer runtime.UnlockOSThread()
	every := int64(time.Second) / int64(rate)
	var text []byte
	due := clock.now()
	for range n {
		if wait := due - clock.now(); wait > 0 {
			t := syscall.NsecToTimespec(wait)
			_ = syscall.Nanosleep(&t, nil) // after a signal the push goes out early
		}
		text = appendText(text[:0], kind, clock.now())
		p.push(kind, string(text))
		if err := p.send(); err != nil {
			return err
		}
		due += every
	}
	return nil
}

// end waits until the server has executed everything, and then sends the last
// push.
func (p *publisher) end(kind string) error {
	if err := p.do("CLIENT", "REPLY", "ON"); err != nil {
		return err
	}
	p.push(kind, endText(kind))
	return p.send()
}

// appendCommand appends a command as a client sends it, an array of bulk
// strings.
func appendCommand(b []byte, args ...string) []byte {
	b = append(strconv.AppendInt(append(b, '*'), int64(len(args)), 10), "\r\n"...)
	for _, arg := range args {
		b = append(strconv.AppendInt(append(b, '$'), int64(len(arg)), 10), "\r\n"...)
		b = append(append(b, arg...), "\r\n"...)
	}
	return b
}
