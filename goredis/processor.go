package goredis

import (
	"context"

	"github.com/redis/go-redis/v9/push"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// notificationProcessor is go-redis' interface under a name that is not exported
// when embedded.
type notificationProcessor = push.NotificationProcessor

// Processor is a [dispatch.Processor] as a push.NotificationProcessor, for the
// PushNotificationProcessor option of any go-redis client. All its methods may be
// called at the same time.
//
// Its method ProcessPendingNotifications is promoted from what it embeds, as the
// type of the reader that it takes has no name outside of go-redis. It is for
// go-redis to call.
//
// Invariant: the embedded value is a bridge to this Processor.
type Processor struct {
	notificationProcessor
	p     *dispatch.Processor
	rests rests
}

// NewProcessor returns p for use by go-redis. Handlers may be registered with
// either, at any time. A nil p drops all pushes but those of handlers registered
// here.
func NewProcessor(p *dispatch.Processor) *Processor {
	if p == nil {
		p = dispatch.NewProcessor()
	}
	r := &Processor{p: p}
	r.notificationProcessor = newBridge(push.NotificationProcessor.ProcessPendingNotifications, r)
	return r
}

// RegisterHandler makes handler the one for a name; a protected one cannot be
// unregistered. It gets the push decoded, in the Go types of [parser.Value.Any].
// The errors are go-redis': push.ErrHandlerNil for nil, and for a name that is
// taken, whichever way, one that push.IsHandlerExistsError knows.
func (r *Processor) RegisterHandler(pushNotificationName string, handler push.NotificationHandler, protected bool) error {
	if handler == nil {
		return push.ErrHandlerNil
	}
	return asPush(r.p.RegisterHandler(pushNotificationName, inbound{handler}, protected))
}

// GetHandler returns the handler that was registered under a name, here or with
// RegisterHandler of the [dispatch.Processor]; nil for a name that is unknown, or
// was given a handler of borrowed frames.
func (r *Processor) GetHandler(pushNotificationName string) push.NotificationHandler {
	switch h := r.p.GetHandler(pushNotificationName).(type) {
	case nil:
		return nil
	case inbound:
		return h.handler
	default:
		return outbound{h}
	}
}

// UnregisterHandler removes a name, whichever way it was registered. For a
// protected one it returns an error that push.IsProtectedHandlerError knows, for
// an unknown one nil.
func (r *Processor) UnregisterHandler(pushNotificationName string) error {
	return asPush(r.p.UnregisterHandler(pushNotificationName))
}

// processPending is ProcessPendingNotifications. It comes before every command,
// and every reply of a pipeline, mostly to find that there is nothing to do
// (BenchmarkPending).
func (r *Processor) processPending(ctx context.Context, handlerCtx *push.NotificationHandlerContext, rd reader) error {
	if r.rests.len.Load() == 0 {
		if w, err := rd.Peek(1); err == nil && w[0] != byte(parser.TypePush) && w[0] != byte(parser.TypeAttribute) {
			return nil
		}
	}
	return r.process(ctx, (*dispatch.NotificationHandlerContext)(handlerCtx), rd)
}

// process is processPending when there may be something to do.
func (r *Processor) process(ctx context.Context, handlerCtx *dispatch.NotificationHandlerContext, rd reader) error {
	s := r.rests.resume(rd, handlerCtx.Conn)
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
	s.src.rd = rd
	ended := false
	defer func() {
		if !ended { // by a handler, with its goroutine: what it was given is taken
			_ = s.settle()
		}
	}()
	err := s.run(ctx, handlerCtx, r.p)
	ended = true
	s.src.rd = nil
	if s.needed() {
		r.rests.add(rd, handlerCtx.Conn, s)
	} else {
		s.reset()
		sessions.Put(s)
	}
	return err
}
