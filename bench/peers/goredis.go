package peers

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/redis/go-redis/v9/push"

	"github.com/seed79615202/respush/internal/test/workload"
)

// goRedis is push.Processor as go-redis' own connections drive it: before each
// reply the pushes, and those of publish and subscribe, which the processor
// leaves, are read as replies.
var goRedis = Peer{
	Name:   "go-redis",
	module: "github.com/redis/go-redis/v9",
	Note:   "push.Processor; a message, which it leaves unread, is then read as a reply, as PubSub does",
	Open: func(sc Scene) (*Run, error) {
		tally := new(Tally)
		conn, err := newGoRedisConn(tally)
		if err != nil {
			return nil, err
		}
		run := newRun(sc, tally, conn.drain)
		run.Close = conn.close
		return run, nil
	},
}

// GoRedisIdle returns what go-redis does before it reads a reply, on a
// connection on which that reply is next, and how much of the reply is in the
// buffer. end closes the connection.
func GoRedisIdle(reply string) (process func() error, buffered func() int, end func(), err error) {
	conn, err := newGoRedisConn(new(Tally))
	if err != nil {
		return nil, nil, nil, err
	}
	conn.rd.Reset(strings.NewReader(reply))
	return conn.process, conn.rd.Buffered, conn.close, nil
}

// replyReader is what is used of go-redis' reader, whose type is internal.
type replyReader interface {
	Buffered() int
	ReadReply() (interface{}, error)
	Reset(rd io.Reader)
}

// goRedisConn is a processor with the reader of a connection that a go-redis
// client made.
type goRedisConn struct {
	registry interface { // the processor's
		GetHandler(pushNotificationName string) push.NotificationHandler
	}
	process func() error // the pushes before the next reply
	rd      replyReader
	close   func()
}

// newGoRedisConn lets a client greet a server in memory, to get hold of its
// reader.
func newGoRedisConn(tally *Tally) (*goRedisConn, error) {
	p := push.NewProcessor()
	for i, name := range Names {
		if err := p.RegisterHandler(name, &decodedHandler[push.NotificationHandlerContext]{tally, i}, false); err != nil {
			return nil, err
		}
	}
	c := newCapture(push.NotificationProcessor.ProcessPendingNotifications, p)
	client := redis.NewClient(&redis.Options{
		Dialer:                    func(context.Context, string, string) (net.Conn, error) { return newConn(), nil },
		Protocol:                  3,
		DisableIdentity:           true,
		ReadBufferSize:            Reads,
		MaxRetries:                -1,
		PushNotificationProcessor: c,
		MaintNotificationsConfig:  &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	closeClient := func() { _ = client.Close() } // its connection is in memory
	err := client.Ping(context.Background()).Err()
	if err == nil && c.rd == nil {
		err = errors.New("peers: go-redis shows no reader")
	}
	if err != nil {
		closeClient()
		return nil, err
	}
	return &goRedisConn{registry: p, process: c.process(), rd: any(*c.rd).(replyReader), close: closeClient}, nil
}

// drain reads all of s.
func (c *goRedisConn) drain(s *workload.Stream) error {
	c.rd.Reset(s)
	for {
		if err := c.process(); err != nil {
			return err
		}
		reply, err := c.rd.ReadReply()
		switch {
		case err == redis.Nil:
			continue
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if values, ok := reply.([]interface{}); ok && len(values) > 0 {
			if name, ok := values[0].(string); ok {
				if h := c.registry.GetHandler(name); h != nil {
					if err := h.HandlePushNotification(context.Background(), push.NotificationHandlerContext{}, values); err != nil {
						return err
					}
				}
			}
		}
	}
}

// decodedHandler is a handler of go-redis' kind, for go-redis and for respush,
// and C is the context that it is given there.
type decodedHandler[C any] struct {
	tally *Tally
	push  int // in Names
}

// HandlePushNotification looks at all elements behind the name.
func (h *decodedHandler[C]) HandlePushNotification(_ context.Context, _ C, notification []interface{}) error {
	n := 0
	for _, e := range notification[1:] {
		switch e := e.(type) {
		case string:
			n += len(e)
		case int64:
			n += int(e)
		case []interface{}:
			for _, e := range e {
				key, _ := e.(string)
				n += len(key)
			}
		}
	}
	h.tally.add(h.push, n)
	return nil
}

// capture is a push.NotificationProcessor that keeps the reader it is called
// with. R is go-redis' internal reader, which cannot be named outside of it,
// but inferred.
type capture[R any] struct {
	*push.Processor
	call func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error
	rd   *R
}

// newCapture returns a capture for readers of the type that call takes.
func newCapture[R any](call func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error, p *push.Processor) *capture[R] {
	return &capture[R]{Processor: p, call: call}
}

// ProcessPendingNotifications keeps rd and leaves it alone.
func (c *capture[R]) ProcessPendingNotifications(_ context.Context, _ push.NotificationHandlerContext, rd R) error {
	c.rd = &rd
	return nil
}

// process returns a function that calls the real processor with the reader that
// was kept.
func (c *capture[R]) process() func() error {
	p, ctx, rd := push.NotificationProcessor(c.Processor), context.Background(), *c.rd
	return func() error { return c.call(p, ctx, push.NotificationHandlerContext{}, rd) }
}
