package dispatch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// A client calls the processor before it reads a reply.
func Example() {
	p := dispatch.NewProcessor()
	err := p.HandleFunc("invalidate", func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		for keys := range push.Args() {
			for key := range keys.All() {
				fmt.Printf("drop %s\n", key.Bytes()) // borrowed: valid until this function returns
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}

	conn := strings.NewReader(">2\r\n$10\r\ninvalidate\r\n*2\r\n$4\r\nuser\r\n$4\r\ncart\r\n" + "$5\r\nhello\r\n")
	rd := parser.NewReader(conn)
	if err = p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd); err != nil {
		panic(err)
	}
	reply, err := rd.Next()
	fmt.Println("reply", reply.Value(), err)
	// Output:
	// drop user
	// drop cart
	// reply hello <nil>
}

// A client with a parser of its own shares its buffer. The processor takes the pushes out of it, and leaves what is
// publish and subscribe to the client.
func ExampleProcessor_ProcessPendingNotifications() {
	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			fmt.Println("push", push.Value())
			return nil
		})))
	conn := strings.NewReader(">2\r\n+MOVING\r\n:1\r\n" + "+OK\r\n" + ">2\r\n+MOVING\r\n:2\r\n" + ">3\r\n+message\r\n+news\r\n+hi\r\n")
	buffer := bufio.NewReader(conn)
	rd := parser.NewReader(buffer)
	for range 2 {
		if err := p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd); err != nil {
			panic(err)
		}
		line, err := buffer.ReadString('\n')
		fmt.Printf("the client reads %q %v\n", line, err)
	}
	// Output:
	// push ["MOVING" 1]
	// the client reads "+OK\r\n" <nil>
	// push ["MOVING" 2]
	// the client reads ">3\r\n" <nil>
}

// A connection that is there for pushes alone is read by Serve, until it ends or the context does.
func ExampleProcessor_Serve() {
	p := dispatch.NewProcessor()
	err := p.HandleFunc("message", func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		fmt.Println(push.Value())
		return nil
	})
	if err != nil {
		panic(err)
	}

	conn, server := net.Pipe()
	go func() {
		_, _ = io.WriteString(server, "+OK\r\n"+">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n")
		_ = server.Close()
	}()
	from := dispatch.NotificationHandlerContext{Conn: conn}
	err = p.Serve(context.Background(), from, parser.NewReader(conn), func(reply parser.Frame) error {
		fmt.Println("reply", reply.Value())
		return nil
	})
	fmt.Println("ended", err)
	// Output:
	// reply OK
	// ["message" "news" "hello"]
	// ended <nil>
}

// A client that reads whole frames itself hands each to Dispatch: a push, and a reply too, which a server before Redis 7.2
// may have put pushes into.
func ExampleProcessor_Dispatch() {
	p := dispatch.NewProcessor()
	err := p.HandleFunc("message", func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		fmt.Println("push ", push.Value())
		return nil
	})
	if err != nil {
		panic(err)
	}

	conn := strings.NewReader(">3\r\n+message\r\n+news\r\n+one\r\n" +
		"*2\r\n>3\r\n+message\r\n+news\r\n+two\r\n:1\r\n+OK\r\n") // the reply to EXEC
	rd := parser.NewReader(conn)
	for {
		f, err := rd.Next()
		if err != nil {
			return // io.EOF here
		}
		p.Dispatch(context.Background(), dispatch.NotificationHandlerContext{}, f)
		if !f.IsPush() {
			fmt.Println("reply", f.Value())
		}
	}
	// Output:
	// push  ["message" "news" "one"]
	// push  ["message" "news" "two"]
	// reply [1 "OK"]
}

// moved is a handler as go-redis has them.
type moved struct{}

func (moved) HandlePushNotification(_ context.Context, from dispatch.NotificationHandlerContext, notification []interface{}) error {
	fmt.Printf("%s from %v: %v, %T\n", notification[0], from.Client, notification[1:], notification[1])
	return nil
}

// Handlers written for go-redis are registered as they are there.
func ExampleProcessor_RegisterHandler() {
	p := dispatch.NewProcessor()
	fmt.Println(p.RegisterHandler("MOVING", moved{}, true))
	fmt.Println(p.RegisterHandler("MOVING", moved{}, false))
	fmt.Println(dispatch.IsProtectedHandlerError(p.UnregisterHandler("MOVING")))

	rd := parser.NewReader(strings.NewReader(">4\r\n$6\r\nMOVING\r\n:15\r\n:30\r\n$14\r\n127.0.0.1:6380\r\n"))
	from := dispatch.NotificationHandlerContext{Client: "client 1"}
	fmt.Println(p.ProcessPendingNotifications(context.Background(), from, rd))
	// Output:
	// <nil>
	// handler register failed for 'MOVING': cannot overwrite existing handler
	// true
	// MOVING from client 1: [15 30 127.0.0.1:6380], int64
	// <nil>
}

// A connection that waits in a pool is asked for its pushes without waiting for it.
func ExampleProcessor_ProcessBuffered() {
	p := dispatch.NewProcessor()
	buffer := bufio.NewReader(strings.NewReader("+OK\r\n" + ">2\r\n+invalidate\r\n_\r\n" + ">2\r\n+invalid"))
	rd := parser.NewReader(buffer)
	_, _ = buffer.ReadString('\n') // the reply, and with it what came in the same packet

	n, err := p.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, rd)
	pending, _ := rd.Pending()
	fmt.Println(n, err, "and the beginning of a", pending)
	// Output: 1 <nil> and the beginning of a push
}

// What handlers return, and their panics, changes nothing for the connection.
func ExampleWithErrorHandler() {
	p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
		fmt.Printf("%s: %v\n", name, err)
	}))
	_ = p.HandleFunc("fails", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		return errors.New("no such key")
	})
	_ = p.HandleFunc("panics", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		panic("a mistake")
	})
	rd := parser.NewReader(strings.NewReader(">1\r\n+fails\r\n" + ">1\r\n+panics\r\n" + "+PONG\r\n"))
	fmt.Println(p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd))
	// Output:
	// fails: no such key
	// panics: dispatch: handler panicked: a mistake
	// <nil>
}
