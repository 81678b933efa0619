package redis

import (
	"context"
	"net"
	"os"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// injected is the push that stands before every reply.
const injected = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n"

// tapped is the only change to redigo: the connection that it has dialled, with
// pushes injected before the replies and, unless SUITE_TAP is off, a tap that
// takes them out again. Each push that the tap delivers adds a byte to the file
// SUITE_TAKEN.
func tapped(conn net.Conn) net.Conn {
	conn = &injector{Conn: conn, boundary: true}
	if os.Getenv("SUITE_TAP") == "off" {
		return conn
	}
	p := dispatch.NewProcessor()
	err := p.HandleFunc("invalidate", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		f, err := os.OpenFile(os.Getenv("SUITE_TAKEN"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			panic(err)
		}
		defer f.Close()
		_, err = f.WriteString(".")
		return err
	})
	if err != nil {
		panic(err)
	}
	return tap.NewConn(conn, p)
}

// injector puts a push before every frame that its connection gives.
//
// Invariant: boundary means that the next byte begins a frame. pending has been
// read and not been scanned. out is to be given out.
type injector struct {
	net.Conn
	scanner  parser.Scanner
	boundary bool
	broken   bool // the stream is no RESP: it goes through as it is
	pending  []byte
	out      []byte
	err      error
}

// Read gives what has been read, with pushes.
func (c *injector) Read(b []byte) (int, error) {
	var chunk [4096]byte
	for len(c.out) == 0 {
		if err := c.err; err != nil {
			c.err = nil
			return 0, err
		}
		var n int
		n, c.err = c.Conn.Read(chunk[:])
		c.pending = append(c.pending, chunk[:n]...)
		c.scan()
		if c.err != nil { // what is cut goes through as well
			c.out = append(c.out, c.pending...)
			c.pending, c.broken = nil, c.broken || !c.boundary
		}
	}
	n := copy(b, c.out)
	c.out = c.out[n:]
	return n, nil
}

// scan moves what is pending to out, as far as it can be told where frames end.
func (c *injector) scan() {
	for len(c.pending) > 0 {
		if c.broken {
			c.out, c.pending = append(c.out, c.pending...), nil
			return
		}
		n, done, err := c.scanner.Scan(c.pending)
		if err != nil {
			c.broken = true
			continue
		}
		if c.boundary && n > 0 {
			c.out, c.boundary = append(c.out, injected...), false
		}
		c.out, c.pending = append(c.out, c.pending[:n]...), c.pending[n:]
		if !done {
			return
		}
		c.boundary = true
	}
}
