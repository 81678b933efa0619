package goredis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/parser"
)

// conducts are what the handlers of a run do, besides writing into the journal.
var conducts = map[string]func(r *run) error{
	"return": func(*run) error { return nil },
	"fail":   func(*run) error { return errors.New("failure") },
	"panic":  func(*run) error { panic("panic") },
	"read in the client's buffer": func(r *run) error {
		reply, err := r.l.rd.ReadReply()
		r.add(fmt.Sprint("handler read ", reply, err))
		return nil
	},
	"process further pushes": func(r *run) error {
		if r.depth++; r.depth < 3 {
			r.add(fmt.Sprint("handler processed ", r.l.process()))
		}
		r.depth--
		return nil
	},
	"unregister": func(r *run) error { return r.own.UnregisterHandler("invalidate") },
	"register": func(r *run) error {
		return r.own.RegisterHandler("MOVING", handlerFunc(func(notification []any) error {
			r.add(fmt.Sprint("registered ", notification))
			return nil
		}), false)
	},
}

// run is one run of a stream.
type run struct {
	journal
	own   *goredis.Processor
	l     *link
	depth int
}

// result is what is seen of a run.
type result struct {
	entries []string
	stats   dispatch.Stats
	left    int // bytes in go-redis' buffer
	blocked int // reads of what never arrives
}

// read processes and reads pieces to their end, and returns what came of it. Handlers of p and of the client's own are
// called for an invalidate; one of p's for a message; one of the client's for the name "own".
func read(t *testing.T, conduct func(r *run) error, prepare func(*goredis.Processor), pubSub bool, size int, pieces ...any) result {
	r := new(run)
	p := dispatch.NewProcessor(
		dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
			if e := new(dispatch.PanicError); errors.As(err, &e) {
				err = fmt.Errorf("panic %v with stack %t", e.Value, len(e.Stack) > 0)
			}
			r.add(fmt.Sprintf("error of %s: %v", name, err))
		}),
	)
	r.own = goredis.NewProcessor(p)
	prepare(r.own)
	for _, name := range []string{"invalidate", "message"} {
		require.NoError(t, p.HandleFunc(name, func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
			r.add(pushEntry(push))
			return conduct(r)
		}))
	}
	for _, name := range []string{"invalidate", "own"} {
		require.NoError(t, r.own.RegisterHandler(name, handlerFunc(func(notification []any) error {
			r.add(fmt.Sprint("own ", notification))
			return conduct(r)
		}), false))
	}
	a := arriving(slices.Clone(pieces)...)
	r.l = newLink(t, r.own, size, a)
	r.l.pubSub = pubSub
	for a.blocked == 0 {
		r.add(fmt.Sprint("processed ", r.l.process()))
		reply, err := r.l.rd.ReadReply()
		r.add(fmt.Sprint("reply ", reply, err))
		if a.goOn(); err != nil && len(r.entries) > 1000 {
			break
		}
	}
	return result{r.entries, p.Stats(), r.l.rd.Buffered(), a.blocked}
}

// A push that is handled without a session, as one that is plain and whole is, is handled as any other.
func TestLonePushesAreHandledAsInASession(t *testing.T) {
	frames := []string{
		invalidate, invalidate, flush, flush, moving, message, pmessage, subscribe, unsubscribe, attribute, attribute + flush,
		">2\r\n$3\r\nown\r\n:1\r\n", ">2\r\n$3\r\nown\r\n*2\r\n+a\r\n,1.5\r\n", ">1\r\n$3\r\nown\r\n", ">2\r\n$7\r\nunknown\r\n:1\r\n",
		">2\r\n:1\r\n:2\r\n", ">0\r\n", ">2\r\n+own\r\n_\r\n", ">3\r\n$3\r\nown\r\n>1\r\n$6\r\nMOVING\r\n:1\r\n:2\r\n",
		"*2\r\n+OK\r\n" + flush + ":1\r\n", "+OK\r\n", ":7\r\n", "$5\r\n>1\r\n+\r\n", largePush + bulk(600), largePush + bulk(1100), ">1\r\n$3\r\nown\r\nx",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, conduct := range conducts {
		t.Run(name, func(t *testing.T) {
			for range 400 {
				var wire strings.Builder
				for range 1 + rng.IntN(6) {
					n := len(frames)
					if rng.IntN(8) > 0 {
						n-- // mostly without the malformed one
					}
					wire.WriteString(frames[rng.IntN(n)])
				}
				pieces := []any{wire.String()}
				switch rng.IntN(3) {
				case 1:
					pieces = cut(wire.String(), 1+rng.IntN(wire.Len()))
				case 2:
					at := rng.IntN(wire.Len())
					pieces = []any{wire.String()[:at], errTimeout, wire.String()[at:]}
				}
				size, pubSub := sizes[rng.IntN(len(sizes))], rng.IntN(3) == 0
				want := read(t, conduct, (*goredis.Processor).OnlySessions, pubSub, size, pieces...)
				got := read(t, conduct, func(*goredis.Processor) {}, pubSub, size, pieces...)
				require.Equal(t, want, got, "pubSub %t, buffer %d: %q", pubSub, size, pieces)
			}
		})
	}
}

// No result tells whether a session has done the work.
func TestPlainPushesNeedNoSession(t *testing.T) {
	if f, _ := parser.PlainPush([]byte(invalidate)); f.Raw() == nil {
		t.Skip("this build has no fast path")
	}
	for _, c := range []struct {
		wire  string
		taken int
		over  bool
		left  string
	}{
		{flush + "+OK\r\n", 1, true, "+OK\r\n"},
		{invalidate + moving + flush + message + ":1\r\n", 4, true, ":1\r\n"},
		{flush + subscribe, 1, true, subscribe},
		{flush, 1, true, ""},
		{flush + attribute + flush, 1, false, attribute + flush},
		{flush + largePush + bulk(2000), 1, false, largePush + bulk(2000)},
		{flush + moving[:20], 1, false, moving[:20]},
	} {
		var j journal
		l := newLink(t, nil, 0, arriving(c.wire))
		_, err := l.rd.Peek(1)
		require.NoError(t, err)
		taken, over, err := j.processor().Lone(l.rd)
		require.NoError(t, err)
		require.Equal(t, c.taken, taken, c.wire)
		require.Equal(t, c.over, over, c.wire)
		require.Len(t, j.entries, taken, c.wire)
		left, _ := l.rd.Peek(l.rd.Buffered())
		require.Equal(t, c.left, string(left))
	}
}

// What a handler reads in the client's buffer is what is behind its push, and no more is taken than that.
func TestAHandlerMayReadInTheClientsBuffer(t *testing.T) {
	for name, prepare := range map[string]func(*goredis.Processor){
		"lone":       func(*goredis.Processor) {},
		"in session": (*goredis.Processor).OnlySessions,
	} {
		for _, wire := range []string{flush, attribute + flush, largePush + bulk(600)} {
			var j journal
			p := goredis.NewProcessor(nil)
			prepare(p)
			var l *link
			require.NoError(t, p.RegisterHandler("invalidate", handlerFunc(func([]any) error {
				reply, err := l.rd.ReadReply()
				require.NoError(t, err)
				j.add(fmt.Sprint("handler ", reply))
				return nil
			}), false))
			l = newLink(t, p, 128, arriving(wire+"+A\r\n"+wire+"+B\r\n+C\r\n"))
			j.read(t, l, 1)
			require.Equal(t, []string{"handler A", "handler B", "reply C"}, j.entries, "%s, %.30q", name, wire)
		}
	}
}
