package e2e_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gomodule/redigo/redis"
	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
	"github.com/seed79615202/respush/tap"
)

// A redigoTalker is a redigo connection in RESP3, which redigo does not know: a
// tap takes the pushes out.
type redigoTalker struct {
	conn  redis.Conn
	wires wires
}

func newRedigoTalker(tb testing.TB, addr string) (talker, error) {
	r := &redigoTalker{}
	conn, err := r.wires.dial(context.Background(), "tcp", addr)
	if err != nil {
		return r, err
	}
	p := newTellingProcessor(tb)
	tapped := tap.NewConn(conn, p)
	r.conn = redis.NewConn(tapped, patience, patience)
	// The reply to HELLO is a map, which redigo cannot read.
	return r, handshake(tb, tapped, setUp, []string{"SUBSCRIBE", "news"})
}

// handshake makes a tapped connection speak RESP3, runs commands, and leaves
// nothing of their replies unread.
func handshake(tb testing.TB, conn *tap.Conn, commands ...[]string) error {
	tb.Helper()
	b := redistest.Append(nil, "HELLO", "3")
	for _, args := range commands {
		b = redistest.Append(b, args...)
	}
	if _, err := conn.Write(redistest.Append(b, "ECHO", "ready")); err != nil {
		return err
	}
	rd := parser.NewReader(conn)
	for {
		f, err := rd.Next()
		if err != nil {
			return err
		}
		require.NotEqual(tb, parser.TypeSimpleError, f.Type())
		if string(f.Value().Bytes()) == "ready" {
			require.Zero(tb, rd.Buffered())
			return nil
		}
	}
}

func (r *redigoTalker) connections() *wires { return &r.wires }

func (r *redigoTalker) returned() *journal { return nil }

func (r *redigoTalker) do(steps []step) (replies []any, err error) {
	for _, step := range steps {
		args := make([]any, len(step.args)-1)
		for i := range args {
			args[i] = step.args[i+1]
		}
		if err = r.conn.Send(step.args[0], args...); err != nil {
			return nil, err
		}
	}
	if err = r.conn.Flush(); err != nil {
		return nil, err
	}
	for range steps {
		reply, err := r.conn.Receive()
		var refusal redis.Error
		switch {
		case errors.As(err, &refusal):
			reply = refusal
		case err != nil:
			return replies, err
		}
		replies = append(replies, reply)
	}
	return replies, nil
}

func (r *redigoTalker) finish() {
	if r.conn != nil { // else there was no connection
		_ = r.conn.Close() // the peer may have
	}
}
