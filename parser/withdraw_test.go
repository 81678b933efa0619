package parser_test

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

const withdrawn = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n"

// named is how much of withdrawn tells that it is not a push of publish and subscribe.
const named = len(">2\r\n$10\r\ninvalidate")

func TestWithdrawTakesWhatHasComeOfAPush(t *testing.T) {
	for i := 1; i < len(withdrawn); i++ {
		src := bufio.NewReader(&vectors.Feed{Data: []byte(withdrawn + "+OK\r\n"), Cuts: []byte{byte(i), 0, 255}})
		r := source{src}.reader()
		_, _, err := r.Driver().NextPush(true)
		require.Equal(t, vectors.ErrStall, err, i)
		took := r.Driver().Withdraw()
		require.Equal(t, i >= named, took, i)
		_, moved := r.Pending()
		if took {
			require.Equal(t, i, moved, i)
			require.Zero(t, src.Buffered(), i)
			require.True(t, r.Driver().Withdraw(), i)
		} else {
			require.Zero(t, moved, i)
			require.Equal(t, i, src.Buffered(), i)
		}
		f, ok, err := r.Driver().NextPush(true)
		require.NoError(t, err, i)
		require.True(t, ok, i)
		require.Equal(t, withdrawn, string(f.Raw()), i)
		require.False(t, r.Driver().Withdraw(), i)
		f, err = r.Next()
		require.NoError(t, err, i)
		require.Equal(t, "+OK\r\n", string(f.Raw()), i)
	}
}

func TestWithdrawMakesRoom(t *testing.T) {
	src := bufio.NewReaderSize(strings.NewReader(withdrawn), 24)
	r := source{src}.reader()
	_, err := src.Peek(24)
	require.NoError(t, err)
	_, _, err = bufferedPush(r, true)
	require.Equal(t, parser.ErrIncomplete, err)
	require.True(t, r.Driver().Withdraw())
	require.Zero(t, src.Buffered())
	require.NoError(t, r.Driver().Fill())
	f, ok, err := bufferedPush(r, true)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, withdrawn, string(f.Raw()))
}

func TestWithdrawLeavesTheRest(t *testing.T) {
	for name, stream := range map[string]string{
		"nothing": "", "reply": "$5\r\nhel", "message": ">3\r\n$7\r\nmessage\r\n$2\r\n", "attributes": "|1\r\n+a\r\n",
	} {
		src := bufio.NewReader(&vectors.Feed{Data: []byte(stream), End: vectors.ErrStall})
		r := source{src}.reader()
		_, _, _ = r.Driver().NextPush(true)
		require.False(t, r.Driver().Withdraw(), name)
		require.Equal(t, len(stream), src.Buffered(), name)
	}
	own := parser.NewReader(&vectors.Feed{Data: []byte(withdrawn[:30]), End: vectors.ErrStall})
	_, _, err := own.Driver().NextPush(true)
	require.Equal(t, vectors.ErrStall, err)
	require.False(t, own.Driver().Withdraw()) // it has no Source

	failed := parser.NewSourceReader(source{bufio.NewReader(strings.NewReader(">x\r\n"))})
	_, _, err = failed.Driver().NextPush(true)
	require.ErrorAs(t, err, new(*parser.SyntaxError))
	require.False(t, failed.Driver().Withdraw())
}

func TestWithdrawTakesTheRestOfAPushThatIsDropped(t *testing.T) {
	src := bufio.NewReader(&vectors.Feed{Data: []byte(withdrawn + "+OK\r\n"), Cuts: []byte{30, 0, 255}})
	r := parser.NewSourceReader(source{src}, parser.WithLimits(parser.Limits{MaxElements: 2}))
	_, _, err := r.Driver().NextPush(true)
	require.ErrorAs(t, err, new(*parser.LimitError))
	require.NoError(t, r.SkipOversize())
	_, _, err = r.Driver().NextPush(true)
	require.Equal(t, vectors.ErrStall, err)
	require.True(t, r.Driver().Withdraw())
	require.Zero(t, src.Buffered())
	_, ok, err := r.Driver().NextPush(true)
	require.NoError(t, err)
	require.False(t, ok)
	rest, err := src.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "+OK\r\n", rest)
}

