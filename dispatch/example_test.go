package dispatch_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A client calls the processor before it reads a reply. The adapter OnInvalidate of
// package notify makes a handler of a function that wants the keys.
func Example() {
	invalidate := func(_ context.Context,
		_ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
		if i.FlushAll() {
			fmt.Println("drop every key")
		}
		for key := range i.Keys() { // borrowed until this function returns
			fmt.Printf("drop %s\n", key)
		}
		return nil
	}
	p := dispatch.NewProcessor()
	err := p.HandleFunc("invalidate", notify.OnInvalidate(invalidate))
	if err != nil {
		panic(err)
	}

	conn := strings.NewReader(">2\r\n$10\r\ninvalidate\r\n*2\r\n$4\r\nuser\r\n$4\r\ncart\r\n" +
		">2\r\n$10\r\ninvalidate\r\n_\r\n" + "$5\r\nhello\r\n")
	rd := parser.NewReader(conn)
	if err = p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd); err != nil {
		panic(err)
	}
	reply, err := rd.Next()
	fmt.Println("reply", reply.Value(), err)
	// Output:
	// drop user
	// drop cart
	// drop every key
	// reply hello <nil>
}

// A handler that knows its push reads it with a Parse function of package notify. The elements of an invalidate push are
// its name and an array of keys, not the keys themselves, and a null in place of the array stands for every key.
func ExampleProcessor_HandleFunc() {
	p := dispatch.NewProcessor()
	err := p.HandleFunc("invalidate", func(_ context.Context, from dispatch.NotificationHandlerContext, push parser.Frame) error {
		i, err := notify.ParseInvalidation(push)
		if err != nil {
			return err // goes to the error handler
		}
		fmt.Println(from.Conn, "flush:", i.FlushAll(), "keys:", i.Len())
		return nil
	})
	if err != nil {
		panic(err)
	}

	conn := strings.NewReader(">2\r\n+invalidate\r\n*2\r\n+user\r\n+cart\r\n" + ">2\r\n+invalidate\r\n_\r\n")
	from := dispatch.NotificationHandlerContext{Conn: "connection 1"}
	if err = p.ProcessPendingNotifications(context.Background(), from, parser.NewReader(conn)); err != nil {
		panic(err)
	}
	// Output:
	// connection 1 flush: false keys: 2
	// connection 1 flush: true keys: 0
}

// A client with a reply parser of its own shares its buffer with the Reader. The processor takes the pushes out of the
// buffer and leaves those of publish and subscribe to the client.
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

// Serve reads a connection that only receives pushes, until the connection or the context ends.
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
	fmt.Println("ended", err) // nil is an end too: a cache that relied on the pushes would be emptied here
	// Output:
	// reply OK
	// ["message" "news" "hello"]
	// ended <nil>
}

// A time-out loses nothing, even inside a frame: a further call of Serve with the same Reader continues there.
func ExampleProcessor_Serve_timeout() {
	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			fmt.Println(push.Value())
			return nil
		})))
	conn, server := net.Pipe()
	timedOut := make(chan struct{})
	go func() {
		_, _ = io.WriteString(server, ">2\r\n+MOVING\r\n")
		<-timedOut
		_, _ = io.WriteString(server, ":1\r\n")
		_ = server.Close()
	}()

	rd := parser.NewReader(conn)
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	err := p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, rd, nil)
	fmt.Println("timed out:", errors.Is(err, os.ErrDeadlineExceeded)) // a client might send PING now
	close(timedOut)

	_ = conn.SetReadDeadline(time.Time{})
	err = p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, rd, nil)
	fmt.Println("ended", err)
	// Output:
	// timed out: true
	// ["MOVING" 1]
	// ended <nil>
}

// A client that reads whole frames itself passes each of them to Dispatch. It passes replies as well, because servers
// before Redis 7.2 may nest pushes in them.
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

// moved is a handler with the interface of go-redis.
type moved struct{}

func (moved) HandlePushNotification(_ context.Context, from dispatch.NotificationHandlerContext, notification []interface{}) error {
	fmt.Printf("%s from %v: %v, %T\n", notification[0], from.Client, notification[1:], notification[1])
	return nil
}

// Handlers written for the interface of go-redis are registered as in go-redis.
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

// ProcessBuffered handles the pushes that arrived together with a reply. It never reads from the connection.
func ExampleProcessor_ProcessBuffered() {
	p := dispatch.NewProcessor()
	buffer := bufio.NewReader(strings.NewReader("+OK\r\n" + ">2\r\n+invalidate\r\n_\r\n" + ">2\r\n+invalid"))
	rd := parser.NewReader(buffer)
	_, _ = buffer.ReadString('\n') // the read for the reply buffers what follows it too

	n, err := p.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, rd)
	pending, _ := rd.Pending()
	fmt.Println(n, err, "and the beginning of a", pending)
	// Output: 1 <nil> and the beginning of a push
}

// An idle connection hears its pushes when its owner reads it from time to time. A short read deadline bounds the read;
// it must lie in the future, since a read fails at once after its deadline, even if bytes have arrived.
func ExampleProcessor_ProcessBuffered_idle() {
	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			fmt.Println("push", push.Value())
			return nil
		})))
	conn, server := net.Pipe()
	rd := parser.NewReader(conn)

	// listen handles the whole pushes that arrive within a time. An error means that the connection is of no more use.
	listen := func(within time.Duration) error {
		_ = conn.SetReadDeadline(time.Now().Add(within))
		err := rd.Driver().Fill()
		_ = conn.SetReadDeadline(time.Time{})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil // nothing has arrived
		}
		if err == nil {
			_, err = p.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{Conn: conn}, rd)
		}
		return err
	}

	proceed := make(chan struct{})
	go func() {
		_, _ = io.WriteString(server, ">2\r\n+invalidate\r\n*1\r\n+user\r\n")
		<-proceed
		_ = server.Close()
	}()
	fmt.Println(listen(time.Minute), "left:", rd.Buffered()) // bytes that are left are not the reply to the next command
	fmt.Println(listen(time.Millisecond))
	close(proceed)
	fmt.Println(listen(time.Minute))
	// Output:
	// push ["invalidate" ["user"]]
	// <nil> left: 0
	// <nil>
	// EOF
}

// The error handler receives the errors and the panics of handlers. They do not affect the connection.
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
