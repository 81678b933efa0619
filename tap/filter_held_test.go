package tap

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// given is a connection that gives what it has and then ends.
type given struct {
	net.Conn
	io.Reader
}

func (g given) Read(p []byte) (int, error) { return g.Reader.Read(p) }

func (g given) Close() error { return nil }

// Whatever the end is, nothing is held or queued behind it.
func TestMemoryIsGivenBackWhateverTheEnd(t *testing.T) {
	const message = ">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1000\r\n"
	rest := strings.Repeat("x", 1000) + "\r\n"
	for _, c := range []struct {
		name, wire string
		opts       []Option
		held       bool
		queued     bool
	}{
		{"close", message, nil, true, false},
		{"close, observed", message, []Option{Observe()}, true, false},
		{"close with attributes", "|1\r\n+k\r\n", nil, true, false},
		{"close with bytes queued", message + rest, []Option{KeepPubSub()}, false, true},
		{"error", message + "!" + rest, nil, false, false},
		{"error, observed", message + "!" + rest, []Option{Observe()}, false, false},
		{"error while skipping", ">2\r\n_\r\n!1000000000\r\nx", []Option{SkipOversize()}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := NewConn(given{Reader: strings.NewReader(c.wire)}, nil, c.opts...)
			if c.name == "error" || c.name == "error, observed" {
				_, err := io.Copy(io.Discard, conn)
				require.Equal(t, c.opts == nil, err != nil)
				require.Error(t, conn.Err())
			} else {
				kept, err := 0, error(nil)
				for at := 0; at < len(c.wire) && err == nil; at += 7 {
					kept, err = conn.filter.feed([]byte(c.wire[at:min(len(c.wire), at+7)]))
				}
				require.NoError(t, err)
				conn.filter.backlog.swap(make([]byte, 7), kept)
			}
			require.Equal(t, c.held, conn.filter.holds())
			require.Equal(t, c.queued, !conn.filter.backlog.empty())
			require.NoError(t, conn.Close())
			require.False(t, conn.filter.holds())
			require.True(t, conn.filter.backlog.empty())
			require.Nil(t, conn.filter.held)
		})
	}
}

// The end of the stream inside a push gives its memory back, before Close.
func TestMemoryIsGivenBackAtTheEnd(t *testing.T) {
	conn := NewConn(given{Reader: strings.NewReader(">2\r\n+a\r\n")}, nil)
	_, err := io.Copy(io.Discard, conn)
	require.Equal(t, io.ErrUnexpectedEOF, err)
	require.Nil(t, conn.filter.held)
}

// A handler that closes the Conn leaves it to the Read it is in to give the memory back.
func TestMemoryIsGivenBackWhenAHandlerCloses(t *testing.T) {
	p := dispatch.NewProcessor()
	var conn *Conn
	require.NoError(t, p.HandleFunc("close", func(context.Context, dispatch.NotificationHandlerContext, parser.Frame) error {
		return conn.Close()
	}))
	below := given{Reader: io.MultiReader(strings.NewReader(">1\r\n+close\r\n>1\r\n"), iotest.ErrReader(net.ErrClosed))}
	conn = NewConn(below, p)
	_, err := conn.Read(make([]byte, 100))
	require.Equal(t, net.ErrClosed, err)
	require.EqualValues(t, 1, conn.Stats().Pushes)
	require.Nil(t, conn.filter.held)
}