func TestResetSourceBeginsAnotherStream(t *testing.T) {
	broken := errors.New("broken")
	for _, stream := range []string{"", withdrawn, withdrawn[:30], ">x\r\n", "+OK\r\n"} {
		r := parser.NewSourceReader(source{bufio.NewReaderSize(&vectors.Feed{Data: []byte(stream), End: broken}, 16)})
		_, _, _ = r.Driver().NextPush(true)
		r.ResetSource(source{bufio.NewReader(strings.NewReader(">x" + withdrawn))})
		var syntax *parser.SyntaxError
		_, err := r.Next()
		require.ErrorAs(t, err, &syntax)
		require.EqualValues(t, 1, syntax.Offset) // counted from the reset
		r.ResetSource(source{bufio.NewReader(strings.NewReader(withdrawn))})
		require.Zero(t, r.Buffered())
		f, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, withdrawn, string(f.Raw()))
		_, err = r.Next()
		require.Equal(t, io.EOF, err)
	}

	lent := parser.NewSourceReader(source{bufio.NewReader(strings.NewReader(withdrawn))})
	_, err := lent.Next()
	require.NoError(t, err)
	lent.Driver().Lend()
	lent.ResetSource(source{bufio.NewReader(strings.NewReader(withdrawn))})
	lent.Driver().Reclaim()
	require.Equal(t, parser.ErrReentrant, lent.Err())
}

func TestWithdrawBeginsToDropAnOversizePush(t *testing.T) {
	src := bufio.NewReader(&vectors.Feed{Data: []byte(withdrawn + "+OK\r\n"), Cuts: []byte{30, 0, 255}})
	r := parser.NewSourceReader(source{src}, parser.WithLimits(parser.Limits{MaxElements: 2}))
	_, _, err := r.Driver().NextPush(true)
	require.ErrorAs(t, err, new(*parser.LimitError))
	require.NoError(t, r.SkipOversize())
	require.True(t, r.Driver().Withdraw())
	require.Zero(t, src.Buffered())
}

func TestWithdrawKnowsWhenTheClientHasRead(t *testing.T) {
	src := bufio.NewReader(&vectors.Feed{Data: []byte(withdrawn + "+OK\r\n"), Cuts: []byte{30, 0, 255}})
	r := source{src}.reader()
	_, _, err := r.Driver().NextPush(true)
	require.Equal(t, vectors.ErrStall, err)
	_, err = src.Discard(20)
	require.NoError(t, err)
	require.False(t, r.Driver().Withdraw())
}

func TestWithdrawTakesWhatNextHasBegun(t *testing.T) {
	for cut := 1; cut < len(withdrawn); cut++ {
		own := bufio.NewReader(newPipe(t, withdrawn[:cut], timeout, withdrawn[cut:]+pong))
		r := parser.NewReader(own)
		_, err := r.Next()
		require.Equal(t, timeout, err)
		require.True(t, r.Driver().Withdraw())
		require.Zero(t, own.Buffered())
		f, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, withdrawn, string(f.Raw()))
	}
}

func TestWithdrawLeavesAPushThatIsNoLongerTaken(t *testing.T) {
	wire := message("text")
	named := strings.Index(wire, "message") + len("message")
	for cut := named; cut < len(wire); cut++ {
		own := bufio.NewReader(newPipe(t, wire[:cut], timeout, wire[cut:]))
		r := parser.NewReader(own)
		_, _, err := r.Driver().NextPush(false)
		require.Equal(t, timeout, err)
		_, ok, err := r.Driver().NextPush(true)
		require.NoError(t, err)
		require.False(t, ok)
		require.False(t, r.Driver().Withdraw())
		require.Equal(t, cut, own.Buffered(), "it is the client's")
		require.Zero(t, must(r.Pending()))
	}
}
