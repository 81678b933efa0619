package goredis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/goredis"
	"github.com/seed79615202/respush/parser"
)

// malformed are pushes that no server sends. What go-redis makes of them, when it does not take them for the reply,
// differs from one to the next.
var malformed = []string{
	">-1\r\n",
	">x\r\n",
	">\r\n",
	">2\r\n?\r\n",
	">2\r\n$10\r\ninvalidateXX*0\r\n",
	">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nabcXY",
	">2\r\n$10\r\ninvalidate\r\n*-2\r\n",
	">2\r\n$10\r\ninvalidate\r\n$12a\r\n",
	">2\r\n$10\r\ninvalidate\r\n$9223372036854775807\r\n",
	">1000000000\r\n",
	"|-1\r\n" + flush,
	"|?\r\n.\r\n" + flush,
	"|1\r\n:1\r\n!\r\n" + flush,
	"|1\r\n+k\r\n$600\r\n" + strings.Repeat("v", 600) + "XY" + flush, // larger than some of the buffers
}

func TestAMalformedPushEndsTheConnection(t *testing.T) {
	for _, size := range sizes {
		var j journal
		l := newLink(t, j.processor(), size, nil)
		for _, wire := range malformed {
			for i := range wire {
				at := fmt.Sprintf("buffer %d, %q, cut at %d", size, wire, i)
				j.entries = nil
				l.rd.Reset(arriving(flush+wire[:i], wire[i:]+"+OK\r\n+OK\r\n"))
				err := l.process()
				require.Error(t, err, at)
				var syntax *parser.SyntaxError
				var limit *parser.LimitError
				require.True(t, errors.As(err, &syntax) || errors.As(err, &limit), at)
				require.Equal(t, []string{pushIn(t, flush)}, j.entries, at)
				for range 3 { // go-redis has only logged the error
					_, got := l.rd.ReadReply()
					require.Equal(t, err, got, at)
					require.NoError(t, l.process(), at)
				}
			}
		}
	}
}

func TestAnOversizePushIsDropped(t *testing.T) {
	var j journal
	p := dispatch.NewProcessor(dispatch.WithSkipOversize())
	require.NoError(t, p.HandleFunc("invalidate", j.handle))
	l := newLink(t, goredis.NewProcessor(p), 128, arriving(cut(">17000000\r\n+big\r\n"+strings.Repeat(":1\r\n", 17_000_000-1)+flush+"+OK\r\n", 32<<10)...))
	j.read(t, l, 1)
	require.Equal(t, []string{pushIn(t, flush), "reply OK"}, j.entries)
	require.EqualValues(t, 1, p.Stats().Oversize)
}

func TestANameThatDoesNotFitTheBuffer(t *testing.T) {
	var j journal
	l := newLink(t, j.processor(), 128, arriving(">1\r\n"+bulk(600)+"+OK\r\n"))
	err := l.process()
	require.ErrorContains(t, err, "too small")
	_, got := l.rd.ReadReply()
	require.Equal(t, err, got)
}
