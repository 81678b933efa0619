// Command prometheus shows how pushes become metrics.
//
//	prometheus [redis://[user:password@]host[:port]]
//
// It serves /metrics until Ctrl-C, and then prints the respush metrics of that
// page. A lost connection is a gap, which the metrics show. Without a URL the
// program plays the server itself for about a second.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/parser"
)

func main() { program.Main(run) }

// run is the program. It also prints the metrics when ctx ends, and then returns
// the error of ctx.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	f, err := newFeed(args)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}

	queue := dispatch.NewQueue(dispatch.HandlerFunc(drop), dispatch.QueueSize(64), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(f.Processor, queue, f))
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	defer server.Close()
	page := fmt.Sprintf("http://%v/metrics", listener.Addr())
	fmt.Fprintln(stdout, page)

	f.Queues = []*dispatch.Queue{queue}
	if err = f.Processor.Handle("invalidate", queue); err == nil {
		err = f.Run(ctx)
	}
	// Close delivers what waits in the queue, so that the metrics are final.
	return errors.Join(err, queue.Close(context.WithoutCancel(ctx)), show(stdout, page))
}

// drop stands for the handler of a client's cache. Package notify would return
// the keys to drop.
func drop(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil }

// show prints the lines of a metrics page that belong to respush.
func show(stdout io.Writer, page string) error {
	resp, err := http.Get(page)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "respush_") {
			fmt.Fprint(stdout, line)
		}
	}
	return err
}

// newFeed returns a Feed of all key changes on the server that args name. If args
// is empty, the program plays the server. That server finally closes its
// connection, which ends the Feed.
func newFeed(args []string) (*feed.Feed, error) {
	f := &feed.Feed{Tracking: &feed.Tracking{}, Processor: dispatch.NewProcessor()}
	if len(args) > 0 {
		server, err := program.Arg(args)
		f.Addr, f.Auth = server.Addr, server.Auth
		return f, err
	}
	f.Addr, f.Dial = "the program itself", dialSelf
	f.OnGap = func(_ context.Context, g feed.Gap) {
		if errors.Is(g.Cause, feed.ErrClosed) {
			f.Stop(nil)
		}
	}
	return f, nil
}

// The program sends itself bursts that grow beyond the size of the queue. After
// each burst comes a push that has no handler.
const (
	bursts, growth = 10, 20
	invalidation   = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\nuser:1\r\n"
	unknown        = ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n"
)

// dialSelf returns a connection to a server that the program plays. The
// connection ends after about a second.
func dialSelf(context.Context, string) (net.Conn, error) {
	conn, server := net.Pipe()
	go func() {
		defer server.Close()
		answer(server)
		for i := range bursts {
			time.Sleep(time.Second / bursts)
			fmt.Fprint(server, strings.Repeat(invalidation, (i+1)*growth), unknown) // fails once conn is closed
		}
	}()
	return conn, nil
}

// answer plays a server up to and including the PING that ends the set-up of a
// Feed.
func answer(server net.Conn) {
	rd := parser.NewReader(server)
	defer rd.Release()
	for {
		command, err := rd.Next()
		if err != nil {
			return
		}
		name := ""
		for v := range command.Value().All() {
			name = v.String()
			break
		}
		switch name {
		case "HELLO":
			fmt.Fprint(server, "%2\r\n+proto\r\n:3\r\n+role\r\n+master\r\n")
		case "PING":
			fmt.Fprint(server, "+PONG\r\n")
			return
		default:
			fmt.Fprint(server, "+OK\r\n")
		}
	}
}
