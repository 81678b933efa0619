package dispatch

import (
	"context"
	"log/slog"
)

// Option configures a [Processor].
type Option func(*Processor)

// WithPubSub makes the processor take the pushes of publish and subscribe too,
// which it otherwise leaves unread for the client.
func WithPubSub() Option { return func(p *Processor) { p.takePubSub = true } }

// WithFallback gives pushes whose name has no handler, and pushes without a
// name, to h; nil is no fallback.
func WithFallback(h Handler) Option {
	return func(p *Processor) { p.fallback = newTarget(h) }
}

// WithErrorHandler makes f the receiver of what handlers return, and of their
// panics as a [*PanicError]. It is called on the goroutine that reads the
// connection; name is borrowed until it returns, and nil for a push without one.
// Without this option errors are logged to slog.Default with level Warn. It also
// receives the errors given to [Processor.ReportError].
func WithErrorHandler(f func(ctx context.Context, name []byte, err error)) Option {
	return func(p *Processor) { p.onError = f }
}

// WithSkipOversize makes the processor drop a push that is over a limit of its
// Reader, in memory that does not depend on the size, and count it; otherwise
// the push is an error and ends the stream. One that breaks a limit before its
// name has come cannot be told from one of publish and subscribe, and is dropped
// like any other. A limit that is broken by attributes before the push, or
// MaxDepth by streamed aggregates, ends the stream all the same.
func WithSkipOversize() Option { return func(p *Processor) { p.skipOversize = true } }

// HandleOption configures a name given to [Processor.Handle].
type HandleOption func(*handleOptions)

type handleOptions struct{ protected bool }

// Protected makes a name one that cannot be unregistered.
func Protected() HandleOption { return func(o *handleOptions) { o.protected = true } }

// logError is the error handler when no other is given.
func logError(ctx context.Context, name []byte, err error) {
	slog.Default().LogAttrs(ctx, slog.LevelWarn, "push handler failed",
		slog.String("push", string(name)), slog.Any("error", err))
}

// ReportError gives err to the error handler, and counts it. It is for code that
// finds the pushes of a stream itself, and calls Dispatch, when it can find no
// more: whoever relies on pushes, as a cache does, has to be told.
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
	p.counters.add(&t)
}

// reportError calls an error handler, whose own panic ends here.
func reportError(f func(context.Context, []byte, error), ctx context.Context, name []byte, err error) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	if f == nil {
		f = logError
	}
	f(ctx, name, err)
	return false
}
