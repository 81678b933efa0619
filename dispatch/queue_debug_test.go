//go:build respushdebug

package dispatch_test

import (
	"context"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// heldBack gives pushes to a queue whose handler begins when all have been given, so that no two of them use the same
// buffer. It returns when all have been delivered.
func heldBack(t *testing.T, wires []string, handler func(f parser.Frame) error, opts ...dispatch.QueueOption) {
	t.Helper()
	entered, begin := make(chan struct{}, len(wires)+1), make(chan struct{})
	q := dispatch.NewQueue(dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
			entered <- struct{}{}
			<-begin
			return handler(f)
		}), opts...)
	hand(t, q, wires[0])
	arrives(t, entered)
	hand(t, q, wires[1:]...)
	close(begin)
	drained(t, q)
}

func TestKeptBytesAreOverwrittenWhenTheQueuesHandlerReturns(t *testing.T) {
	for name, behave := range map[string]func() error{
		"succeeds": func() error { return nil },
		"fails":    func() error { return errHandler },
		"panics":   func() error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			wire := push("a", "some value")
			var k kept
			var reported [][]byte
			checked := 0
			heldBack(t, []string{wire, push("check"), push("b", "another value")}, func(f parser.Frame) error {
				switch string(f.Name()) {
				case "a":
					_ = k.keep(f)
					return behave()
				case "check":
					k.shows(t, wire, "a", "some value")
				default:
					require.Equal(t, push("b", "another value"), string(f.Raw()), "what waits is not touched")
				}
				checked++
				return nil
			}, dispatch.QueueErrorHandler(func(_ context.Context, name []byte, err error) {
				require.Equal(t, "a", string(name), "valid until the error handler returns, if that comes later: %v", err)
				reported = append(reported, name)
			}))
			require.Equal(t, 2, checked)
			k.shows(t, wire, "a", "some value")
			if name == "succeeds" {
				require.Empty(t, reported)
			} else {
				require.Equal(t, [][]byte{[]byte("!")}, reported)
			}
		})
	}
}

func TestCallersBytesAreIntactBehindAQueue(t *testing.T) {
	f := framed(push("a", "some value"))
	q := dispatch.NewQueue(discard{})
	require.NoError(t, q.HandlePush(t.Context(), noContext, f))
	drained(t, q)
	require.Equal(t, push("a", "some value"), string(f.Raw()))
}

// Every flush is overwritten, and the next one is whole.
func TestFlushOfAQueueIsOverwritten(t *testing.T) {
	for range 2 {
		var flushes []parser.Frame
		wires := []string{push("first"), invalidation("a"), invalidation("b")}
		heldBack(t, wires, func(f parser.Frame) error {
			if string(f.Name()) == "invalidate" {
				require.Equal(t, flushAll, string(f.Raw()))
				flushes = append(flushes, f)
			}
			return nil
		}, dispatch.QueueSize(1), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
		require.Len(t, flushes, 1)
		require.Equal(t, strings.Repeat("!", len(flushAll)), string(flushes[0].Raw()))
	}
}
