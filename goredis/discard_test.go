package goredis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The package discards bytes from go-redis' reader by handing it the first line of a bulk string, "$N", of which the rest,
// N+2 bytes, would be what is in the buffer; it does so whatever those bytes are. A go-redis whose reader looks at them,
// or reads further, must not be used, and fails here.
func TestGoRedisDiscardsWhatALineSays(t *testing.T) {
	content := strings.Repeat(">1\r\n+a|\n\r$-1\r\n\x00*", 100)[:1000]
	l := newLink(t, nil, 512, nil)
	for n := 2; n <= 500; n++ {
		a := arriving(content)
		l.rd.Reset(a)
		_, err := l.rd.Peek(1)
		require.NoError(t, err)
		before := l.rd.Buffered()
		require.NoError(t, l.rd.Discard(fmt.Appendf(nil, "$%d", n-2)), n)
		require.Equal(t, before-n, l.rd.Buffered(), n)
		rest, err := l.rd.Peek(l.rd.Buffered())
		require.NoError(t, err)
		require.Equal(t, content[n:before], string(rest), n)
		require.Zero(t, a.blocked)
	}
}

// One byte alone is the LF that ends a large frame. go-redis says that this is no line, and has read it.
func TestGoRedisReadsALoneLF(t *testing.T) {
	l := newLink(t, nil, 512, nil)
	for _, behind := range []string{"", "+OK\r\n", "\n", "\r\n", ">1\r\n+a\r\n"} {
		a := arriving("\n" + behind)
		l.rd.Reset(a)
		_, err := l.rd.Peek(1)
		require.NoError(t, err)
		_, err = l.rd.ReadLine()
		require.Error(t, err)
		require.Equal(t, len(behind), l.rd.Buffered())
		require.Zero(t, a.blocked)
	}
}

// What is discarded stays in place until the next read: handlers are lent it.
func TestWhatIsDiscardedStaysInPlace(t *testing.T) {
	l := newLink(t, nil, 512, arriving(invalidate+"+OK\r\n"))
	b, err := l.rd.Peek(len(invalidate))
	require.NoError(t, err)
	require.NoError(t, l.rd.Discard(fmt.Appendf(nil, "$%d", len(b)-2)))
	require.Equal(t, invalidate, string(b))
}

// A reader that discards anything else is noticed before it does harm.
func TestAnotherDiscardIsNoticed(t *testing.T) {
	l := newLink(t, nil, 512, nil)
	for _, discard := range []func([]byte) error{
		func(line []byte) error { return errors.Join(l.rd.Discard([]byte("$0")), l.rd.Discard(line)) }, // 2 bytes more
		func([]byte) error { return nil },
		func([]byte) error { return errBlocked },
	} {
		for _, c := range []struct {
			pieces  []any
			handled int
		}{
			{[]any{flush + "+OK\r\n" + moving + moving}, 0},      // before the handler
			{[]any{attribute + flush + "+OK\r\n" + moving}, 1},   // before the reply
			{[]any{attribute + flush + moving + moving[:8]}, 1},  // before another push
			{[]any{attribute + flush + flush[:8], flush[8:]}, 1}, // before a read
			{[]any{attribute + flush[:20], errTimeout}, 0},       // after a time-out
		} {
			var j journal
			l.rd.Reset(arriving(c.pieces...))
			err := j.processor().Process(&brokenReader{l.rd, discard})
			require.ErrorContains(t, err, "did not discard")
			require.Len(t, j.entries, c.handled)
			_, got := l.rd.ReadReply()
			require.Equal(t, err, got)
		}
	}
}

// brokenReader discards in its own way.
type brokenReader struct {
	goRedisReader
	discard func(line []byte) error
}

func (r *brokenReader) Discard(line []byte) error { return r.discard(line) }
