package dispatch_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// A queue runs a slow handler off the goroutine that reads. Close delivers the pushes that wait.
func ExampleQueue() {
	slow := func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		fmt.Println(push.Value()) // borrowed from the queue until this function returns
		return nil
	}
	q := dispatch.NewQueue(dispatch.HandlerFunc(slow), dispatch.QueueSize(100))
	p := dispatch.NewProcessor()
	if err := p.Handle("message", q); err != nil {
		panic(err)
	}

	conn := strings.NewReader(">3\r\n+message\r\n+news\r\n+one\r\n" + ">3\r\n+message\r\n+news\r\n+two\r\n")
	err := p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, parser.NewReader(conn), nil)
	fmt.Println("ended", err, q.Close(context.Background()))
	fmt.Println(q.Stats().Delivered, "delivered")
	// Output:
	// ["message" "news" "one"]
	// ["message" "news" "two"]
	// ended <nil> <nil>
	// 2 delivered
}

// A queue accepts the handlers that the adapters of package notify make.
func ExampleNewQueueFunc() {
	q := dispatch.NewQueueFunc(notify.OnMessage(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
			fmt.Printf("%s: %v\n", m.Channel, m.Payload)
			return nil
		}), dispatch.QueueWorkers(4))
	p := dispatch.NewProcessor()
	if err := p.Handle("message", q); err != nil {
		panic(err)
	}

	conn := strings.NewReader(">3\r\n+message\r\n+news\r\n+one\r\n" + ">3\r\n+message\r\n+news\r\n+two\r\n")
	err := p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, parser.NewReader(conn), nil)
	fmt.Println("ended", err, q.Close(context.Background()))
	// Output:
	// news: one
	// news: two
	// ended <nil> <nil>
}

// When invalidations arrive faster than a cache drops keys, one flush replaces those that find no room, so that the cache
// holds nothing stale.
func ExampleQueueOverflow() {
	started, proceed := make(chan struct{}), make(chan struct{})
	drop := func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		fmt.Println(push.Value())
		started <- struct{}{}
		<-proceed
		return nil
	}
	q := dispatch.NewQueue(dispatch.HandlerFunc(drop), dispatch.QueueSize(2), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	p := dispatch.NewProcessor()
	if err := p.Handle("invalidate", q); err != nil {
		panic(err)
	}
	push := func(key string) {
		f, _, err := parser.Parse([]byte(">2\r\n+invalidate\r\n*1\r\n+" + key + "\r\n"))
		if err != nil {
			panic(err)
		}
		p.Dispatch(context.Background(), dispatch.NotificationHandlerContext{}, f)
	}

	push("a")
	<-started // the handler is busy with a
	for _, key := range []string{"b", "c", "d", "e"} {
		push(key) // never waits
	}
	proceed <- struct{}{}
	<-started
	proceed <- struct{}{}
	if err := q.Close(context.Background()); err != nil {
		panic(err)
	}
	stats := q.Stats()
	fmt.Println(stats.Delivered, "delivered,", stats.Coalesced, "coalesced,", stats.Dropped, "dropped")
	// Output:
	// ["invalidate" ["a"]]
	// ["invalidate" null]
	// 1 delivered, 4 coalesced, 0 dropped
}
