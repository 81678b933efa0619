package tap_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// small are limits that a push is soon over.
var small = parser.Limits{MaxFrame: 60, MaxBulk: 20, MaxElements: 4, MaxDepth: 3}

// oversize are pushes over small limits, each over another one, and in places where a Scanner that drops might stumble.
var oversize = []string{
	push("a", strings.Repeat("x", 21)),
	push("a", strings.Repeat("x", 19), strings.Repeat("y", 19), strings.Repeat("z", 19)),
	">5\r\n+a\r\n:1\r\n:2\r\n:3\r\n:4\r\n",
	">2\r\n+a\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	">2\r\n+a\r\n" + push("inner", strings.Repeat("x", 1000)) + push("other") + ":1\r\n",
	"|1\r\n+k\r\n+v\r\n" + push("a", strings.Repeat("x", 1000)),
	push("message", "news", strings.Repeat("x", 1000)),
}

func TestPushOverALimitEndsTheStream(t *testing.T) {
	limits := tap.WithLimits(small)
	for _, wire := range oversize {
		long := []byte(pong + passed + "*2\r\n:1\r\n" + passed + ":2\r\n" + wire + pong)
		for _, size := range sizes {
			r := read(t, captures.NewPieces(long, 5), size, []tap.Option{limits})
			require.Equal(t, pong+"*2\r\n:1\r\n:2\r\n", r.left)
			require.Equal(t, []string{passed, passed}, r.pushes)
			var limit *parser.LimitError
			require.ErrorAs(t, r.read, &limit)
			require.Equal(t, r.read, r.err)
			at := bytes.Index(long, []byte(wire))
			require.True(t, limit.Offset >= int64(at) && limit.Offset < int64(at+len(wire)), "%v: the push is at %d", limit, at)

			r = read(t, captures.NewPieces(long, 5), size, []tap.Option{limits, tap.Observe()})
			require.Equal(t, string(long), r.left)
			require.Equal(t, []string{passed, passed}, r.pushes)
			require.NoError(t, r.read)
			require.ErrorAs(t, r.err, &limit)
		}
	}
}

func TestLimitsAreNotForReplies(t *testing.T) {
	long := bulk(strings.Repeat("x", 1000)) + "*10\r\n" + strings.Repeat(bulk(strings.Repeat("x", 30)), 10) + strings.Repeat("*1\r\n", 100) + "_\r\n"
	r := read(t, captures.NewPieces([]byte(long), 50), 64, []tap.Option{tap.WithLimits(small)})
	require.Equal(t, result{left: long}, r)
}

// What is over a limit is dropped wherever it is cut, and wherever it stands.
func TestSkipOversizeDropsWhatIsOverALimitWhereverItIsCut(t *testing.T) {
	for _, wire := range oversize {
		inReply := wire
		if strings.HasPrefix(wire, "|") {
			inReply = passed // attributes would stay in the reply
		}
		long := []byte(pong + passed + wire + wire + "*2\r\n:1\r\n" + inReply + ":2\r\n" + wire + passed + pong)
		want := result{left: pong + "*2\r\n:1\r\n:2\r\n" + pong, pushes: []string{passed, passed}}
		if inReply == passed {
			want.pushes = append(want.pushes, passed)
		}
		opts := []tap.Option{tap.WithLimits(small), tap.SkipOversize()}
		for _, size := range sizes {
			for at := range long {
				if step := 1 + len(long)/200; at%step != 0 || race.Enabled && at%(7*step) != 0 {
					continue
				}
				require.Equal(t, want, read(t, cutAt(long, at), size, opts), "%.20q cut at %d, reads of %d", wire, at, size)
			}
		}
		want.left = string(long)
		require.Equal(t, want, read(t, captures.NewPieces(long, 3), 64, append(opts, tap.Observe())))

		c := tap.NewConn(inner{Reader: bytes.NewReader(long)}, nil, opts...)
		_, err := io.Copy(io.Discard, c)
		require.NoError(t, err)
		require.EqualValues(t, bytes.Count(long, []byte(wire)), c.Stats().Oversize)
		require.EqualValues(t, len(want.pushes), c.Stats().Pushes)
	}
}

func TestSkipOversizeTellsAnEndInsideWhatItSkips(t *testing.T) {
	opts := []tap.Option{tap.WithLimits(small), tap.SkipOversize()}
	for n := 1; n < len(oversize[0]); n++ {
		r := read(t, captures.NewPieces([]byte(pong+oversize[0][:n]), 7), 64, opts)
		require.Equal(t, result{left: pong, read: io.ErrUnexpectedEOF, err: io.ErrUnexpectedEOF}, r)
	}
}

func TestObserveDispatchesPubSubWhateverElseIsAsked(t *testing.T) {
	long := passed + nestedPush + pong
	r := read(t, captures.NewPieces([]byte(long), 7), 64, []tap.Option{tap.KeepPubSub(), tap.Observe()})
	require.Equal(t, result{left: long, pushes: []string{passed, nestedPush}}, r)
}

// What cannot be told to be a push is not dropped, nor is what is malformed.
func TestSkipOversizeStopsAtWhatItCannotSkip(t *testing.T) {
	for _, c := range []struct {
		wire   string
		want   any
		offset int64
	}{
		{"|1\r\n+k\r\n" + bulk(strings.Repeat("x", 21)) + passed, new(*parser.LimitError), 8},
		{push("a", strings.Repeat("x", 21))[:30] + "!", new(*parser.SyntaxError), 37},
		{">1\r\n" + strings.Repeat("*?\r\n", 10), new(*parser.LimitError), 12},
	} {
		r := read(t, captures.NewPieces([]byte(pong+c.wire+strings.Repeat("!", 100)), 4), 64, []tap.Option{tap.WithLimits(small), tap.SkipOversize()})
		require.Equal(t, pong, r.left)
		require.ErrorAs(t, r.read, c.want)
		switch e := c.want.(type) {
		case **parser.LimitError:
			require.Equal(t, int64(len(pong))+c.offset, (*e).Offset)
		case **parser.SyntaxError:
			require.Equal(t, int64(len(pong))+c.offset, (*e).Offset)
		}
	}
}

