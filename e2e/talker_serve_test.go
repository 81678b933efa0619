package e2e_test

import (
	"context"
	"io"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// A serveTalker is a connection of its own that Serve reads.
type serveTalker struct {
	conn    *wire
	wires   wires
	replies chan any
	err     error // of Serve, or io.EOF when it has none; set when replies is closed
}

func newServeTalker(tb testing.TB, addr string) (talker, error) {
	s := &serveTalker{replies: make(chan any)}
	conn, err := s.wires.dial(context.Background(), "tcp", addr)
	if err != nil {
		return s, err
	}
	s.conn = conn.(*wire)
	p := newTellingProcessor(tb)
	go func() {
		defer close(s.replies)
		s.err = p.Serve(context.Background(), dispatch.NotificationHandlerContext{Conn: s.conn}, parser.NewReader(s.conn), s.reply)
		if s.err == nil {
			s.err = io.EOF
		}
	}()
	if _, err = s.do([]step{{args: []string{"HELLO", "3"}}, {args: setUp}}); err == nil {
		_, err = s.conn.Write(redistest.Append(nil, "SUBSCRIBE", "news"))
	}
	return s, err
}

func (s *serveTalker) connections() *wires { return &s.wires }

func (s *serveTalker) returned() *journal { return nil }

func (s *serveTalker) do(steps []step) (replies []any, err error) {
	var b []byte
	for _, step := range steps {
		b = redistest.Append(b, step.args...)
	}
	_, writeErr := s.conn.Write(b) // replies may have come all the same
	for len(replies) < len(steps) {
		reply, ok := <-s.replies
		if !ok {
			return replies, s.err
		}
		replies = append(replies, reply)
	}
	return replies, writeErr
}

func (s *serveTalker) finish() {
	if s.conn == nil { // there was no connection
		return
	}
	_ = s.conn.Close() // the peer may have
	for range s.replies {
	}
}

// reply takes a reply out of Serve.
func (s *serveTalker) reply(f parser.Frame) error {
	v, err := f.Value().Any()
	s.replies <- v
	return err
}
