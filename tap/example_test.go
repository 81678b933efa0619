package tap_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// serve stands for a server that sends wire and hangs up.
func serve(wire string) net.Conn {
	conn, server := net.Pipe()
	go func() {
		_, _ = io.WriteString(server, wire)
		_ = server.Close()
	}()
	return conn
}

// printer prints the pushes it is given.
func printer(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	fmt.Println("push", push.Value())
	return nil
}

// A client that reads line by line, and knows no pushes, gets its replies.
func Example() {
	conn := serve("+OK\r\n" + ">2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\nuser:1\r\n" + ":42\r\n")

	p := dispatch.NewProcessor()
	err := p.HandleFunc("invalidate", notify.OnInvalidate(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
			if i.FlushAll() {
				fmt.Println("drop every key")
			}
			for key := range i.Keys() { // borrowed until this function returns
				fmt.Printf("drop %s\n", key)
			}
			return nil
		}))
	if err != nil {
		panic(err)
	}
	client := bufio.NewScanner(tap.NewConn(conn, p)) // a client reads from the tap
	for client.Scan() {
		fmt.Println("reply", client.Text())
	}
	// Output:
	// drop user:1
	// reply +OK
	// reply :42
}

// A client that handles pushes itself gets all that the server sends, and somebody else sees the pushes as well.
func ExampleObserve() {
	conn := serve("+OK\r\n" + ">2\r\n+invalidate\r\n_\r\n")

	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(printer)))
	client := parser.NewReader(tap.NewConn(conn, p, tap.Observe()))
	for {
		f, err := client.Next()
		if err != nil {
			break
		}
		fmt.Println("the client has", f.Value())
	}
	// Output:
	// push ["invalidate" null]
	// the client has OK
	// the client has ["invalidate" null]
}

// A client that handles the pushes of publish and subscribe, and no others.
func ExampleKeepPubSub() {
	conn := serve(">2\r\n+invalidate\r\n_\r\n" + ">3\r\n+message\r\n+news\r\n+hello\r\n")

	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(printer)))
	client := parser.NewReader(tap.NewConn(conn, p, tap.KeepPubSub()))
	f, err := client.Next()
	fmt.Println("the client has", f.Value(), err)
	// Output:
	// push ["invalidate" null]
	// the client has ["message" "news" "hello"] <nil>
}

// observed is an observing Conn with the socket below it, for a client that looks there whether a connection is alive.
type observed struct{ *tap.Conn }

func (o observed) SyscallConn() (syscall.RawConn, error) {
	if c, ok := o.NetConn().(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// A pool that looks at the socket of an idle connection sees there what the client is going to read, as nothing is taken
// out.
func ExampleConn_NetConn() {
	var conn net.Conn = observed{tap.NewConn(new(net.TCPConn), nil, tap.Observe())}
	_, ok := conn.(syscall.Conn)
	fmt.Println(ok)
	// Output: true
}
