package dispatch_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// client is a connection as a client holds it. It has a Reader. If it also has a buffer of its own, the Reader works in
// that buffer, and the client reads its replies from it.
type client struct {
	*stream
	rd  *parser.Reader
	own *bufio.Reader // or nil
}

// connect makes a client whose connection gives pieces.
type connect func(t *testing.T, pieces ...any) *client

// ownBuffer is a client that leaves all buffering to a Reader with these options.
func ownBuffer(opts ...parser.Option) connect {
	return func(t *testing.T, pieces ...any) *client {
		s := newStream(t, pieces...)
		return &client{stream: s, rd: parser.NewReader(s, opts...)}
	}
}

// inPlace is a client with a bufio.Reader of a size.
func inPlace(size int, opts ...parser.Option) connect {
	return func(t *testing.T, pieces ...any) *client {
		s := newStream(t, pieces...)
		own := bufio.NewReaderSize(s, size)
		return &client{stream: s, rd: parser.NewReader(own, opts...), own: own}
	}
}

// sizes are the sizes of the clients' buffers in these tests: the smallest possible one, one that is not a power of two,
// one that holds a small push, and a realistic one.
var sizes = []int{16, 17, 64, 4096}

// eachClient runs a test for every way a Reader may hold the bytes of a connection.
func eachClient(t *testing.T, test func(t *testing.T, connect connect), opts ...parser.Option) {
	t.Run("own", func(t *testing.T) { test(t, ownBuffer(opts...)) })
	t.Run("own=16", func(t *testing.T) { test(t, ownBuffer(append(opts, parser.WithBufferSize(16))...)) })
	for _, size := range sizes {
		t.Run(fmt.Sprint("source=", size), func(t *testing.T) { test(t, inPlace(size, opts...)) })
	}
}

// next reads the next frame in the way the client reads its replies, and returns its bytes.
func (c *client) next() (string, error) {
	if _, moved := c.rd.Pending(); c.own == nil || moved > 0 {
		f, err := c.rd.Next()
		return string(f.Raw()), err
	}
	return readFrame(c.own)
}

// process calls the processor as the client does before it reads a reply.
func (c *client) process(p dispatch.NotificationProcessor) error {
	return p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, c.rd)
}

// buffered is like process but does not wait.
func (c *client) buffered(p *dispatch.Processor) (int, error) {
	return p.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, c.rd)
}

// reply processes pushes and then reads a reply, which must be there.
func (c *client) reply(t *testing.T, p dispatch.NotificationProcessor) string {
	t.Helper()
	var wire string
	var err error
	c.within(t, func() {
		if err = c.process(p); err == nil {
			wire, err = c.next()
		}
	})
	require.NoError(t, err)
	return wire
}

// readFrame is a client's own parser, which trusts what it reads.
func readFrame(r *bufio.Reader) (frame string, err error) {
	frame, err = r.ReadString('\n')
	if err != nil {
		if err == io.EOF && frame != "" {
			err = io.ErrUnexpectedEOF
		}
		return frame, err
	}
	var rest string
	switch n, _ := strconv.Atoi(frame[1 : len(frame)-2]); frame[0] {
	case '$', '!', '=', ';':
		switch {
		case frame == "$?\r\n":
			for chunk := ""; chunk != ";0\r\n" && err == nil; rest += chunk {
				chunk, err = readFrame(r)
			}
		case n >= 0 && frame != ";0\r\n":
			body := make([]byte, n+2)
			_, err = io.ReadFull(r, body)
			rest = string(body)
		}
	case '*', '~', '>':
		rest, err = readFrames(r, n)
	case '%':
		rest, err = readFrames(r, 2*n)
	case '|':
		if rest, err = readFrames(r, 2*n); err == nil {
			frame += rest
			rest, err = readFrame(r)
		}
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return frame + rest, err
}

// readFrames reads n frames and the pushes between them, which are out of band.
func readFrames(r *bufio.Reader, n int) (frames string, err error) {
	for n > 0 && err == nil {
		var f string
		if f, err = readFrame(r); err == nil && f[0] != '>' {
			n--
		}
		frames += f
	}
	return frames, err
}

// pong is a reply.
const pong = "+PONG\r\n"

// bulk is a string on the wire.
func bulk(text string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text) }

// push is a push of bulk strings on the wire.
func push(name string, args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ">%d\r\n%s", len(args)+1, bulk(name))
	for _, a := range args {
		b.WriteString(bulk(a))
	}
	return b.String()
}

// record is a Handler that remembers the wire bytes of what it is given.
type record struct{ pushes []string }

func (r *record) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
	r.pushes = append(r.pushes, string(f.Raw()))
	return nil
}

// report is what an error handler was given.
type report struct {
	name string
	err  error
}

// reports is an error handler that remembers its calls. It ends the goroutine of a processor that does not stop reporting.
type reports []report

func (r *reports) handle(_ context.Context, name []byte, err error) {
	if *r = append(*r, report{string(name), err}); len(*r) > 1000 {
		runtime.Goexit()
	}
}

// recording returns a processor that gives all pushes to a record, and its errors to reports.
func recording(opts ...dispatch.Option) (*dispatch.Processor, *record, *reports) {
	got, failed := new(record), new(reports)
	opts = append([]dispatch.Option{dispatch.WithFallback(got), dispatch.WithErrorHandler(failed.handle)}, opts...)
	return dispatch.NewProcessor(opts...), got, failed
}

// handle registers a function that needs the push alone.
func handle(t *testing.T, p *dispatch.Processor, name string, f func(f parser.Frame) error) {
	t.Helper()
	require.NoError(t, p.HandleFunc(name,
		func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			return f(push)
		}))
}

// pubSubNames are the pushes that are a client's own business.
var pubSubNames = []string{
	"message", "pmessage", "smessage",
	"subscribe", "psubscribe", "ssubscribe",
	"unsubscribe", "punsubscribe", "sunsubscribe",
}

// serve runs Serve with a receiver of wire bytes, or nil.
func (c *client) serve(p *dispatch.Processor, reply func(wire string) error) error {
	var receive func(parser.Frame) error
	if reply != nil {
		receive = func(f parser.Frame) error { return reply(string(f.Raw())) }
	}
	return p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, c.rd, receive)
}
