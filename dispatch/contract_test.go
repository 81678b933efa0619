package dispatch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// The tests of this file and of contract_*_test.go hold the processor to the delivery contract in the package's
// documentation.

var errHandler = errors.New("handler's own error")

func TestPushIsTakenWholeBeforeItsHandlerRunsExactlyOnce(t *testing.T) {
	for name, behave := range map[string]func(rd *parser.Reader) error{
		"succeeds": func(*parser.Reader) error { return nil },
		"fails":    func(*parser.Reader) error { return errHandler },
		"panics":   func(*parser.Reader) error { panic("boom") },
		"panics with nil": func(*parser.Reader) error {
			panic(nil) //nolint:govet // this is the case under test
		},
		"reads on": func(rd *parser.Reader) error { _, err := rd.Next(); return err },
	} {
		t.Run(name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, others, _ := recording()
				c := connect(t, push("first", "x"), push("a", "some value")+push("last", "y")+pong)
				calls := 0
				handle(t, p, "a", func(f parser.Frame) error {
					calls++
					require.Equal(t, push("a", "some value"), string(f.Raw()))
					pending, moved := c.rd.Pending()
					require.Zero(t, pending, "no part of the push is on the stream any more")
					require.Zero(t, moved)
					return behave(c.rd)
				})
				require.Equal(t, pong, c.reply(t, p))
				require.Equal(t, 1, calls)
				require.Equal(t, []string{push("first", "x"), push("last", "y")}, others.pushes)
			})
		})
	}
}

// A handler that ends its goroutine, as t.FailNow does, cannot report anything. The deferred functions of its caller, or
// another goroutine after it, still find the stream behind the push.
func TestPushIsTakenWhenItsHandlerEndsTheGoroutine(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, failed := recording()
		calls := 0
		handle(t, p, "a", func(parser.Frame) error {
			calls++
			runtime.Goexit()
			return nil
		})
		for _, wire := range []string{push("a", "x"), "*1\r\n" + push("a", "x") + "+OK\r\n"} {
			calls = 0
			c := connect(t, wire+push("b")+pong)
			returned := false
			c.within(t, func() {
				if wire[0] == '>' {
					_ = c.process(p)
				} else {
					f, _ := c.rd.Next()
					p.Dispatch(context.Background(), dispatch.NotificationHandlerContext{}, f)
				}
				returned = true
			})
			require.False(t, returned)
			others.pushes = nil
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{push("b")}, others.pushes)
			require.Equal(t, 1, calls)
			require.Empty(t, *failed)
		}
	})
}

// goroutine names the goroutine that calls it.
func goroutine() string {
	line, _, _ := bytes.Cut(debugStack(), []byte(" ["))
	return string(line)
}

func debugStack() []byte {
	b := make([]byte, 64)
	return b[:runtime.Stack(b, false)]
}

func TestPushesComeInWireOrderOnTheCallersGoroutine(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		var got, goroutines []string
		saw := func(what string) {
			got, goroutines = append(got, what), append(goroutines, goroutine())
		}
		p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
			func(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
				saw("fallback " + string(f.Raw()))
				return nil
			})))
		for _, name := range []string{"a", "b"} {
			handle(t, p, name, func(f parser.Frame) error { saw("handler " + string(f.Raw())); return nil })
		}
		var wire strings.Builder
		var want []string
		for i := range 60 {
			f := push([]string{"a", "b", "c"}[i%3], fmt.Sprint(i))
			wire.WriteString(f)
			want = append(want, []string{"handler ", "handler ", "fallback "}[i%3]+f)
		}
		c := connect(t, chunks(wire.String()+pong, 50)...)
		caller := ""
		var err error
		c.within(t, func() {
			caller = goroutine()
			err = c.process(p)
		})
		require.NoError(t, err)
		require.Equal(t, want, got)
		for _, g := range goroutines {
			require.Equal(t, caller, g)
		}
		wireReply, err := c.next()
		require.NoError(t, err)
		require.Equal(t, pong, wireReply)
	})
}

// A push whose name differs from that of the one before it in a single byte, or in length, is another push.
func TestSimilarNamesInARunAreToldApart(t *testing.T) {
	for size := 1; size <= 40; size++ {
		name := strings.Repeat("n", size)
		names := []string{name, name + "n"}
		for at := range size {
			names = append(names, name[:at]+"m"+name[at+1:])
		}
		p, others, _ := recording()
		var wire string
		var want, got []string
		for _, other := range names {
			handle(t, p, other, func(f parser.Frame) error { got = append(got, other+" "+string(f.Raw())); return nil })
			for _, n := range []string{other, name, name} {
				f := push(n, "x")
				wire, want = wire+f, append(want, n+" "+f)
			}
		}
		c := ownBuffer()(t, wire+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, want, got)
		require.Empty(t, others.pushes)
	}
}