// Offsets count all that has been read from the connection, pushes too.
func TestOffsetsCountTheWholeStream(t *testing.T) {
	before := wire() + passed
	for _, c := range []struct {
		wire   string
		offset int
	}{
		{"?", 0}, {"$1x\r\n", 2}, {"*2\r\n:1\r\n" + nestedPush + "$1x\r\n", 8 + len(nestedPush) + 2},
		{push("a")[:5] + "x", 5}, {"*2\r\n:1\r\n" + nestedPush + ">1\r\n_x", 8 + len(nestedPush) + 5},
		{"|1\r\n+a\r\nx", 8}, {"|1\r\n+a\r\n" + nestedPush + "+b\r\n?", 8 + len(nestedPush) + 4},
		{"|1\r\n+a\r\n" + nestedPush + "+b\r\n*1\r\n?", 8 + len(nestedPush) + 8},
	} {
		for piece := 1; piece < len(before+c.wire)+1; piece++ {
			r := read(t, captures.NewPieces([]byte(before+c.wire), piece), 64, nil)
			var syntax *parser.SyntaxError
			require.ErrorAs(t, r.read, &syntax)
			require.EqualValues(t, len(before)+c.offset, syntax.Offset, "%q in pieces of %d", c.wire, piece)
		}
	}
}

// What is wrong with attributes when they are passed on, and was not before, is the same whether they were held or not.
func TestAttributesThatCannotBePassedOnAreOneErrorHeldOrNot(t *testing.T) {
	const begin = "|1\r\n+k\r\n"
	wire := pong + begin + strings.Repeat("*?\r\n", 200) + strings.Repeat(".\r\n", 200) + pong
	opts := []tap.Option{tap.WithLimits(parser.Limits{MaxDepth: 1000})}
	whole := read(t, strings.NewReader(wire), len(wire), opts)
	require.True(t, strings.HasPrefix(wire, whole.left))
	require.Greater(t, len(whole.left), len(pong+begin))
	var limit *parser.LimitError
	require.ErrorAs(t, whole.read, &limit)
	require.Equal(t, "MaxDepth", limit.Limit)
	for _, size := range sizes {
		require.Equal(t, whole, read(t, captures.NewPieces([]byte(wire), size), len(wire), opts))
	}
}

// Attributes that leave no room for their frame are no reason to end the stream, when its type is known.
func TestAttributesAsLargeAsTheLimitPass(t *testing.T) {
	const attributes = "|1\r\n+k\r\n+v\r\n"
	wire := attributes + passed + attributes + pong
	for _, size := range sizes {
		for _, room := range []int{1, 2, 5} {
			opts := []tap.Option{tap.SkipOversize(), tap.WithLimits(parser.Limits{MaxFrame: len(attributes) + room})}
			r := read(t, captures.NewPieces([]byte(wire), size), 64, opts)
			require.Equal(t, result{left: attributes + pong}, r)
		}
		r := read(t, captures.NewPieces([]byte(attributes+pong), size), 64, []tap.Option{tap.WithLimits(parser.Limits{MaxFrame: len(attributes)})})
		var limit *parser.LimitError
		require.ErrorAs(t, r.read, &limit)
	}
}

func TestObserveTellsTheErrorHandlerOnceThatTheStreamIsMalformed(t *testing.T) {
	const stream = "+OK\r\n>1\r\n+p\r\n$x\r\n>1\r\n+q\r\n"
	var told []error
	var pushes int
	var c *tap.Conn
	p := dispatch.NewProcessor(
		dispatch.WithFallback(dispatch.HandlerFunc(func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
			pushes++
			return nil
		})),
		dispatch.WithErrorHandler(func(_ context.Context, name []byte, err error) {
			require.Nil(t, name)
			_, again := c.Read(make([]byte, 1))
			require.ErrorIs(t, again, parser.ErrReentrant)
			told = append(told, err)
		}),
	)
	client, server := net.Pipe()
	defer client.Close()
	go func() {
		for i := range len(stream) {
			_, _ = server.Write([]byte(stream[i : i+1]))
		}
		server.Close()
	}()
	c = tap.NewConn(client, p, tap.Observe())
	got, err := io.ReadAll(c)
	require.NoError(t, err)
	require.Equal(t, stream, string(got))
	require.Equal(t, 1, pushes)
	require.Len(t, told, 1)
	var syntax *parser.SyntaxError
	require.ErrorAs(t, told[0], &syntax)
	require.EqualValues(t, 14, syntax.Offset)
	require.Equal(t, told[0], c.Err())
	require.EqualValues(t, 1, p.Stats().Errors)
}

func TestStatsCountWhatIsKept(t *testing.T) {
	const stream = nestedPush + pong
	for _, size := range []int{1, len(stream)} {
		conn, _ := connect(t, stream)
		c := tap.NewConn(conn, nil, tap.KeepPubSub())
		got := make([]byte, 0, len(stream))
		for len(got) < len(stream) {
			b := make([]byte, size)
			n, err := c.Read(b)
			require.NoError(t, err)
			got = append(got, b[:n]...)
		}
		require.Equal(t, stream, string(got))
		require.Equal(t, tap.Stats{Kept: 1}, c.Stats())
	}
}
