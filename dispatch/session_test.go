package dispatch_test

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// A session is a client of a real server: it calls a processor before each reply that it reads.
type session struct {
	*redistest.Client
	t       *testing.T
	p       *dispatch.Processor
	inPlace bool
	log     []string // pushes and replies in the order in which they came; see run
}

// onServer runs test on a server of its own, with sessions that have a buffer of their own, and again with sessions that
// work in a client's *bufio.Reader.
func onServer(t *testing.T, test func(t *testing.T, server *redistest.Server, open func(opts ...dispatch.Option) *session)) {
	t.Parallel()
	for name, inPlace := range map[string]bool{"own buffer": false, "in place": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			test(t, server, func(opts ...dispatch.Option) *session {
				s := &session{Client: server.Dial(t), t: t, inPlace: inPlace}
				s.read(s.Conn)
				s.p = dispatch.NewProcessor(append(opts, dispatch.WithFallback(s))...)
				return s
			})
		})
	}
}

// read makes s read from rd from now on.
func (s *session) read(rd io.Reader, opts ...parser.Option) {
	if s.inPlace {
		rd = bufio.NewReader(rd)
	}
	s.Reader = parser.NewReader(rd, opts...)
}

// HandlePush logs a push.
func (s *session) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	s.log = append(s.log, ">"+push.Value().String())
	return nil
}

// run sends commands, their words divided by spaces, and a PING behind them, in one write, reads the reply to each, and
// returns what came before that to the PING. A push that was dispatched is logged with a > before it, and one that was
// left to the client with two.
func (s *session) run(commands ...string) []string {
	s.t.Helper()
	var words [][]string
	replies := 0
	for _, c := range append(commands, "PING") {
		words = append(words, strings.Split(c, " "))
		if name, _, _ := strings.Cut(c, " "); !strings.HasSuffix(name, "SUBSCRIBE") { // pushes answer these
			replies++
		}
	}
	s.Send(words...)
	for range replies {
		f := s.reply()
		s.log = append(s.log, f.Value().String())
	}
	log := s.log
	require.Equal(s.t, "PONG", log[len(log)-1])
	s.log = nil
	return log[:len(log)-1]
}

// reply returns the next reply. What was pushed before it, or inside it, has been logged.
func (s *session) reply() parser.Frame {
	s.t.Helper()
	for {
		require.NoError(s.t, s.p.ProcessPendingNotifications(s.t.Context(), noContext, s.Reader))
		f, err := s.Reader.Next()
		require.NoError(s.t, err)
		if !f.IsPush() {
			s.p.Dispatch(s.t.Context(), noContext, f)
			return f
		}
		require.True(s.t, parser.IsPubSub(f.Name()))
		s.log = append(s.log, ">>"+f.Value().String())
	}
}

// pushes returns the part of a log that was pushed.
func pushes(log []string) []string { return pick(log, true) }

// replies returns the part of a log that was not pushed.
func replies(log []string) []string { return pick(log, false) }

func pick(log []string, pushed bool) []string {
	var picked []string
	for _, entry := range log {
		if strings.HasPrefix(entry, ">") == pushed {
			picked = append(picked, entry)
		}
	}
	return picked
}