func TestEveryErrorAndPanicIsReportedAndNothingElseChanges(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, failed := recording()
		handle(t, p, "fails", func(f parser.Frame) error { return errHandler })
		handle(t, p, "panics", func(f parser.Frame) error { panic("boom") })
		handle(t, p, "panics-with-error", func(f parser.Frame) error { panic(errHandler) })
		require.NoError(t, p.RegisterHandler("owned", &notified{err: errHandler}, false))
		var wire string
		var wantPushes, wantNames []string
		for i := range 40 {
			name := []string{"fails", "panics", "panics-with-error", "owned"}[i%4]
			other := push("other", fmt.Sprint(i))
			wire += push(name, fmt.Sprint(i)) + other
			wantPushes, wantNames = append(wantPushes, other), append(wantNames, name)
		}
		c := connect(t, chunks(wire+pong+push("fails")+":1\r\n", 4096)...)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, wantPushes, others.pushes)
		require.Len(t, *failed, len(wantNames))
		for i, r := range *failed {
			require.Equal(t, wantNames[i], r.name)
			var panicked *dispatch.PanicError
			switch isPanic := errors.As(r.err, &panicked); {
			case !isPanic:
				require.Equal(t, errHandler, r.err)
			case r.name == "panics":
				require.Equal(t, "boom", panicked.Value)
			default:
				require.Equal(t, "panics-with-error", r.name)
				require.ErrorIs(t, r.err, errHandler)
			}
			if panicked != nil {
				require.Contains(t, string(panicked.Stack), "TestEveryErrorAndPanic", "the stack is that of the handler")
			}
		}
		require.Equal(t, ":1\r\n", c.reply(t, p))
		require.Len(t, *failed, len(wantNames)+1)
	})
}

func TestErrorHandlersOwnPanicEndsThere(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		got := new(record)
		reported := 0
		p := dispatch.NewProcessor(dispatch.WithFallback(got),
			dispatch.WithErrorHandler(func(context.Context, []byte, error) {
				reported++
				panic("the error handler too")
			}))
		handle(t, p, "fails", func(f parser.Frame) error { return errHandler })
		handle(t, p, "panics", func(f parser.Frame) error { panic("boom") })
		c := connect(t, push("fails")+push("a")+push("panics")+push("b")+push("fails")+pong+"*1\r\n"+push("panics")+"+OK\r\n"+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push("a"), push("b")}, got.pushes)
		require.Equal(t, 3, reported)
		require.Equal(t, "*1\r\n"+push("panics")+"+OK\r\n", c.reply(t, p))
		require.Equal(t, pong, c.reply(t, p))
		stats := p.Stats()
		require.EqualValues(t, 2, stats.Errors)
		require.EqualValues(t, 1+3, stats.Panics)
	})
}

func TestPanicInsideAReplyCostsNoOtherPush(t *testing.T) {
	p, others, failed := recording()
	handle(t, p, "panics", func(f parser.Frame) error { panic("boom") })
	wire := "*2\r\n" + push("panics") + push("a") + ":1\r\n" + push("panics", "again") + push("b") + ":2\r\n"
	f, _, err := parser.Parse([]byte(wire))
	require.NoError(t, err)
	n := p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f)
	require.Equal(t, 4, n)
	require.Equal(t, []string{push("a"), push("b")}, others.pushes)
	require.Len(t, *failed, 2)
	require.Equal(t, wire, string(f.Raw()))
}

// The name that the error handler gets is that of the push, or none.
func TestErrorOfAPushWithoutNameIsReportedWithoutName(t *testing.T) {
	type call struct {
		name []byte
		err  error
	}
	var calls []call
	fail := func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return errHandler }
	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(fail)),
		dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
			calls = append(calls, call{bytes.Clone(name), err})
		}))
	c := ownBuffer()(t, push("a")+">0\r\n>1\r\n:1\r\n"+push("")+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []call{{[]byte("a"), errHandler}, {nil, errHandler}, {nil, errHandler}, {[]byte{}, errHandler}}, calls)
}

func TestErrorsAreLoggedByDefault(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))

	p := dispatch.NewProcessor()
	handle(t, p, "fails", func(f parser.Frame) error { return errHandler })
	handle(t, p, "panics", func(f parser.Frame) error { panic("boom") })
	c := ownBuffer()(t, push("fails")+push("panics")+push("unknown")+pong)
	require.Equal(t, pong, c.reply(t, p))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	for i, what := range []string{"fails", "panics"} {
		require.Contains(t, lines[i], "level=WARN")
		require.Contains(t, lines[i], what)
	}
	require.Contains(t, lines[0], errHandler.Error())
	require.Contains(t, lines[1], "boom")
}

