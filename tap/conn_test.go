package tap_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// session is a stream of all there is to a tap. Inside the parts that are held, an end of the stream is an error.
var session = []struct {
	wire string
	held bool
}{
	{"+OK\r\n", false},
	{passed, true},
	{bulkReply, false},
	{"*2\r\n:1\r\n", false},
	{nestedPush, true},
	{":2\r\n", false},
	{"|1\r\n+a\r\n:1\r\n" + passed, true},
	{"|1\r\n+k\r\n+v\r\n" + bulkReply[:1], true}, // up to the byte that tells a reply
	{bulkReply[1:], false},
	{passed, true},
	{bulkReply, false},
}

const (
	passed     = ">2\r\n$10\r\ninvalidate\r\n_\r\n"
	nestedPush = ">3\r\n$7\r\nmessage\r\n+c\r\n+m\r\n"
	bulkReply  = "$3\r\nabc\r\n"
)

// wire is all of session.
func wire() (all string) {
	for _, part := range session {
		all += part.wire
	}
	return all
}

// tcp returns the two ends of a TCP connection.
func tcp(t *testing.T) (conn, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err = net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	server, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		_ = server.Close()
	})
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn, server
}

func TestReadOverTCPTakesThePushesOut(t *testing.T) {
	long := stream()
	for _, m := range modes {
		conn, server := tcp(t)
		sent := make(chan error, 1)
		go func() {
			_, err := server.Write(long)
			sent <- errors.Join(err, server.Close())
		}()
		check(t, long, m, read(t, conn, 512, m.opts))
		require.NoError(t, receive(t, sent))
	}
}

// After a time-out the next Read goes on, wherever the time-out was.
func TestReadTimesOutAnywhereAndGoesOn(t *testing.T) {
	for _, m := range modes {
		whole := read(t, captures.NewPieces([]byte(wire()), 1000), 1000, m.opts)
		check(t, []byte(wire()), m, whole)
		for _, cuts := range [][]byte{{0, 1}, {0, 2}, {0, 7}, {0, 30}, {3, 0, 100}} {
			for _, size := range sizes {
				feed := &vectors.Feed{Data: []byte(wire()), Cuts: cuts, End: io.EOF}
				require.Equal(t, whole, read(t, feed, size, m.opts), "%s, cuts %v, reads of %d", m.name, cuts, size)
				require.NotZero(t, feed.Stalls)
			}
		}
	}
}

// The end of the stream is an error of its own only inside what is held.
func TestReadTellsAnEndInsideWhatIsHeld(t *testing.T) {
	all, at := wire(), 0
	for _, part := range session {
		for k := range len(part.wire) {
			for _, size := range sizes {
				r := read(t, captures.NewPieces([]byte(all[:at+k]), 11), size, nil)
				if part.held && k > 0 {
					require.Equal(t, io.ErrUnexpectedEOF, r.read, "%q", all[:at+k])
					require.Equal(t, io.ErrUnexpectedEOF, r.err)
				} else {
					require.NoError(t, r.read, "%q", all[:at+k])
					require.NoError(t, r.err)
				}
				observed := read(t, captures.NewPieces([]byte(all[:at+k]), 11), size, observing.opts)
				require.Equal(t, result{left: all[:at+k], pushes: r.pushes}, observed)
			}
		}
		at += len(part.wire)
	}
}

// script is a connection that gives what it is told to.
type script struct {
	net.Conn
	steps []step
}

// step is one Read: bytes, an error, or both.
type step struct {
	wire string
	err  error
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.steps) == 0 {
		return 0, io.EOF
	}
	next := &s.steps[0]
	n := copy(p, next.wire)
	if next.wire = next.wire[n:]; next.wire != "" {
		return n, nil
	}
	err := next.err
	s.steps = s.steps[1:]
	return n, err
}

