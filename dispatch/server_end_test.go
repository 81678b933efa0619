package dispatch_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// These tests are about connections that are there for pushes, and about how connections end.

// serving is a session that Serve reads.
type serving struct {
	*session
	came chan string // pushes and replies, as in a session's log
	done chan error  // what Serve returned
}

// HandlePush passes a push on.
func (s *serving) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	s.came <- ">" + push.Value().String()
	return nil
}

// serve leaves the reading of s to Serve until ctx ends.
func serve(ctx context.Context, s *session) *serving {
	v := &serving{session: s, came: make(chan string, 100), done: make(chan error, 1)}
	s.p = dispatch.NewProcessor(dispatch.WithFallback(v))
	go func() {
		v.done <- s.p.Serve(ctx, dispatch.NotificationHandlerContext{Conn: s.Conn}, s.Reader, func(f parser.Frame) error {
			v.came <- f.Value().String()
			return nil
		})
	}()
	return v
}

// next returns the next push or reply.
func (s *serving) next() string {
	s.t.Helper()
	select {
	case text := <-s.came:
		return text
	case err := <-s.done:
		require.FailNow(s.t, "Serve has ended", "with %v", err)
	case <-time.After(time.Minute):
		require.FailNow(s.t, "nothing comes")
	}
	return ""
}

// end returns what Serve returned, when it has.
func (s *serving) end() error {
	s.t.Helper()
	select {
	case err := <-s.done:
		require.Empty(s.t, s.came)
		return err
	case <-time.After(time.Minute):
		require.FailNow(s.t, "Serve does not end")
	}
	return nil
}

func TestServerConnectionIsServedUntilTheServerEndsIt(t *testing.T) {
	for name, last := range map[string][]string{
		"killed":   {"CLIENT", "KILL", "TYPE", "pubsub"},
		"shutdown": {"SHUTDOWN", "NOSAVE"},
	} {
		t.Run(name, func(t *testing.T) {
			onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
				other := server.Dial(t)
				s := serve(t.Context(), open())
				s.Send([]string{"CLIENT", "TRACKING", "ON", "BCAST"}, []string{"SUBSCRIBE", "ch"}, []string{"ECHO", "e"})
				require.Equal(t, "OK", s.next())
				require.Equal(t, `>["subscribe" "ch" 1]`, s.next())
				require.Equal(t, "e", s.next())
				other.Do("PUBLISH", "ch", "m")
				require.Equal(t, `>["message" "ch" "m"]`, s.next())
				other.Do("SET", "k", "v")
				require.Equal(t, `>["invalidate" ["k"]]`, s.next())
				s.Send([]string{"MULTI"}, []string{"PUBLISH", "ch", "n"}, []string{"GET", "k"}, []string{"EXEC"})
				require.Equal(t, []string{"OK", "QUEUED", "QUEUED"}, []string{s.next(), s.next(), s.next()})
				require.ElementsMatch(t, []string{`>["message" "ch" "n"]`, `[1 "v"]`}, []string{s.next(), s.next()})

				other.Send(last)
				require.NoError(t, s.end())
				require.EqualValues(t, 4, s.p.Stats().Pushes)
			})
		})
	}
}

func TestServerConnectionGoesOnAfterServeIsCancelled(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		other := server.Dial(t)
		ctx, cancel := context.WithCancel(t.Context())
		s := serve(ctx, open())
		s.Send([]string{"SUBSCRIBE", "ch"})
		require.Equal(t, `>["subscribe" "ch" 1]`, s.next())
		cancel()
		require.ErrorIs(t, s.end(), context.Canceled)
		other.Do("PUBLISH", "ch", "m")
		log := s.run("ECHO e")
		require.Equal(t, []string{`>>["message" "ch" "m"]`, "e"}, log)
	})
}

func TestServerThatEndsBetweenFramesIsForTheClientToTell(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(dispatch.WithPubSub()), server.Dial(t)
		s.run("SUBSCRIBE ch")
		other.Do("PUBLISH", "ch", "last")
		other.Do("CLIENT", "KILL", "TYPE", "pubsub")
		require.NoError(t, s.p.ProcessPendingNotifications(t.Context(), noContext, s.Reader))
		require.Equal(t, []string{`>["message" "ch" "last"]`}, s.log)
		_, err := s.Reader.Next()
		require.Equal(t, io.EOF, err)
		require.NoError(t, s.p.ProcessPendingNotifications(t.Context(), noContext, s.Reader))
	})
}

// The subscriber does not read, so the server closes its connection, usually in the middle of a message. Every message
// before that is handled whole and in order, and Serve reports the end.
func TestServerThatCutsAFrameLosesNoMessageBeforeIt(t *testing.T) {
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		s, other := open(dispatch.WithPubSub()), server.Dial(t)
		require.NoError(t, s.Conn.(*net.TCPConn).SetReadBuffer(64<<10))
		s.run("SUBSCRIBE ch")
		other.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1000000 0 0")
		message := func(n int) string { return fmt.Sprintf("%d.%s", n, strings.Repeat("x", 99_991)) }
		sent := 0
		for other.Do("PUBLISH", "ch", message(sent)).String() == "1" {
			sent++
		}

		err := s.p.ProcessPendingNotifications(t.Context(), noContext, s.Reader)
		_, end := s.Reader.Next()
		if err == nil {
			require.Equal(t, io.EOF, end)
		} else {
			require.Equal(t, io.ErrUnexpectedEOF, err)
			require.Equal(t, io.ErrUnexpectedEOF, end)
		}
		require.NotEmpty(t, s.log)
		require.Less(t, len(s.log), sent)
		for n, got := range s.log {
			require.True(t, got == `>["message" "ch" "`+message(n)+`"]`, "message %d", n)
		}
		require.Equal(t, err, s.p.ProcessPendingNotifications(t.Context(), noContext, s.Reader))
	})
}
