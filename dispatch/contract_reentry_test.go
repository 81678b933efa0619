package dispatch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// uses are the calls of a Reader that move its stream or tell what comes next in it.
var uses = []struct {
	name string
	use  func(p *dispatch.Processor, rd *parser.Reader) error
}{
	{"Next", func(_ *dispatch.Processor, rd *parser.Reader) error { _, err := rd.Next(); return err }},
	{"Skip", func(_ *dispatch.Processor, rd *parser.Reader) error { return rd.Skip() }},
	{"PeekType", func(_ *dispatch.Processor, rd *parser.Reader) error { _, err := rd.PeekType(); return err }},
	{"PeekPush", func(_ *dispatch.Processor, rd *parser.Reader) error { _, _, err := rd.PeekPush(); return err }},
	{"NextPush", func(_ *dispatch.Processor, rd *parser.Reader) error {
		_, _, err := rd.Driver().NextPush(true)
		return err
	}},
	{"NextBuffered", func(_ *dispatch.Processor, rd *parser.Reader) error {
		_, _, _, err := rd.Driver().NextBuffered(new(parser.Burst), false)
		return err
	}},
	{"Fill", func(_ *dispatch.Processor, rd *parser.Reader) error { return rd.Driver().Fill() }},
	{"SkipOversize", func(_ *dispatch.Processor, rd *parser.Reader) error { return rd.SkipOversize() }},
	{"ProcessPendingNotifications", func(p *dispatch.Processor, rd *parser.Reader) error {
		return p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd)
	}},
	{"ProcessBuffered", func(p *dispatch.Processor, rd *parser.Reader) error {
		n, err := p.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, rd)
		if n != 0 {
			return errors.New("took a push")
		}
		return err
	}},
	{"Serve", func(p *dispatch.Processor, rd *parser.Reader) error {
		return p.Serve(context.Background(), dispatch.NotificationHandlerContext{}, rd, nil)
	}},
	{"another processor", func(_ *dispatch.Processor, rd *parser.Reader) error {
		return dispatch.NewProcessor().ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd)
	}},
	{"void processor", func(_ *dispatch.Processor, rd *parser.Reader) error {
		return dispatch.NewVoidProcessor().ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd)
	}},
}

func TestUsingTheSameReaderIsRefusedAndTheStreamIntact(t *testing.T) {
	for _, u := range uses {
		t.Run(u.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, others, failed := recording()
				c := connect(t, push("a", "some value")+push("b", "x")+pong)
				handle(t, p, "a", func(f parser.Frame) error {
					before := string(f.Raw())
					err := u.use(p, c.rd)
					require.ErrorIs(t, err, parser.ErrReentrant)
					require.Equal(t, before, string(f.Raw()))
					require.NoError(t, c.rd.Err(), "refused, and no more than that")
					return err
				})
				require.Equal(t, pong, c.reply(t, p))
				require.Equal(t, []string{push("b", "x")}, others.pushes)
				require.Equal(t, reports{{"a", parser.ErrReentrant}}, *failed)
			})
		})
	}
}

// After a refused call, the next call must be refused as well.
func TestRefusalHoldsUntilTheHandlerReturns(t *testing.T) {
	for _, u := range uses {
		t.Run(u.name, func(t *testing.T) {
			p, others, failed := recording()
			c := ownBuffer()(t, push("a", "some value")+push("b", "x")+pong)
			handle(t, p, "a", func(f parser.Frame) error {
				_ = u.use(p, c.rd)
				for _, then := range uses {
					require.ErrorIs(t, then.use(p, c.rd), parser.ErrReentrant, "%s after it", then.name)
				}
				require.Equal(t, push("a", "some value"), string(f.Raw()))
				return nil
			})
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, []string{push("b", "x")}, others.pushes)
			require.Empty(t, *failed)
		})
	}
}

// Reset and Release return no error, so the Reader itself fails until a caller outside the handler resets it.
func TestResetAndReleaseFromAHandlerFailTheReader(t *testing.T) {
	for name, use := range map[string]func(c *client){
		"Reset":    func(c *client) { c.rd.Reset(bytes.NewReader([]byte(":1\r\n"))) },
		"ResetNil": func(c *client) { c.rd.Reset(nil) },
		"Release":  func(c *client) { c.rd.Release() },
	} {
		t.Run(name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, connect connect) {
				p, others, failed := recording()
				c := connect(t, push("a", "some value")+push("b", "x")+pong)
				handle(t, p, "a", func(f parser.Frame) error {
					before := string(f.Raw())
					use(c)
					require.Equal(t, before, string(f.Raw()))
					require.Equal(t, parser.ErrReentrant, c.rd.Err())
					_, err := c.rd.Next()
					return err
				})
				require.Equal(t, parser.ErrReentrant, c.process(p))
				require.Equal(t, parser.ErrReentrant, c.process(p), "it stays failed")
				n, err := c.buffered(p)
				require.Equal(t, parser.ErrReentrant, err)
				require.Zero(t, n)
				_, err = c.rd.Next()
				require.Equal(t, parser.ErrReentrant, err)
				require.Empty(t, others.pushes)
				require.Equal(t, reports{{"a", parser.ErrReentrant}}, *failed)

				c.rd.Reset(newStream(t, push("c", "of another stream")+pong))
				c.own = nil
				require.Equal(t, pong, c.reply(t, p))
				require.Equal(t, []string{push("c", "of another stream")}, others.pushes)
			})
		})
	}
}

