// Command queue shows a subscriber that is slower than its channels, and the
// effect of each overflow policy of a dispatch.Queue.
//
//	queue redis://[user:password@]host[:port]
//
// For each policy the program publishes 5,000 messages on 8 channels, as fast
// as the server accepts them. The subscriber needs a millisecond for each
// message. The program ends by itself after some seconds.
//
// Without a queue the subscriber would not read while it works. The server then
// buffers its messages, and closes the connection when they become too many
// (client-output-buffer-limit pubsub). The policy Block only delays that, so it
// suits bursts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/examples/internal/program"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

const (
	channels = 8
	messages = 5000 // in total, numbered from 1
	batch    = 200  // published in one pipeline
	workers  = 8
	queued   = 512
	work     = time.Millisecond
)

// The fourth policy, CoalesceToFlush, is for invalidations. The example cache
// shows it.
var policies = []struct {
	name     string
	overflow dispatch.Overflow
}{
	{"Block", dispatch.Block},
	{"DropNewest", dispatch.DropNewest},
	{"DropOldest", dispatch.DropOldest},
}

func main() { program.Main(run) }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	server, err := program.Arg(args)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "policy\tpublished/s\treceived\tdelivered\tdropped\twaited for room\tlast delivered\tout of order\t")
	for _, policy := range policies {
		s := newSubscriber(policy.overflow)
		rate, err := s.run(ctx, server)
		if err != nil {
			return errors.Join(err, table.Flush())
		}
		of := s.queue.Stats()
		fmt.Fprintf(table, "%s\t%.0f\t%d\t%d\t%d\t%d\t%d\t%d\t\n", policy.name, rate,
			of.Pushes, of.Delivered, of.Dropped, of.Blocked, s.newest(), s.disordered.Load())
	}
	return table.Flush()
}

// A subscriber handles the messages of all channels.
//
// Invariant: until the Queue is closed, only the handler uses the numbers that
// last points to. The Queue delivers the messages of a channel one after
// another, so no two calls use the same number at a time.
type subscriber struct {
	queue      *dispatch.Queue
	last       map[string]*int64 // the number of the last message delivered, by channel
	disordered atomic.Int64      // messages delivered after one of their channel with a higher number
}

func newSubscriber(overflow dispatch.Overflow) *subscriber {
	s := &subscriber{last: map[string]*int64{}}
	for i := range channels {
		s.last[channel(i)] = new(int64)
	}
	s.queue = dispatch.NewQueueFunc(notify.OnMessage(s.message),
		dispatch.QueueSize(queued), dispatch.QueueWorkers(workers), dispatch.QueueOverflow(overflow))
	return s
}

// message handles a message slowly.
func (s *subscriber) message(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
	number, err := m.Payload.Int64()
	if err != nil {
		return err
	}
	last := s.last[string(m.Channel)]
	if number <= *last {
		s.disordered.Add(1)
	}
	*last = number
	time.Sleep(work) // stands for a call to a database, say
	return nil
}

// newest returns the highest number of the messages delivered.
func (s *subscriber) newest() int64 {
	var newest int64
	for _, number := range s.last {
		newest = max(newest, *number)
	}
	return newest
}

// run subscribes, publishes the messages, and waits until each is delivered or
// dropped. It returns the rate of publishing in messages a second.
func (s *subscriber) run(ctx context.Context, server program.Server) (rate float64, err error) {
	defer func() {
		err = errors.Join(err, s.queue.Close(ctx)) // delivers the messages that wait, or drops them if ctx has ended
	}()
	conn, err := server.Dial(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()

	subscribed := make(chan struct{})
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.receive(groupCtx, conn, subscribed) })
	group.Go(func() error {
		select {
		case <-subscribed:
		case <-groupCtx.Done():
			return groupCtx.Err()
		}
		start := time.Now()
		if err := publish(groupCtx, server); err != nil {
			return err
		}
		rate = messages / time.Since(start).Seconds()
		_, err := conn.Write(program.Command("PING")) // the reply comes after all messages published before
		return err
	})
	err = group.Wait()
	return rate, err
}

// errAll ends the subscription when all messages have been received.
var errAll = errors.New("received all")

// receive gives the messages of conn to the queue. It closes subscribed when
// the subscriptions to all channels are confirmed.
func (s *subscriber) receive(ctx context.Context, conn net.Conn, subscribed chan<- struct{}) error {
	processor := dispatch.NewProcessor()
	err := errors.Join(
		processor.Handle(notify.NameMessage, s.queue),
		processor.HandleFunc(notify.NameSubscribe, notify.OnSubscription(
			func(_ context.Context, _ dispatch.NotificationHandlerContext, s notify.Subscription) error {
				if s.Count == channels {
					close(subscribed)
				}
				return nil
			})))
	if err != nil {
		return err
	}
	command := []string{"SUBSCRIBE"}
	for i := range channels {
		command = append(command, channel(i))
	}
	if _, err := conn.Write(program.Command(command...)); err != nil {
		return err
	}
	err = processor.Serve(ctx, dispatch.NotificationHandlerContext{Conn: conn}, parser.NewReader(conn), func(reply parser.Frame) error {
		if err := program.Refused(reply); err != nil {
			return err
		}
		return errAll // subscriptions have no replies, so this is the reply to PING
	})
	switch {
	case errors.Is(err, errAll):
		return nil
	case err == nil:
		return io.ErrUnexpectedEOF // the server closed the connection
	}
	return err
}

// publish publishes the messages, each with its number as payload, on the
// channels in turn.
func publish(ctx context.Context, server program.Server) error {
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Username: server.Username, Password: server.Password})
	defer client.Close()
	for first := 1; first <= messages; first += batch {
		_, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for number := first; number < first+batch; number++ {
				pipe.Publish(ctx, channel(number%channels), number)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func channel(i int) string { return "respush-example-queue:" + strconv.Itoa(i) }