// Errors of the connection come as they are, when the bytes before them have been read, and with bytes as the connection
// gave them.
func TestReadPassesErrorsOfTheConnection(t *testing.T) {
	reset := &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	type reading struct {
		left string
		err  error
	}
	for _, c := range []struct {
		name  string
		opts  []tap.Option
		steps []step
		want  []reading
	}{
		{"with a reply", nil, []step{{"+OK\r\n", io.EOF}}, []reading{{"+OK\r\n", io.EOF}, {"", io.EOF}}},
		{"with a push", nil, []step{{passed, io.EOF}}, []reading{{"", io.EOF}}},
		{"with both", nil, []step{{passed + "+OK\r\n", reset}}, []reading{{"+OK\r\n", reset}}},
		{"with part of a push", nil, []step{{passed[:7], io.EOF}}, []reading{{"", io.ErrUnexpectedEOF}, {"", io.ErrUnexpectedEOF}}},
		{"with a reply and part of a push", nil, []step{{"+OK\r\n" + passed[:7], io.EOF}}, []reading{{"+OK\r\n", io.ErrUnexpectedEOF}, {"", io.ErrUnexpectedEOF}}},
		{"time-out with part of a push", nil, []step{{"+OK\r\n" + passed[:7], os.ErrDeadlineExceeded}, {passed[7:] + pong, nil}},
			[]reading{{"+OK\r\n", os.ErrDeadlineExceeded}, {pong, nil}}},
		{"inside a push", nil, []step{{passed[:7], nil}, {"", reset}, {passed[7:] + pong, nil}}, []reading{{"", reset}, {pong, nil}}},
		{"inside a reply", nil, []step{{"$3\r\na", nil}, {"", reset}}, []reading{{"$3\r\na", nil}, {"", reset}}},
		{"with what is queued", []tap.Option{tap.KeepPubSub()}, []step{{nestedPush[:9], nil}, {nestedPush[9:] + pong, reset}},
			[]reading{{(nestedPush + pong)[:30], nil}, {(nestedPush + pong)[30:], nil}, {"", reset}}},
		{"observed", observing.opts, []step{{passed[:7], io.EOF}}, []reading{{passed[:7], io.EOF}, {"", io.EOF}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := recording()
			conn := tap.NewConn(&script{steps: c.steps}, p, c.opts...)
			for _, want := range c.want {
				b := make([]byte, 30)
				n, err := conn.Read(b)
				require.Equal(t, want, reading{string(b[:n]), err})
			}
		})
	}
}

// What is wrong with the stream counts more than what is wrong with the connection.
func TestReadOfAMalformedStreamThatEndsIsTheSyntaxError(t *testing.T) {
	for _, steps := range [][]step{{{"+OK\r\n?", io.EOF}}, {{"+OK\r\n", nil}, {"?", io.EOF}}, {{"+OK\r\n?+OK\r\n", nil}}} {
		c := tap.NewConn(&script{steps: steps}, nil)
		b := make([]byte, 100)
		n, err := c.Read(b)
		require.NoError(t, err)
		require.Equal(t, "+OK\r\n", string(b[:n]))
		for range 3 {
			n, err = c.Read(b)
			require.Zero(t, n)
			require.EqualError(t, err, "tap: parser: unknown or misplaced type byte at offset 5")
			require.Equal(t, err, c.Err())
		}
	}
}

func TestReadTellsAResetInsideAPush(t *testing.T) {
	conn, server := tcp(t)
	p, got := recording()
	c := newClient(t, tap.NewConn(conn, p))
	_, err := io.WriteString(server, pong+passed[:9])
	require.NoError(t, err)
	require.Equal(t, "PONG", c.reply())
	require.NoError(t, server.(*net.TCPConn).SetLinger(0)) // Close then resets
	require.NoError(t, server.Close())
	_, err = c.value()
	require.ErrorIs(t, err, syscall.ECONNRESET)
	_, ok := err.(*net.OpError)
	require.True(t, ok, "as it was: %v", err)
	require.Empty(t, got.pushes)
}

func TestReadIntoNothingReadsNothing(t *testing.T) {
	conn, _ := tcp(t)
	n, err := tap.NewConn(conn, nil).Read(nil)
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = tap.NewConn(&script{steps: []step{{"", nil}, {pong, nil}}}, nil).Read(make([]byte, 1))
	require.NoError(t, err, "what the connection does is no business of the tap")
	require.Zero(t, n)
}

func TestConnIsTheConnectionBelow(t *testing.T) {
	conn, server := tcp(t)
	c := tap.NewConn(conn, nil)
	require.Equal(t, conn.LocalAddr(), c.LocalAddr())
	require.Equal(t, conn.RemoteAddr(), c.RemoteAddr())
	require.Same(t, conn, c.NetConn())

	_, err := io.WriteString(c, "PING\r\n")
	require.NoError(t, err)
	b := make([]byte, 6)
	_, err = io.ReadFull(server, b)
	require.NoError(t, err)
	require.Equal(t, "PING\r\n", string(b))

	past := time.Unix(1, 0)
	require.NoError(t, c.SetReadDeadline(past))
	_, err = c.Read(b)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.SetWriteDeadline(past))
	_, err = c.Write(b)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, c.SetDeadline(time.Now().Add(patience)))
	_, err = c.Write(b)
	require.NoError(t, err)

	require.NoError(t, c.CloseWrite())
	rest, err := io.ReadAll(server)
	require.NoError(t, err)
	require.Equal(t, "PING\r\n", string(rest))
	_, err = io.WriteString(server, pong)
	require.NoError(t, err, "the other direction is open")
	_, err = io.ReadFull(c, b)
	require.NoError(t, err)

	pipe, _ := net.Pipe()
	require.ErrorIs(t, tap.NewConn(pipe, nil).CloseWrite(), errors.ErrUnsupported)
	require.NoError(t, pipe.Close())
}

