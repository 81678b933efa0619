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

// goRedis drives push.Processor as go-redis' own connections do. The processor
// takes the pushes before each reply. It leaves the pushes of publish and
// subscribe, which are then read as replies.
var goRedis = Peer{
	Name:   "go-redis",
	module: "github.com/redis/go-redis/v9",
	Note:   "push.Processor; it leaves messages unread, which are then read as replies, as PubSub does",
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

// GoRedisIdle opens a go-redis connection on which reply comes next. process
// does what go-redis does before it reads a reply, buffered returns how many
// bytes are in the buffer, and end closes the connection.
func GoRedisIdle(reply string) (process func() error, buffered func() int, end func(), err error) {
	conn, err := newGoRedisConn(new(Tally))
	if err != nil {
		return nil, nil, nil, err
	}
	conn.rd.Reset(strings.NewReader(reply))
	return conn.process, conn.rd.Buffered, conn.close, nil
}

// replyReader has the methods used here of go-redis' reader, whose type is
// internal.
type replyReader interface {
	Buffered() int
	ReadReply() (interface{}, error)
	Reset(rd io.Reader)
}

// goRedisConn is a processor together with the reader of a go-redis client's
// connection.
type goRedisConn struct {
	registry interface { // the processor's
		GetHandler(pushNotificationName string) push.NotificationHandler
	}
	process func() error // handles the pushes before the next reply
	rd      replyReader
	close   func()
}

// newGoRedisConn connects a go-redis client to a server in memory, to get hold
// of the client's reader.
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
		err = errors.New("peers: go-redis has not called its processor")
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

// decodedHandler is a go-redis style handler, for go-redis and for respush. C
// is the type of the handler context that each of them passes.
type decodedHandler[C any] struct {
	tally *Tally
	push  int // index into Names
}

// HandlePushNotification reads all elements after the name.
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
// with. R is the type of go-redis' internal reader. Code outside go-redis
// cannot name that type, but can infer it.
type capture[R any] struct {
	*push.Processor
	call func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error
	rd   *R
}

// newCapture returns a capture for readers of the type that call takes.
func newCapture[R any](call func(push.NotificationProcessor, context.Context, push.NotificationHandlerContext, R) error, p *push.Processor) *capture[R] {
	return &capture[R]{Processor: p, call: call}
}

// ProcessPendingNotifications keeps rd and reads nothing from it.
func (c *capture[R]) ProcessPendingNotifications(_ context.Context, _ push.NotificationHandlerContext, rd R) error {
	c.rd = &rd
	return nil
}

// process returns a function that calls the real processor with the kept
// reader.
func (c *capture[R]) process() func() error {
	p, ctx, rd := push.NotificationProcessor(c.Processor), context.Background(), *c.rd
	return func() error { return c.call(p, ctx, push.NotificationHandlerContext{}, rd) }
}
