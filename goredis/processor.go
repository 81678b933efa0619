package goredis

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/push"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// notificationProcessor is go-redis' interface under a name that is not exported
// when embedded.
type notificationProcessor = push.NotificationProcessor

// Processor is a [dispatch.Processor] as a push.NotificationProcessor, for the
// PushNotificationProcessor option of one go-redis client. Any number of them
// share a [dispatch.Processor]: what a client registers lives here, over the
// names handled there, and goes with it. All its methods may be called at the
// same time.
//
// Its method ProcessPendingNotifications is promoted from what it embeds, as the
// type of the reader that it takes has no name outside of go-redis. It is for
// go-redis to call.
//
// Invariant: the embedded value is a bridge to this Processor.
type Processor struct {
	notificationProcessor
	p      *dispatch.Overlay
	parked parked
}

// NewProcessor returns a Processor over p. Handlers may be registered with either,
// at any time; a push goes to the handler of p first, and then to the one that
// its client has registered here. A nil p is a [dispatch.Processor] without
// handlers.
func NewProcessor(p *dispatch.Processor) *Processor {
	if p == nil {
		p = dispatch.NewProcessor()
	}
	r := &Processor{p: p.Overlay()}
	r.notificationProcessor = newBridge(push.NotificationProcessor.ProcessPendingNotifications, r)
	return r
}

// NewClient returns a function for the NewClient option of redis.ClusterOptions
// and redis.RingOptions. The client of each node gets a Processor of its own over
// p, in place of one in the options of the cluster:
//
//	client := redis.NewClusterClient(&redis.ClusterOptions{
//		Addrs:     addrs,
//		NewClient: goredis.NewClient(p),
//	})
func NewClient(p *dispatch.Processor) func(opt *redis.Options) *redis.Client {
	return func(opt *redis.Options) *redis.Client {
		own := *opt
		own.PushNotificationProcessor = NewProcessor(p)
		return redis.NewClient(&own)
	}
}

// RegisterHandler makes handler the one that this Processor has for a name; a
// protected one cannot be unregistered. It gets the push decoded, in the Go types
// of [parser.Value.Any], after the handler that the [dispatch.Processor] may have
// for the name. The errors are go-redis': push.ErrHandlerNil for nil, for a name
// that is taken here one that push.IsHandlerExistsError recognizes, and a
// push.HandlerError for the cache of a go-redis that could not keep it fresh.
func (r *Processor) RegisterHandler(pushNotificationName string, handler push.NotificationHandler, protected bool) error {
	switch {
	case handler == nil:
		return push.ErrHandlerNil
	case isCache(pushNotificationName, handler) && !cacheStaysFresh():
		return push.NewHandlerError(push.ProcessorOperationRegister, pushNotificationName,
			fmt.Sprintf(reasonStale, redis.Version()), nil)
	}
	return asPush(r.p.RegisterHandler(pushNotificationName, inbound{handler}, protected))
}

// GetHandler returns the handler that was registered here under a name, by its
// client for instance, or nil.
func (r *Processor) GetHandler(pushNotificationName string) push.NotificationHandler {
	if h, ok := r.p.GetHandler(pushNotificationName).(inbound); ok {
		return h.handler
	}
	return nil
}

// UnregisterHandler removes a name that was registered here. For a protected one
// it returns an error that push.IsProtectedHandlerError recognizes, for an
// unknown one nil.
func (r *Processor) UnregisterHandler(pushNotificationName string) error {
	return asPush(r.p.UnregisterHandler(pushNotificationName))
}

// processPending is ProcessPendingNotifications. It comes before every command,
// and every reply of a pipeline, mostly to find that there is nothing to do
// (BenchmarkPending).
func (r *Processor) processPending(ctx context.Context, handlerCtx *push.NotificationHandlerContext, rd reader) error {
	taken := 0
	if r.parked.len.Load() == 0 {
		w, err := rd.Peek(1)
		switch {
		case err != nil:
			return atBoundary(err, isDrain(handlerCtx.Client))
		case w[0] == byte(parser.TypePush):
			var over bool
			if taken, over, err = r.lone(ctx, (*dispatch.NotificationHandlerContext)(handlerCtx), rd); over {
				return err
			}
		case w[0] != byte(parser.TypeAttribute):
			return nil
		}
	}
	return r.process(ctx, (*dispatch.NotificationHandlerContext)(handlerCtx), rd, taken)
}

// process is processPending when there may be something to do for a session.
// taken is the number of pushes that the call has handled.
func (r *Processor) process(ctx context.Context, handlerCtx *dispatch.NotificationHandlerContext, rd reader, taken int) error {
	s := r.parked.resume(rd, handlerCtx.Conn)
	if s == nil {
		w, err := rd.Peek(1)
		switch {
		case err != nil:
			return atBoundary(err, isDrain(handlerCtx.Client))
		case w[0] != byte(parser.TypePush) && w[0] != byte(parser.TypeAttribute):
			return nil
		}
		s = sessions.Get().(*session)
	}
	s.taken = taken
	s.src.rd = rd
	err := s.run(ctx, handlerCtx, r.p)
	s.src.rd = nil
	if s.needed() {
		r.parked.add(rd, handlerCtx.Conn, s, err)
	} else {
		s.reset()
		sessions.Put(s)
	}
	return err
}
