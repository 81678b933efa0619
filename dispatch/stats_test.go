package dispatch_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// counted returns a processor with handlers of every behaviour and no fallback.
func counted(t *testing.T, opts ...dispatch.Option) *dispatch.Processor {
	p := dispatch.NewProcessor(append([]dispatch.Option{dispatch.WithErrorHandler(new(reports).handle)}, opts...)...)
	handle(t, p, "ok", func(parser.Frame) error { return nil })
	handle(t, p, "fails", func(parser.Frame) error { return errHandler })
	handle(t, p, "panics", func(parser.Frame) error { panic("boom") })
	require.NoError(t, p.RegisterHandler("owned", new(notified), false))
	return p
}

func TestStatsCountEveryPushOnce(t *testing.T) {
	large := push("ok", strings.Repeat("x", 101))
	for _, c := range []struct {
		wire string
		want dispatch.Stats // but for Bytes
	}{
		{pong, dispatch.Stats{}},
		{push("ok") + pong, dispatch.Stats{Pushes: 1}},
		{push("ok") + push("owned") + push("fails") + push("ok") + pong, dispatch.Stats{Pushes: 4, Errors: 1}},
		{push("panics") + push("panics") + push("ok") + pong, dispatch.Stats{Pushes: 3, Panics: 2}},
		{push("unknown") + ">0\r\n>1\r\n:1\r\n" + push("ok") + pong, dispatch.Stats{Pushes: 4, Unhandled: 3}},
		{">2\r\n+ok\r\n" + push("fails") + ":1\r\n" + pong, dispatch.Stats{Pushes: 2, Nested: 1, Errors: 1}},
		{">2\r\n+none\r\n" + push("panics") + push("ok") + ":1\r\n" + pong, dispatch.Stats{Pushes: 3, Nested: 2, Panics: 1, Unhandled: 1}},
		{large + push("ok") + large + pong, dispatch.Stats{Pushes: 1, Oversize: 2}},
		{attribute + push("ok") + pong, dispatch.Stats{Pushes: 1}},
	} {
		t.Run(fmt.Sprintf("%.40q", c.wire), func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p := counted(t, dispatch.WithSkipOversize())
				conn := connect(t, c.wire)
				require.Equal(t, pong, conn.reply(t, p))
				want := c.want
				want.Bytes = pushBytes(c.wire, large)
				require.Equal(t, want, p.Stats())
				require.Equal(t, want, p.Stats(), "asking changes nothing")
				require.Equal(t, dispatch.Stats{}, counted(t).Stats(), "another processor counts for itself")

				served := counted(t, dispatch.WithSkipOversize())
				conn = connect(t, c.wire, io.EOF)
				require.NoError(t, conn.serve(served, nil))
				require.Equal(t, want, served.Stats())
			}, parser.WithLimits(narrow))
		})
	}
}

// pushBytes sums the sizes of the pushes of a wire, those inside others once more.
func pushBytes(wire, dropped string) uint64 {
	n := 0
	for b := []byte(strings.ReplaceAll(wire, dropped, "")); len(b) > 0; {
		f, size, err := parser.Parse(b)
		if err != nil {
			panic(err)
		}
		if f.IsPush() {
			n += size
		}
		for inner := range f.NestedPushes() {
			n += len(inner.Raw())
		}
		b = b[size:]
	}
	return uint64(n)
}

func TestStatsCountWhatDispatchIsGiven(t *testing.T) {
	p := counted(t)
	wire := "*1\r\n" + push("ok", "1") + push("fails") + push("unknown") + ":1\r\n"
	for _, w := range []string{wire, pong, push("ok")} {
		f, _, err := parser.Parse([]byte(w))
		require.NoError(t, err)
		p.Dispatch(t.Context(), dispatch.NotificationHandlerContext{}, f)
	}
	require.Equal(t, dispatch.Stats{
		Pushes: 4, Bytes: uint64(len(push("ok", "1") + push("fails") + push("unknown") + push("ok"))),
		Unhandled: 1, Errors: 1, Nested: 3,
	}, p.Stats())
}

func TestStatsLeaveOutWhatIsLeftUnreadAndWhatFailed(t *testing.T) {
	p := counted(t)
	c := ownBuffer()(t, push("message", "ch", "x")+pong+push("ok")+">x\r\n")
	require.Equal(t, push("message", "ch", "x"), c.reply(t, p))
	require.Equal(t, pong, c.reply(t, p))
	require.Error(t, c.process(p))
	require.Equal(t, dispatch.Stats{Pushes: 1, Bytes: uint64(len(push("ok")))}, p.Stats())
}

// The counts include the pushes of a connection that waits for the next one.
func TestStatsAreUpToDateWhileACallWaits(t *testing.T) {
	for name, call := range map[string]func(c *client, p *dispatch.Processor){
		"ProcessPendingNotifications": func(c *client, p *dispatch.Processor) { _ = c.process(p) },
		"Serve":                       func(c *client, p *dispatch.Processor) { _ = c.serve(p, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p := counted(t)
				c := connect(t, push("ok")+push("fails")+push("panics"))
				done := c.waiting(t, func() { call(c, p) })
				require.Equal(t, dispatch.Stats{
					Pushes: 3, Bytes: uint64(len(push("ok") + push("fails") + push("panics"))), Errors: 1, Panics: 1,
				}, p.Stats())
				c.send(pong, io.EOF)
				<-done
			})
		})
	}
}

// A push is counted as taken even if its handler ends the goroutine.
func TestStatsCountAPushWhoseHandlerEndsTheGoroutine(t *testing.T) {
	p := dispatch.NewProcessor()
	handle(t, p, "exits", func(parser.Frame) error { runtime.Goexit(); return nil })
	for _, call := range []func(c *client){
		func(c *client) { _ = c.process(p) },
		func(c *client) { _ = c.serve(p, nil) },
	} {
		before := p.Stats()
		c := ownBuffer()(t, push("exits")+pong)
		c.within(t, func() { call(c) })
		require.Equal(t, before.Pushes+1, p.Stats().Pushes)
	}
}

func TestStatsAddUpOverManyConnections(t *testing.T) {
	const connections, rounds = 8, 200
	p := counted(t, dispatch.WithErrorHandler(nil), dispatch.WithFallback(nil))
	require.NoError(t, p.UnregisterHandler("fails"))
	require.NoError(t, p.UnregisterHandler("panics"))
	var wg sync.WaitGroup
	for range connections {
		wg.Add(1)
		c := ownBuffer()(t, strings.Repeat(push("ok")+push("unknown")+pong, rounds), io.EOF)
		go func() {
			defer wg.Done()
			for range rounds {
				_ = c.process(p)
				_, _ = c.rd.Next()
				_ = p.Stats()
			}
		}()
	}
	wg.Wait()
	require.Equal(t, dispatch.Stats{
		Pushes:    2 * connections * rounds,
		Bytes:     uint64(connections * rounds * len(push("ok")+push("unknown"))),
		Unhandled: connections * rounds,
	}, p.Stats())
}
