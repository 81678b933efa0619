package embedded

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/seed79615202/respush/internal/command"
	"github.com/seed79615202/respush/parser"
)

// Channel and Pattern are the channel and the pattern that the traffic
// publishes to.
const (
	Channel = "news"
	Pattern = "metrics.*"
)

// pace is the time between two steps of the traffic. A round of all steps takes
// less time than Demo.
const pace = 120 * time.Millisecond

// Demo is the time in which the traffic shows every kind of push.
const Demo = 3 * time.Second

// A traffic sends commands on a connection of its own.
type traffic struct {
	server *Server
	conn   net.Conn
	reader *parser.Reader
	seq    int // of the last maintenance push
	round  int
}

// Traffic writes keys, publishes messages and announces maintenance in turn,
// and repeats that until ctx ends.
func (s *Server) Traffic(ctx context.Context) error {
	conn, err := s.Dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	t := &traffic{server: s, conn: conn, reader: parser.NewReader(conn)}
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		for _, step := range steps {
			if err := step(t); err != nil {
				return ended(ctx, err)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
		}
		t.round++
	}
}

// ended returns err, or nil if ctx has ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("embedded traffic: %w", err)
}

// steps are in an order that shows the different pushes early.
var steps = []func(*traffic) error{
	do("SET", "user:1", "ada"),
	do("PUBLISH", Channel, "hello, world"),
	do("PUBLISH", "metrics.cpu", "0.42"),
	maintain("MOVING", 30, "redis-node-2:6379"),
	do("MSET", "user:1", "ada", "user:2", "grace", "user:3", "edsger"),
	do("PUBLISH", Channel, "caf\u00e9 \u2615 and binary: \x00\x01\xfe\xff\r\n"),
	do("SET", "session:\x00\xff", "a key that is not text"),
	maintain("MIGRATING", 10, "1,2"),
	do("PUBLISH", "metrics.mem", `{"used":1048576,"peak":2097152}`),
	maintain("MIGRATED", "1,2"),
	do(thousandKeys()...),
	maintain("FAILING_OVER", 5, "1"),
	do("PUBLISH", Channel, strings.Repeat("a long story, ", 10_000)),
	maintain("FAILED_OVER", "1"),
	do("DEL", "user:1", "user:2"),
	maintain("SMIGRATING", "123,789-1000"),
	maintain("SMIGRATED", []any{
		[]any{"node-1:6379", "node-2:6379", "123"},
		[]any{"node-1:6379", "node-3:6379", "789-1000"},
	}),
	maintain("MOVING", 0, nil),
	(*traffic).count,
	do("FLUSHALL"),
}

func thousandKeys() []string {
	args := []string{"MSET"}
	for i := range 1000 {
		args = append(args, "item:"+strconv.Itoa(i), "x")
	}
	return args
}

// do returns a step that sends one command.
func do(args ...string) func(*traffic) error {
	return func(t *traffic) error { return t.do(args...) }
}

// maintain returns a step that sends one maintenance push. All of them share
// one sequence of numbers.
func maintain(name string, elements ...any) func(*traffic) error {
	return func(t *traffic) error {
		t.seq++
		t.server.maintain(name, append([]any{t.seq}, elements...)...)
		return nil
	}
}

// count publishes the number of the round.
func (t *traffic) count() error {
	return t.do("PUBLISH", "metrics.rounds", strconv.Itoa(t.round+1))
}

// do sends one command and reads its reply.
func (t *traffic) do(args ...string) error {
	if _, err := t.conn.Write(command.Append(nil, args...)); err != nil {
		return err
	}
	reply, err := t.reader.Next()
	if err != nil {
		return err
	}
	if reply.Type() == parser.TypeSimpleError {
		return errors.New(args[0] + ": " + reply.Value().String())
	}
	return nil
}