// The methods that change nothing may be called at any time.
func TestAskingTheReaderIsHarmless(t *testing.T) {
	eachClient(t, func(t *testing.T, connect connect) {
		p, others, failed := recording()
		c := connect(t, push("a", "some value")+push("b", "x")+pong)
		handle(t, p, "a", func(f parser.Frame) error {
			c.rd.Buffered()
			c.rd.Pending()
			c.rd.Driver().MayHavePush()
			require.NoError(t, c.rd.Err())
			require.Equal(t, push("a", "some value"), string(f.Raw()))
			return nil
		})
		require.Equal(t, pong, c.reply(t, p))
		require.Equal(t, []string{push("b", "x")}, others.pushes)
		require.Empty(t, *failed)
	})
}

func TestReceiverOfAReplyMayNotUseTheReaderEither(t *testing.T) {
	for _, u := range uses {
		t.Run(u.name, func(t *testing.T) {
			p, others, _ := recording()
			c := ownBuffer()(t, "$4\r\nabcd\r\n"+push("b", "x")+pong)
			var replies []string
			var err error
			c.within(t, func() {
				err = c.serve(p, func(wire string) error {
					require.ErrorIs(t, u.use(p, c.rd), parser.ErrReentrant)
					if replies = append(replies, wire); len(replies) == 2 {
						return errHandler
					}
					return nil
				})
			})
			require.Equal(t, errHandler, err)
			require.Equal(t, []string{"$4\r\nabcd\r\n", pong}, replies)
			require.Equal(t, []string{push("b", "x")}, others.pushes)
		})
	}
}

// The error handler runs while the push is still lent, as name and error may borrow from it.
func TestErrorHandlerMayNotUseTheReaderEither(t *testing.T) {
	for _, u := range uses {
		t.Run(u.name, func(t *testing.T) {
			var p *dispatch.Processor
			var c *client
			got, reported := new(record), 0
			p = dispatch.NewProcessor(dispatch.WithFallback(got),
				dispatch.WithErrorHandler(func(_ context.Context, name []byte, _ error) {
					reported++
					require.ErrorIs(t, u.use(p, c.rd), parser.ErrReentrant)
					require.Contains(t, []string{"fails", "panics"}, string(name))
				}))
			handle(t, p, "fails", func(parser.Frame) error { return errHandler })
			handle(t, p, "panics", func(parser.Frame) error { panic("boom") })
			c = ownBuffer()(t, push("fails")+push("a")+push("panics")+push("b")+pong)
			require.Equal(t, pong, c.reply(t, p))
			require.Equal(t, 2, reported)
			require.Equal(t, []string{push("a"), push("b")}, got.pushes)
		})
	}
}

// A goroutine that ends inside a call leaves the Reader to the next one, whoever ends it: a handler, the one under an
// Overlay's, or the error handler.
func TestReaderIsNotLentWhenTheGoroutineHasEnded(t *testing.T) {
	exit := func() error { runtime.Goexit(); return nil }
	for name, c := range map[string]struct {
		handler func() error
		report  func()
	}{
		"handler":                   {exit, func() {}},
		"error handler of an error": {func() error { return errHandler }, runtime.Goexit},
		"error handler of a panic":  {func() error { panic("boom") }, runtime.Goexit},
	} {
		for _, wire := range []string{push("a"), push("a") + push("a"), ">2\r\n$1\r\na\r\n" + push("b") + ":1\r\n" + pong} {
			for _, overlaid := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%q/overlay=%t", name, wire, overlaid), func(t *testing.T) {
					p := dispatch.NewProcessor(dispatch.WithErrorHandler(func(context.Context, []byte, error) { c.report() }))
					handle(t, p, "a", func(parser.Frame) error { return c.handler() })
					o := p.Overlay()
					require.NoError(t, o.Observe("a", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error { return nil }))
					rd := parser.NewReader(strings.NewReader(wire))
					require.NoError(t, rd.Driver().Fill())
					ended := make(chan struct{})
					go func() {
						defer close(ended)
						if overlaid {
							_, _ = o.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, rd)
						} else {
							_ = p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd)
						}
						t.Error("the goroutine goes on")
					}()
					<-ended
					require.False(t, rd.Driver().Lent())
				})
			}
		}
	}
}

// A push that is not on the fast path lends the Reader as well.
func TestReaderIsLentForALongPush(t *testing.T) {
	p, _, failed := recording()
	rd := parser.NewReader(strings.NewReader(push("a", strings.Repeat("x", 100_000)) + push("a", strings.Split(strings.Repeat("x", 12), "")...) + pong))
	calls := 0
	handle(t, p, "a", func(parser.Frame) error {
		calls++
		require.True(t, rd.Driver().Lent())
		_, err := rd.Next()
		require.ErrorIs(t, err, parser.ErrReentrant)
		return nil
	})
	require.NoError(t, p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd))
	require.Equal(t, 2, calls)
	require.Empty(t, *failed)
}