// Handlers see one snapshot per push: a change that a handler makes holds from the next push on.
func TestChangeHoldsFromTheNextPushOn(t *testing.T) {
	p, others, _ := recording()
	var got []string
	handle(t, p, "swap", func(parser.Frame) error {
		got = append(got, "swap")
		require.NoError(t, p.UnregisterHandler("old"))
		handle(t, p, "new", func(f parser.Frame) error { got = append(got, "new"); return nil })
		return nil
	})
	handle(t, p, "old", func(f parser.Frame) error { got = append(got, "old"); return nil })
	c := ownBuffer()(t, push("old")+push("new")+push("swap")+push("old")+push("new")+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{"old", "swap", "new"}, got)
	require.Equal(t, []string{push("new"), push("old")}, others.pushes)
}

// The same holds within a run of pushes with one name.
func TestChangeHoldsWithinARunOfOneName(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		var p *dispatch.Processor
		var got []string
		saw := func(what string, then func() error) dispatch.HandlerFunc {
			return func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
				if got = append(got, what); len(got)%3 == 0 {
					return then()
				}
				return nil
			}
		}
		second := saw("second", func() error { return p.UnregisterHandler("invalidate") })
		first := saw("first", func() error { return p.UnregisterHandler("invalidate") })
		fallback := saw("fallback", func() error { return p.Handle("invalidate", second) })
		p = dispatch.NewProcessor(dispatch.WithFallback(fallback))
		require.NoError(t, p.Handle("invalidate", first))
		c := connect(t, strings.Repeat(push("invalidate", "some-key"), 11)+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{
			"first", "first", "first", "fallback", "fallback", "fallback", "second", "second", "second", "fallback", "fallback",
		}, got)
	})
}

func TestCallUnderWayFinishesAfterUnregister(t *testing.T) {
	p, _, _ := recording()
	entered, leave := make(chan struct{}), make(chan struct{})
	finished := false
	handle(t, p, "a", func(f parser.Frame) error {
		close(entered)
		<-leave
		finished = string(f.Raw()) == push("a", "x")
		return nil
	})
	c := ownBuffer()(t, push("a", "x")+pong)
	done := background(func() { _ = c.process(p) })
	<-entered
	require.NoError(t, p.UnregisterHandler("a"), "does not wait for the call")
	require.NoError(t, p.Handle("a", new(record)))
	close(leave)
	<-done
	require.True(t, finished)
	wire, err := c.next()
	require.NoError(t, err)
	require.Equal(t, pong, wire)
}

func TestHandlerUnregistersItself(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, _ := recording()
		calls := 0
		handle(t, p, "once", func(parser.Frame) error {
			calls++
			return p.UnregisterHandler("once")
		})
		c := connect(t, push("once", "x")+push("once", "y")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, 1, calls)
		require.Equal(t, []string{push("once", "y")}, others.pushes)
		require.Nil(t, p.GetHandler("once"))
	})
}

func TestHandlerRegistersAndReplacesItself(t *testing.T) {
	p, others, failed := recording()
	var got []string
	handle(t, p, "a", func(parser.Frame) error {
		got = append(got, "first")
		require.True(t, dispatch.IsHandlerExistsError(p.Handle("a", new(record))))
		if err := p.UnregisterHandler("a"); err != nil {
			return err
		}
		handle(t, p, "a", func(parser.Frame) error { got = append(got, "second"); return nil })
		return p.Handle("b", new(record))
	})
	c := ownBuffer()(t, push("a")+push("a")+push("b")+pong)
	require.Equal(t, pong, c.reply(t, p))
	require.Equal(t, []string{"first", "second"}, got)
	require.Empty(t, others.pushes)
	require.Empty(t, *failed)
}

func TestHandlerUsesAnotherConnection(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, _ := recording()
		other := connect(t, push("b", "of the other")+":7\r\n")
		replies := 0
		handle(t, p, "a", func(f parser.Frame) error {
			before := string(f.Raw())
			err := other.process(p)
			require.NoError(t, err)
			reply, err := other.next()
			require.NoError(t, err)
			require.Equal(t, ":7\r\n", reply)
			require.Equal(t, before, string(f.Raw()))
			replies++
			return nil
		})
		c := connect(t, push("a", "x")+push("c", "z")+pong)
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, 1, replies)
		require.Equal(t, []string{push("b", "of the other"), push("c", "z")}, others.pushes)
		other.send(io.EOF)
		_, err := other.next()
		require.Equal(t, io.EOF, err)
	})
}
