// Command prometheus shows how pushes become metrics.
//
//	prometheus [redis://[user:password@]host[:port]]
//
// It serves /metrics until Ctrl-C or the end of the connection, and then prints
// the respush metrics of that page. Without a URL it feeds itself for a second.
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
	"github.com/seed79615202/respush/parser"
)

func main() { program.Main(run) }

// run is the program. When ctx ends, it prints the metrics as well and returns
// the error of ctx.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	conn, err := connect(ctx, args)
	if err != nil {
		return err
	}
	defer conn.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}

	processor := dispatch.NewProcessor()
	queue := dispatch.NewQueue(dispatch.HandlerFunc(drop), dispatch.QueueSize(64), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(processor, queue))
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux}
	go server.Serve(listener)
	defer server.Close()
	page := fmt.Sprintf("http://%v/metrics", listener.Addr())
	fmt.Fprintln(stdout, page)

	if err = processor.Handle("invalidate", queue); err == nil {
		err = processor.Serve(ctx, dispatch.NotificationHandlerContext{Conn: conn}, parser.NewReader(conn), program.Refused)
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

// connect connects to the server that args name, or to the feed if args is
// empty. It asks the server for a push for every key that changes, and leaves
// the reply unread.
func connect(ctx context.Context, args []string) (net.Conn, error) {
	if len(args) == 0 {
		return feed(), nil
	}
	server, err := program.Arg(args)
	if err != nil {
		return nil, err
	}
	conn, err := server.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(program.Command("CLIENT", "TRACKING", "ON", "BCAST")); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// What feed sends: bursts that grow beyond the size of the queue, each followed
// by a push that has no handler.
const (
	bursts, growth = 10, 20
	invalidation   = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$6\r\nuser:1\r\n"
	unknown        = ">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n"
)

// feed returns a connection without a server. It ends after about a second.
func feed() net.Conn {
	conn, server := net.Pipe()
	go func() {
		defer server.Close()
		for i := range bursts {
			time.Sleep(time.Second / bursts)
			fmt.Fprint(server, strings.Repeat(invalidation, (i+1)*growth), unknown) // fails once conn is closed
		}
	}()
	return conn
}
