package dispatch

import (
	"context"
	"log/slog"
)

// Option configures a [Processor]. The names of the options of NewProcessor
// begin with With. Those of [NewQueue] are [QueueOption] and begin with Queue.
type Option func(*Processor)

// WithPubSub makes the processor take the pushes of publish and subscribe as
// well (see [parser.IsPubSub]). Without this option it leaves them unread for
// the client.
func WithPubSub() Option { return func(p *Processor) { p.takePubSub = true } }

// WithFallback makes h the handler of pushes without a name and of pushes whose
// name has no handler. If h is nil there is no fallback, and such pushes are
// counted and dropped.
func WithFallback(h Handler) Option {
	return func(p *Processor) { p.fallback = newTarget(h) }
}

// WithErrorHandler makes f the error handler. It receives the errors that
// handlers return, their panics as a [*PanicError], and the errors passed to
// [Processor.ReportError].
//
// f is called on the goroutine that reads the connection, and concurrently for
// different connections. name is the name of the push, borrowed until f
// returns, or nil if the push has none. err may also refer to borrowed memory
// if the handler made it from the push. A panic of f is recovered and counted.
//
// Without this option errors are logged to slog.Default with level Warn.
func WithErrorHandler(f func(ctx context.Context, name []byte, err error)) Option {
	return func(p *Processor) { p.onError = f }
}

// WithSkipOversize makes the processor drop a push that is over a limit of its
// Reader, and count it in [Stats]. The memory that this needs does not depend
// on the size of the push. Without this option such a push is an error and ends
// the stream.
//
// The push may be an invalidation. A program with a cache does without this
// option, or empties the cache when the count grows.
//
// A push that breaks a limit before its name has arrived cannot be told from
// one of publish and subscribe, so it is dropped as well. Two cases end the
// stream despite this option: attributes before the push that break a limit,
// and streamed aggregates that break MaxDepth. [Overlay.Serve], which a Feed of
// package feed calls, ignores the option.
func WithSkipOversize() Option { return func(p *Processor) { p.skipOversize = true } }

// HandleOption configures a name that [Processor.Handle] registers.
type HandleOption func(*handleOptions)

type handleOptions struct{ protected bool }

// Protected makes a name impossible to unregister.
func Protected() HandleOption { return func(o *handleOptions) { o.protected = true } }

// logError is the error handler of a processor without one of its own.
func logError(ctx context.Context, name []byte, err error) {
	slog.Default().LogAttrs(ctx, slog.LevelWarn, "push handler failed",
		slog.String("push", string(name)), slog.Any("error", err))
}

// ReportError passes err to the error handler, with a nil name, and counts it.
// It is for code that finds the pushes of a stream itself and calls Dispatch.
// Such code calls ReportError when it can find no more pushes, so that a
// program that relies on them, such as one with a cache, learns that the stream
// of pushes has ended.
func (p *Processor) ReportError(ctx context.Context, err error) {
	t := tally{errs: 1}
	f := p.onError
	if f == nil {
		f = func(ctx context.Context, _ []byte, err error) {
			slog.Default().LogAttrs(ctx, slog.LevelWarn, "push stream failed", slog.Any("error", err))
		}
	}
	if reportError(f, ctx, nil, err) {
		t[panics]++
	}
	p.counters.add(&t, nil)
}

// reportError calls an error handler, and logError if f is nil. It recovers
// from a panic of the error handler and reports whether there was one.
func reportError(f func(context.Context, []byte, error), ctx context.Context, name []byte, err error) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	if f == nil {
		f = logError
	}
	f(ctx, name, err)
	return false
}
