package dispatch_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/parser"
)

// captureReaders are the ways of reading a capture.
var captureReaders = []struct {
	name string
	open func(rd io.Reader) *parser.Reader
}{
	{"buffer=16", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd, parser.WithBufferSize(16)) }},
	{"buffer=default", func(rd io.Reader) *parser.Reader { return parser.NewReader(rd) }},
	{"bufio=16", func(rd io.Reader) *parser.Reader { return parser.NewReader(bufio.NewReaderSize(rd, 16)) }},
	{"bufio=4096", func(rd io.Reader) *parser.Reader { return parser.NewReader(bufio.NewReaderSize(rd, 4096)) }},
}

// noContext is for handlers that do not ask where a push comes from.
var noContext dispatch.NotificationHandlerContext

// A replay is one client that reads a capture.
type replay struct {
	t     *testing.T
	c     captures.Capture
	rd    *parser.Reader
	p     *dispatch.Processor
	at    int // where in the capture the next frame begins
	own   int // pushes that the client took itself
	names []string
	captures.Counts
}

// HandlePush records a push: it must be the next frame of the capture, or be inside that.
func (r *replay) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	r.names = append(r.names, string(push.Name()))
	if r.follows(push) {
		r.Pushes++
		return nil
	}
	r.Nested++
	next, _, err := parser.Parse(r.c.Bytes[r.at:])
	r.must(err)
	require.True(r.t, !next.IsPush() && bytes.Contains(next.Raw(), push.Raw()), "at offset %d: %.100q", r.at, push.Raw())
	return nil
}

// follows reports whether f is the next frame of the capture, and moves on to the frame after it.
func (r *replay) follows(f parser.Frame) bool {
	if !bytes.HasPrefix(r.c.Bytes[r.at:], f.Raw()) {
		return false
	}
	r.at += len(f.Raw())
	return true
}

// reply records a reply, which must be the next frame of the capture.
func (r *replay) reply(f parser.Frame) error {
	r.Replies++
	require.False(r.t, f.IsPush())
	require.True(r.t, r.follows(f), "at offset %d: %.100q", r.at, f.Raw())
	return nil
}

// dispatch gives what is nested in a reply to the processor, and records the reply.
func (r *replay) dispatch(f parser.Frame) {
	nested := r.Nested
	n := r.p.Dispatch(r.t.Context(), noContext, f)
	require.Equal(r.t, r.Nested-nested, n)
	r.must(r.reply(f))
}

// must fails the test for an error. The check before the call makes must cheap enough to call for every byte.
func (r *replay) must(err error) {
	if err != nil {
		require.NoError(r.t, err)
	}
}

// check compares the recording with the index.
func (r *replay) check() {
	r.Attributes, r.Tail = r.c.Attributes, len(r.c.Bytes)-r.at // the parser's tests count the former
	require.Equal(r.t, r.c.Counts, r.Counts)
	if r.c.Truncated {
		require.Equal(r.t, r.c.Names, r.names[:len(r.c.Names)])
	} else {
		require.Equal(r.t, r.c.Names, r.names)
	}
	stats := r.p.Stats()
	require.EqualValues(r.t, len(r.names)-r.own, stats.Pushes)
	require.EqualValues(r.t, r.Nested, stats.Nested)
	require.Zero(r.t, stats.Unhandled+stats.Errors+stats.Panics+stats.Oversize)
}

// pieceSizes are the sizes of the reads in which the captures arrive.
var pieceSizes = []int{1, 2, 3, 7, 64, 4096}

// eachReplay runs test for every capture, in pieces of every other size for each way of reading.
func eachReplay(t *testing.T, pieces func([]byte, int) *captures.Pieces, sizes []int, test func(r *replay), opts ...dispatch.Option) {
	for i, reader := range captureReaders {
		for j, size := range sizes {
			t.Run(fmt.Sprintf("%s/pieces=%d", reader.name, size), func(t *testing.T) {
				for n, c := range captures.All(t) {
					every := 2
					if c.Heavy() {
						every = len(captureReaders)
					}
					if (n+i+j)%every != 0 || c.Heavy() && size < 3 {
						continue // the next captures are read in this way; parser's tests have all
					}
					t.Run(c.File, func(t *testing.T) {
						r := &replay{t: t, c: c, rd: reader.open(pieces(c.Bytes, size))}
						r.p = dispatch.NewProcessor(append(opts, dispatch.WithFallback(r))...)
						for _, name := range []string{"invalidate", "message", "subscribe", "MOVING"} {
							require.NoError(t, r.p.Handle(name, r))
						}
						test(r)
						r.check()
					})
				}
			})
		}
	}
}

func TestCapturesHaveTheirPushesTakenBeforeEachReply(t *testing.T) {
	t.Parallel()
	eachReplay(t, captures.NewPieces, pieceSizes, func(r *replay) {
		for {
			r.must(r.p.ProcessPendingNotifications(t.Context(), noContext, r.rd))
			f, err := r.rd.Next()
			if err == io.EOF {
				return
			}
			r.must(err)
			r.dispatch(f)
		}
	}, dispatch.WithPubSub())
}

// The client peeks for the pushes of publish and subscribe.
func TestCapturesHaveTheirPubSubPushesLeft(t *testing.T) {
	t.Parallel()
	eachReplay(t, captures.NewPieces, pieceSizes, func(r *replay) {
		for {
			r.must(r.p.ProcessPendingNotifications(t.Context(), noContext, r.rd))
			name, push, err := r.rd.PeekPush()
			if err == io.EOF {
				return
			}
			r.must(err)
			require.Equal(r.t, push, parser.IsPubSub(name))
			f, err := r.rd.Next()
			r.must(err)
			if push {
				r.own++
				r.must(r.HandlePush(t.Context(), noContext, f))
			} else {
				r.dispatch(f)
			}
		}
	})
}

// The processor never reads: the client does, from a connection that times out before every
// piece.
func TestCapturesHaveTheirPushesTakenWithoutReading(t *testing.T) {
	t.Parallel()
	eachReplay(t, captures.NewStutter, []int{3, 64}, func(r *replay) {
		for {
			pushes := r.Pushes
			n, err := r.p.ProcessBuffered(t.Context(), noContext, r.rd)
			r.must(err)
			if n != r.Pushes-pushes {
				require.Equal(r.t, r.Pushes-pushes, n)
			}
			if typ, _ := r.rd.Pending(); typ == parser.TypePush || r.rd.Buffered() == 0 {
				if err = r.rd.Driver().Fill(); err == io.EOF {
					return
				}
			} else {
				var f parser.Frame
				if f, err = r.rd.Next(); err == nil {
					r.dispatch(f)
				}
			}
			if err != os.ErrDeadlineExceeded {
				r.must(err)
			}
		}
	}, dispatch.WithPubSub())
}

func TestCapturesAreServedToTheirEnd(t *testing.T) {
	t.Parallel()
	eachReplay(t, captures.NewPieces, []int{2, 64}, func(r *replay) {
		require.NoError(r.t, r.p.Serve(t.Context(), noContext, r.rd, r.reply))
	}, dispatch.WithPubSub())
}