// A raw look at the socket would take a push for the client's data, so there is none (see the package's documentation).
func TestConnIsNoSyscallConn(t *testing.T) {
	conn, _ := tcp(t)
	_, raw := conn.(syscall.Conn)
	require.True(t, raw)
	_, raw = net.Conn(tap.NewConn(conn, nil)).(syscall.Conn)
	require.False(t, raw)
}

func TestCloseEndsAReadAndWhatIsHeld(t *testing.T) {
	conn, server := tcp(t)
	p, _ := recording()
	c := tap.NewConn(conn, p)
	_, err := io.WriteString(server, passed[:9])
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 10))
		ended <- err
	}()
	waitForRead(t)
	require.NoError(t, c.Close())
	require.ErrorIs(t, receive(t, ended), net.ErrClosed)
	_, err = c.Read(make([]byte, 10))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = c.Write([]byte("x"))
	require.ErrorIs(t, err, net.ErrClosed)
	require.ErrorIs(t, c.Close(), net.ErrClosed, "as the connection below has it")
	require.NoError(t, c.Err())
}

// What is queued goes with Close.
func TestCloseDropsBytesQueued(t *testing.T) {
	conn, server := tcp(t)
	c := tap.NewConn(conn, nil, tap.KeepPubSub())
	_, err := io.WriteString(server, nestedPush)
	require.NoError(t, err)
	b := make([]byte, 1)
	_, err = c.Read(b)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	_, err = c.Read(b)
	require.ErrorIs(t, err, net.ErrClosed)
}

// A push that had to be put together is lent as long as its handler runs, whatever other taps put together meanwhile.
func TestHeldPushIsTheHandlersUntilItReturns(t *testing.T) {
	p := dispatch.NewProcessor()
	piecewise := func(wire string) *tap.Conn {
		return tap.NewConn(&script{steps: []step{{wire[:20], nil}, {wire[20:] + pong, nil}}}, p)
	}
	b := make([]byte, 100)
	var before, after string
	handle(t, p, "other", func(parser.Frame) error { return nil })
	handle(t, p, "first", func(push parser.Frame) error {
		before = string(push.Raw())
		for range 10 {
			if _, err := piecewise(pushOther).Read(make([]byte, 100)); err != nil {
				return err
			}
		}
		after = string(push.Raw())
		return nil
	})
	n, err := piecewise(pushFirst).Read(b)
	require.NoError(t, err)
	require.Equal(t, pong, string(b[:n]))
	require.Equal(t, pushFirst, before)
	require.Equal(t, pushFirst, after)
	require.EqualValues(t, 11, p.Stats().Pushes)
}

const (
	pushFirst = ">2\r\n$5\r\nfirst\r\n$10\r\naaaaaaaaaa\r\n"
	pushOther = ">2\r\n$5\r\nother\r\n$10\r\nbbbbbbbbbb\r\n"
)

func TestHandlerContextIsThatOfTheOptions(t *testing.T) {
	type key struct{}
	var got []dispatch.NotificationHandlerContext
	var values []any
	p := dispatch.NewProcessor(dispatch.WithFallback(dispatch.HandlerFunc(
		func(ctx context.Context, h dispatch.NotificationHandlerContext, _ parser.Frame) error {
			got, values = append(got, h), append(values, ctx.Value(key{}))
			return nil
		})))
	one := func(opts ...tap.Option) *tap.Conn {
		c := tap.NewConn(&script{steps: []step{{passed, nil}}}, p, opts...)
		_, err := c.Read(make([]byte, 100))
		require.Equal(t, io.EOF, err)
		return c
	}
	a := one()
	b := one(tap.WithContext(context.WithValue(t.Context(), key{}, "value")), tap.WithHandlerContext(dispatch.NotificationHandlerContext{Client: "client"}))
	one(tap.WithHandlerContext(dispatch.NotificationHandlerContext{Conn: "conn", IsBlocking: true}))
	require.Equal(t, []any{nil, "value", nil}, values)
	require.Same(t, a, got[0].Conn)
	require.Same(t, b, got[1].Conn)
	require.Equal(t, "client", got[1].Client)
	require.Equal(t, dispatch.NotificationHandlerContext{Conn: "conn", IsBlocking: true}, got[2])
}

// What follows the slice that Read is given may belong to another goroutine. The race detector sees a load of it.
func TestReadDoesNotLookBehindItsSlice(t *testing.T) {
	const stream = "+OK\r\n" + passed + ":1\r\n$1\r\na\r\n"
	for _, m := range modes {
		for n := 1; n <= len(stream); n++ {
			conn, _ := connect(t, stream)
			c := tap.NewConn(conn, nil, m.opts...)
			b := make([]byte, 2*len(stream))
			written := make(chan struct{})
			go func() {
				defer close(written)
				for i := range b[n:] {
					b[n+i] = 'x'
				}
			}()
			_, err := c.Read(b[:n])
			require.NoError(t, err)
			<-written
		}
	}
}
