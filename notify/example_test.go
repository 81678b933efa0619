package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// An On function makes a handler of a function that takes a view.
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

	conn := strings.NewReader(">2\r\n$10\r\ninvalidate\r\n*2\r\n$4\r\nuser\r\n$4\r\ncart\r\n" + ">2\r\n$10\r\ninvalidate\r\n_\r\n")
	err = p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, parser.NewReader(conn), nil)
	fmt.Println(err)
	// Output:
	// drop user
	// drop cart
	// drop every key
	// <nil>
}

// Without a processor, FamilyOf returns the family of a push, and so its Parse function.
func ExampleFamilyOf() {
	r := parser.NewReader(strings.NewReader(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n" + ">1\r\n$4\r\npong\r\n"))
	for {
		f, err := r.Next()
		if err != nil {
			return
		}
		switch family := notify.FamilyOf(f.Name()); family {
		case notify.FamilyMessage:
			m, err := notify.ParseMessage(f)
			fmt.Printf("%s: %s %v\n", m.Channel, m.Payload.Bytes(), err)
		default:
			fmt.Println(family)
		}
	}
	// Output:
	// news: hello <nil>
	// unknown
}

// A client that reconnects reads the endpoint of a MOVING push.
func ExampleParseMoving() {
	f, _, err := parser.Parse([]byte(">4\r\n$6\r\nMOVING\r\n:123\r\n:30\r\n$12\r\nfe80::1:6379\r\n"))
	if err != nil {
		panic(err)
	}
	m, err := notify.ParseMoving(f)
	if err != nil {
		panic(err)
	}
	if !m.SameAddress() {
		host, port, _ := net.SplitHostPort(m.Endpoint.String())
		fmt.Println("connect to", host, port, "within", m.After)
	}
	fmt.Println(m)
	// Output:
	// connect to fe80::1 6379 within 30s
	// MOVING  seq 123  in 30s  to [fe80::1]:6379
}

func ExampleParseSlotMigration() {
	f, _, err := parser.Parse([]byte(">3\r\n$9\r\nSMIGRATED\r\n:5\r\n*1\r\n*3\r\n$6\r\nnode:1\r\n$6\r\nnode:2\r\n$12\r\n123,789-1000\r\n"))
	if err != nil {
		panic(err)
	}
	s, err := notify.ParseSlotMigration(f)
	if err != nil {
		panic(err)
	}
	for move := range s.Moves() {
		for r := range move.Slots() {
			fmt.Printf("slots %d to %d are at %s now, no longer at %s\n", r.Start, r.End, move.Target, move.Source)
		}
	}
	// Output:
	// slots 123 to 123 are at node:2 now, no longer at node:1
	// slots 789 to 1000 are at node:2 now, no longer at node:1
}

// Invalidations that were redirected to a RESP2 connection may arrive as messages.
func ExampleMessage_Invalidation() {
	f, _, err := parser.Parse([]byte(">3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$4\r\nuser\r\n"))
	if err != nil {
		panic(err)
	}
	m, err := notify.ParseMessage(f)
	if err != nil {
		panic(err)
	}
	if i, ok := m.Invalidation(); ok {
		fmt.Println(i)
	}
	// Output: invalidate  1 key  user
}

func ExampleShapeError() {
	f, _, err := parser.Parse([]byte(">3\r\n$6\r\nMOVING\r\n:123\r\n$4\r\nsoon\r\n"))
	if err != nil {
		panic(err)
	}
	_, err = notify.ParseMoving(f)
	var shape *notify.ShapeError
	if errors.As(err, &shape) {
		fmt.Println(shape.Push, shape.Element, errors.Is(err, notify.ErrType))
	}
	fmt.Println(err)
	// Output:
	// MOVING 2 true
	// notify: moving: MOVING element 2: value of another type
}

// Describe makes a line for a log from any push.
func ExampleDescribe() {
	f, _, err := parser.Parse([]byte(">3\r\n$8\r\nnew-push\r\n*2\r\n+a\r\n:1\r\n$3\r\n\x00\xffb\r\n"))
	if err != nil {
		panic(err)
	}
	fmt.Println(notify.Describe(f))
	// Output: new-push  [a 1] "\x00\xffb"
}
