package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// keep keeps the Feed connected until ctx ends, a server refuses the first
// set-up, or the Backoff gives up.
func (f *Feed) keep(ctx context.Context) error {
	var wait Backoff = new(jittered)
	if f.Backoff != nil {
		wait = f.Backoff()
	}
	everArmed := false
	for {
		told := false // OnGap has been told of err
		s, err := f.connect(ctx, ctx, f.Addr, false, f.deliver)
		if err != nil {
			f.mu.Lock()
			f.stats.Failures++
			f.mu.Unlock()
		}
		for gap := true; s != nil; {
			var next *session
			next, gap, err = f.serve(ctx, s, gap)
			if s.gen != nil {
				everArmed = true
				wait.Reset()
			}
			told = s.lost
			s = next
		}
		var refused *SetupError
		switch {
		case ctx.Err() != nil:
			return err
		case !everArmed && errors.As(err, &refused) && !passing(refused):
			return err
		}
		if !told {
			f.tellError(ctx, err)
		}
		pause := wait.NextBackOff()
		if pause < 0 {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// serve reads from a session that has been set up. If it ends a gap, it flushes
// and arms the session first. It returns why the session ended, and the session
// that takes its place, if there is one; gap reports whether that one ends a gap.
func (f *Feed) serve(ctx context.Context, s *session, gap bool) (next *session, newGap bool, err error) {
	if gap {
		f.flush(ctx)
	}
	f.mu.Lock()
	f.session = s
	f.serving = s
	if gap {
		s.queues.Store(int32(len(f.Queues)) + 1)
	} else {
		s.rest()
		s.startMove()
	}
	s.sendChanges()
	if f.shutting {
		s.sendEnd()
	}
	f.mu.Unlock()
	if gap {
		s.awaitQueues()
	}
	err = f.over.Serve(ctx, s.handlerContext(), s.rd, s.reply)
	handedOver, ended := errors.Is(err, errHandover), errors.Is(err, errEnd)
	switch {
	case ended:
		s.close()
		f.Stop(nil)
	case !handedOver:
		err = s.ended(err)
	}
	m := s.endMove()
	next = m.successor()
	if next != nil && ctx.Err() != nil {
		_ = next.ended(ctx.Err())
		f.leave(next, nil)
		next = nil
	}
	f.leave(s, next)
	if s.lost && ctx.Err() == nil {
		f.tell(ctx, Gap{Gen: f.Coverage().Gen, Since: s.since, Addr: s.addr, Cause: err})
	}
	if next == nil {
		return nil, true, err
	}
	for _, push := range m.stash {
		f.Processor.Dispatch(ctx, next.handlerContext(), push)
	}
	return next, !handedOver, err
}

// close closes the connection of a session that is no longer needed. What it
// covered ends with Run.
func (s *session) close() {
	s.f.mu.Lock()
	s.failure = errEnd
	s.timer.Stop()
	s.f.mu.Unlock()
	_ = s.conn.Close() // may wait for a TLS peer
}

// deliver handles a push that has arrived before the set-up was complete.
func (f *Feed) deliver(s *session, push parser.Frame) error {
	d := s.rd.Driver()
	d.Lend()
	defer d.Reclaim()
	f.Processor.Dispatch(s.ctx, s.handlerContext(), push)
	return s.ctx.Err()
}

// flushAll is the invalidation of every key.
const flushAll = ">2\r\n$10\r\ninvalidate\r\n_\r\n"

// flush tells the handler of invalidations that every key may have changed. No
// server has said so, so the handler is told of no connection.
func (f *Feed) flush(ctx context.Context) {
	if f.Tracking == nil || f.member != nil && f.member.flush(ctx) {
		return
	}
	push, _, _ := parser.Parse([]byte(flushAll)) // well-formed
	f.Processor.Dispatch(ctx, dispatch.NotificationHandlerContext{Client: f}, push)
}

// tell flushes the caches and reports a gap.
func (f *Feed) tell(ctx context.Context, g Gap) {
	f.mu.Lock()
	f.stats.count(g.Cause)
	f.mu.Unlock()
	f.flush(ctx)
	if f.Logger != nil && !errors.Is(g.Cause, ErrStart) {
		f.Logger.LogAttrs(ctx, slog.LevelWarn, "feed: gap", slog.String("addr", g.Addr),
			slog.Uint64("gen", g.Gen), slog.Time("since", g.Since), slog.Any("cause", g.Cause))
	}
	if f.OnGap != nil {
		f.OnGap(ctx, g)
	}
	if f.member != nil {
		f.member.gap(ctx, g)
	}
}

// tellArmed reports that a gap has ended.
func (f *Feed) tellArmed(s *session, c Coverage) {
	if f.Logger != nil {
		f.Logger.LogAttrs(s.ctx, slog.LevelInfo, "feed: armed", slog.String("addr", s.addr), slog.Uint64("gen", c.Gen))
	}
	if f.OnArmed != nil {
		f.OnArmed(s.ctx, c)
	}
	if f.member != nil {
		f.member.armed(s.ctx)
	}
}

// tellError reports an attempt that failed and will be repeated.
func (f *Feed) tellError(ctx context.Context, err error) {
	if f.Logger != nil {
		f.Logger.LogAttrs(ctx, slog.LevelWarn, "feed: not connected", slog.String("addr", f.Addr), slog.Any("error", err))
	}
	if f.OnError != nil {
		f.OnError(ctx, err)
	}
	if f.member != nil {
		f.member.failed(ctx, err)
	}
}
