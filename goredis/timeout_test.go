package goredis_test

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// timeouts are streams of one push that is handled, and a reply.
var timeouts = []string{
	invalidate + "+OK\r\n",
	attribute + moving + "+OK\r\n",
	">2\r\n$10\r\ninvalidate\r\n*1\r\n" + bulk(300) + "+OK\r\n",
	"|1\r\n+k\r\n" + bulk(300) + flush + "+OK\r\n",
}

// Before it writes a command, and when it gives a connection back, go-redis calls the processor with a short deadline, and
// does not read when that has passed.
func TestATimeoutInsideAPushLosesNothing(t *testing.T) {
	for _, size := range sizes {
		timeOutInside(t, size, false)
	}
}

// In between, go-redis' pool looks at the type of what is next.
func TestATimeoutInsideAPushLeavesAPushToBeSeen(t *testing.T) {
	for _, size := range sizes {
		timeOutInside(t, size, true)
	}
}

// timeOutInside cuts the timeouts everywhere. The pool looks in between, if it is told to, at a connection that is known.
func timeOutInside(t *testing.T, size int, look bool) {
	var j journal
	l := newLink(t, j.processor(), size, nil)
	for c, wire := range timeouts {
		l.rd.Reset(arriving(wire))
		j.entries = nil
		j.read(t, l, 1)
		want := j.entries
		for i := range wire {
			at := fmt.Sprintf("buffer %d, wire %d, offset %d", size, c, i)
			a := arriving(wire[:i], errTimeout, errTimeout, wire[i:])
			j.entries = nil
			l.rd.Reset(a)
			if look {
				l.conn = &poolConn{&readConn{from: a}}
			}
			for range 2 {
				if err := l.process(); err != nil {
					require.Equal(t, errTimeout, err, at)
					require.LessOrEqual(t, l.rd.Buffered(), 1, at) // go-redis times out as well if it reads
					if look {
						require.Zero(t, l.rd.Buffered(), at) // a pool gives up what holds anything but a push, v9.16.0 twice
						b, err := l.rd.Peek(1)
						require.NoError(t, err, at)
						require.Equal(t, ">", string(b), at)
						_, err = l.rd.Peek(2)
						require.Equal(t, errTimeout, err, at)
					}
				}
				require.Equal(t, errTimeout, a.stopped(), at)
				a.goOn()
				require.True(t, slices.Equal(want[:len(j.entries)], j.entries), at)
			}
			j.read(t, l, 1, at)
			require.Equal(t, want, j.entries, at)
			require.Zero(t, a.blocked, at)
		}
	}
	require.Zero(t, l.proc.(interface{ Unfinished() int }).Unfinished())
}

// A PubSub keeps its connection when a Receive has timed out, and tries to read a message even so.
func TestATimeoutOnAPubSubLosesNothing(t *testing.T) {
	for _, size := range sizes {
		var j journal
		l := newLink(t, j.processor(), size, nil)
		for c, wire := range timeouts {
			wire += message
			for i := range wire {
				at := fmt.Sprintf("buffer %d, wire %d, offset %d", size, c, i)
				a := arriving(wire[:i], errTimeout, errTimeout, wire[i:])
				j.entries = nil
				l.rd.Reset(a)
				l.conn = &poolConn{&readConn{from: a}}
				for n := 0; n < 2; a.goOn() {
					err := l.processPubSub()
					if err == nil && a.stopped() != nil && l.rd.Buffered() > 0 {
						continue // a message, or what may be one: reading half of it is go-redis' own affair
					}
					reply, readErr := l.rd.ReadReply()
					if err != nil {
						require.Equal(t, errTimeout, err, at)
					}
					if readErr != nil {
						require.Equal(t, errTimeout, readErr, at)
						continue
					}
					n++
					j.add(fmt.Sprint("reply ", reply))
				}
				require.Len(t, j.entries, 3, at)
				require.Equal(t, []string{"reply OK", "reply [message ch hello]"}, j.entries[1:], at)
				require.Zero(t, a.blocked, at)
			}
		}
		require.Zero(t, l.proc.(interface{ Unfinished() int }).Unfinished())
	}
}

func TestAPushCutShortEndsTheConnection(t *testing.T) {
	for _, size := range sizes {
		var j journal
		l := newLink(t, j.processor(), size, nil)
		for c, wire := range timeouts {
			wire = wire[:len(wire)-len("+OK\r\n")]
			for i := range wire {
				at := fmt.Sprintf("buffer %d, wire %d, offset %d", size, c, i)
				j.entries = nil
				l.rd.Reset(arriving(wire[:i], io.EOF))
				if err := l.process(); err != nil {
					require.Equal(t, io.ErrUnexpectedEOF, err, at)
					for range 2 {
						_, err = l.rd.ReadReply()
						require.Equal(t, io.ErrUnexpectedEOF, err, at)
					}
				} else {
					_, err = l.rd.ReadReply()
					require.Error(t, err, at)
				}
				require.Empty(t, j.entries, at)
			}
		}
	}
}

func TestAnErrorBeforeAPushIsLeftToGoRedis(t *testing.T) {
	for _, err := range []error{io.EOF, errTimeout, testError("reset by peer")} {
		var j journal
		l := newLink(t, j.processor(), 128, arriving(flush, err, err, err))
		require.NoError(t, l.process())
		require.Equal(t, []string{pushIn(t, flush)}, j.entries)
		_, got := l.rd.ReadReply()
		require.Equal(t, err, got)
	}
}
