package tap_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// mode is how a Conn is set up.
type mode struct {
	name string
	opts []tap.Option
}

var (
	byDefault = mode{"default", nil}
	observing = mode{"observe", []tap.Option{tap.Observe()}}
	keeping   = mode{"keep", []tap.Option{tap.KeepPubSub()}}
	modes     = []mode{byDefault, observing, keeping}
)

// inner is a connection of which only the reading side is of interest.
type inner struct {
	net.Conn
	io.Reader
}

func (c inner) Read(p []byte) (int, error) { return c.Reader.Read(p) }

// record keeps the pushes it is given as they are on the wire.
type record struct{ pushes []string }

func (r *record) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	r.pushes = append(r.pushes, string(push.Raw()))
	return nil
}

// handler is a handler that needs the push only.
func handler(f func(push parser.Frame) error) dispatch.HandlerFunc {
	return func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		return f(push)
	}
}

// recording returns a processor that gives all pushes to a record.
func recording() (*dispatch.Processor, *record) {
	r := new(record)
	return dispatch.NewProcessor(dispatch.WithFallback(r)), r
}

// result is what a client has seen of a stream.
type result struct {
	left   string
	pushes []string
	read   error // what ended the reading; nil stands for io.EOF
	err    error // what Err returns
}

// equal is for results that are too long to be shown.
func (r result) equal(o result) bool {
	return r.left == o.left && slices.Equal(r.pushes, o.pushes) && reflect.DeepEqual(r.read, o.read) && reflect.DeepEqual(r.err, o.err)
}

// read reads a Conn over rd in reads of size bytes until an error that is no stall.
func read(t *testing.T, rd io.Reader, size int, opts []tap.Option) result {
	t.Helper()
	p, record := recording()
	c := tap.NewConn(inner{Reader: rd}, p, opts...)
	b := make([]byte, size)
	var left bytes.Buffer
	for {
		n, err := c.Read(b)
		left.Write(b[:n])
		if err == vectors.ErrStall {
			continue
		}
		if err == nil {
			if n == 0 {
				t.Fatal("a Read without a byte and without an error")
			}
			continue
		}
		n, again := c.Read(b)
		require.Zero(t, n, "bytes behind the end")
		require.Equal(t, err, again, "another error")
		if err == io.EOF {
			err = nil
		}
		return result{left.String(), record.pushes, err, c.Err()}
	}
}

// check compares what a client has seen of stream in a mode with what it had to see.
func check(t *testing.T, stream []byte, m mode, r result) {
	t.Helper()
	e := expect(stream, m.name == "keep")
	defer func() {
		if t.Failed() {
			t.Logf("%q in mode %s:\nexpected %+v\ngot %+v", stream, m.name, e, r)
		}
	}()
	if e.either && errors.As(r.err, new(*parser.LimitError)) {
		return
	}
	if m.name == "observe" {
		require.Equal(t, string(stream), r.left)
		require.NoError(t, r.read)
	} else if e.err == nil && !e.tail && !e.open {
		require.Equal(t, string(e.left), r.left)
	} else {
		require.True(t, strings.HasPrefix(r.left, string(e.left)), "%q is not the beginning of %q", e.left, r.left)
	}
	require.GreaterOrEqual(t, len(r.pushes), len(e.pushes))
	require.True(t, slices.Equal(e.pushes, r.pushes[:len(e.pushes)]), "%q does not begin with %q", r.pushes, e.pushes)
	switch {
	case e.open:
	case e.err != nil:
		require.Equal(t, e.err, errors.Unwrap(r.err))
		require.ErrorContains(t, r.err, "tap: parser: ")
		if m.name != "observe" {
			require.Equal(t, r.err, r.read)
		}
	case e.tail:
		if r.read != nil { // inside a push, which may be in a reply
			require.Equal(t, io.ErrUnexpectedEOF, r.read)
			require.Equal(t, io.ErrUnexpectedEOF, r.err)
		}
	default:
		require.Len(t, r.pushes, len(e.pushes))
		require.NoError(t, r.read)
		require.NoError(t, r.err)
	}
}
