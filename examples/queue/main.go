// Command queue shows a subscriber that is slower than its channels, and what
// each policy of a dispatch.Queue makes of that.
//
//	queue redis://[user:password@]host[:port]
//
// For each policy it publishes 5,000 messages on 8 channels, as fast as the
// server takes them, to a subscriber that needs a millisecond for each. It ends
// by itself after some seconds.
//
// Without a queue the subscriber would not read while it works, and the server
// closes a connection that it has to hold too much for (client-output-buffer-limit
// pubsub). With Block that is still so, only later: it is for bursts.
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
	messages = 5000 // in all, numbered from 1
	batch    = 200  // published in one pipeline
	workers  = 8
	queued   = 512
	work     = time.Millisecond
)

// The fourth policy, CoalesceToFlush, is for invalidations: see the example cache.
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

// A subscriber works on the messages of all channels.
//
// Invariant: what last points to is used by the handler of one message of that
// channel at a time, which is what a Queue promises, and by others after the
// Queue has been closed.
type subscriber struct {
	queue      *dispatch.Queue
	last       map[string]*int64 // the number of the message that was delivered last, by channel
	disordered atomic.Int64      // messages that came behind one with a higher number, of their channel
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

// message takes its time over a message.
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
	time.Sleep(work) // a database, say
	return nil
}

// newest returns the highest number of all that were delivered.
func (s *subscriber) newest() int64 {
	var newest int64
	for _, number := range s.last {
		newest = max(newest, *number)
	}
	return newest
}

// run subscribes, has the messages published, and returns at what rate that was when all of them that were not dropped
// have been delivered.
func (s *subscriber) run(ctx context.Context, server program.Server) (rate float64, err error) {
	defer func() {
		err = errors.Join(err, s.queue.Close(ctx)) // delivers what waits; when the program is interrupted, drops it
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
		_, err := conn.Write(program.Command("PING")) // is answered behind all that was published before
		return err
	})
	err = group.Wait()
	return rate, err
}

// errAll ends the subscription when all messages have been received.
var errAll = errors.New("received all")

// receive gives the messages that come on conn to the queue, and closes subscribed when no more can be missed.
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
		return errAll // subscriptions have no reply, so this is that of PING
	})
	switch {
	case errors.Is(err, errAll):
		return nil
	case err == nil:
		return io.ErrUnexpectedEOF // the server hung up
	}
	return err
}

// publish publishes the messages, their numbers, on one channel after the other.
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
