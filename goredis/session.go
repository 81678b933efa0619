package goredis

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// errBufferSize says that a push cannot be told from one of publish and
// subscribe within go-redis' buffer.
var errBufferSize = errors.New("goredis: the read buffer is too small for the name of a push")

// session is what works on one reader during a call, and until the next one if it
// is needed for that.
//
// Invariant: between calls it is at a boundary between frames and holds nothing,
// unless it is parked: it has taken something from the reader that is not whole.
// attributes is not nil while attributes larger than the buffer are being
// dropped, of which a part is gone. stalled is how many bytes there were when a
// call gave up waiting for the rest of a push, 0 unless the last one did.
type session struct {
	src        source
	rd         *parser.Reader // of src
	attributes *parser.Scanner
	stalled    int
	taken      int // pushes of this call
}

// sessions holds those that are not needed.
var sessions = sync.Pool{New: func() any {
	s := new(session)
	s.rd = parser.NewSourceReader(&s.src)
	return s
}}

// run handles the pushes that stand before the next reply, as
// push.NotificationProcessor says.
func (s *session) run(ctx context.Context, handlerCtx *dispatch.NotificationHandlerContext, p *dispatch.Overlay) error {
	stalled := s.stalled
	s.stalled = 0
	s.src.undiscarded = min(s.src.undiscarded, s.src.rd.Buffered()) // go-redis may have read it
	drain := isDrain(handlerCtx.Client)
	// Without a subscription a message would pass for the next reply.
	s.rd.Driver().TakeMessages(handlerCtx.PubSub == nil)
	for {
		over, err := s.pass(ctx, handlerCtx, p)
		if err != nil {
			return s.fail(err)
		}
		if over || drain && s.taken > 0 && !s.parked() {
			return s.end()
		}
		switch err = s.src.more(); {
		case err == nil:
		case err == bufio.ErrBufferFull:
			if err = s.makeRoom(); err != nil {
				return s.fail(err)
			}
		case err == errDiscard:
			return s.fail(err)
		case isTimeout(err):
			return s.timeout(err, drain, stalled)
		default:
			return s.cut(err, drain)
		}
	}
}

// pass handles what is buffered, and reports whether it is known that no push
// that is wanted is next.
func (s *session) pass(ctx context.Context, handlerCtx *dispatch.NotificationHandlerContext, p *dispatch.Overlay) (over bool, err error) {
	for {
		if s.attributes != nil {
			if dropped, err := s.dropAttributes(); err != nil || !dropped {
				return false, err
			}
		}
		n, err := p.ProcessBuffered(ctx, *handlerCtx, s.rd)
		s.taken += n
		if err != nil {
			return false, err
		}
		if !s.rd.Driver().MayHavePush() {
			return true, nil
		}
		w := s.src.window()
		if len(w) == 0 || s.pushBegun() {
			return false, nil
		}
		if w[0] != byte(parser.TypeAttribute) {
			return true, nil // a push that is left
		}
		// Attributes, and behind them what is not to be taken, or nothing yet.
		n = attributesLen(w)
		if n == 0 || n == len(w) {
			return false, nil
		}
		_, _ = s.src.Discard(n)
	}
}

// pushBegun reports whether a push has been begun that is not whole, or one may
// have been, so that its rest has to come.
func (s *session) pushBegun() bool {
	t, moved := s.rd.Pending()
	return t == parser.TypePush || moved > 0
}

// makeRoom takes what fills the buffer out of it: a push, or attributes.
func (s *session) makeRoom() error {
	switch {
	case s.rd.Driver().Withdraw():
		return nil
	case s.src.window()[0] == byte(parser.TypeAttribute):
		s.rd.ResetSource(&s.src)
		s.attributes = new(parser.Scanner)
		return nil
	}
	return errBufferSize
}

// dropAttributes drops what has come of the attributes under way, and reports
// whether that was all.
func (s *session) dropAttributes() (done bool, err error) {
	n, done, err := scanAttributes(s.attributes, s.src.window())
	_, _ = s.src.Discard(n)
	if done {
		s.attributes = nil
	}
	return done, err
}

// timeout ends a call whose connection gives nothing in time. go-redis reads all
// the same when it awaits a reply, and a PubSub keeps the connection even then: it
// is not to find half a push. When it drains a connection it gives that up for an
// error, so that nothing is taken, and it is no error; but for a second one in
// the same place, as go-redis may be draining in a loop that has to end.
func (s *session) timeout(err error, drain bool, stalled int) error {
	switch {
	case s.parked():
		return err
	case drain && s.pushBegun():
		if received := s.src.Buffered(); received != stalled {
			s.stalled, err = received, nil
		}
		s.rd.ResetSource(&s.src)
		return err
	case s.rd.Driver().Withdraw():
		if failed := s.end(); failed != nil {
			return failed
		}
		return err
	}
	return nil
}

// cut ends a call whose connection has failed.
func (s *session) cut(err error, drain bool) error {
	if !s.pushBegun() && !s.parked() {
		return atBoundary(err, drain)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return s.fail(err)
}

// parked reports whether the session has taken something from the reader that is
// not whole.
func (s *session) parked() bool {
	_, moved := s.rd.Pending()
	return moved > 0 || s.attributes != nil
}

// needed reports whether the next call with the same reader has to go on here.
func (s *session) needed() bool { return s.parked() || s.stalled > 0 }

// reset makes s ready for any reader.
func (s *session) reset() {
	s.rd.ResetSource(&s.src)
	s.src.undiscarded, s.src.failed, s.attributes, s.stalled = 0, nil, nil, 0
}

// end returns nil, unless go-redis' reader has failed to discard what was taken.
func (s *session) end() error {
	if err := s.src.failed; err != nil {
		return s.fail(err)
	}
	return nil
}

// fail ends the stream with err: it cannot be told any more where the next reply
// begins, and go-redis looks for it when it has only logged the error.
func (s *session) fail(err error) error {
	s.src.fail(err)
	s.reset()
	return err
}

// atBoundary returns what a call returns when the connection fails before there
// is anything of a push: go-redis' own read reports it, and when there will be
// none this does.
func atBoundary(err error, drain bool) error {
	if drain && !isTimeout(err) {
		return err
	}
	return nil
}

// isTimeout reports whether err is, or wraps, a time-out.
func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// attributesLen returns the length of all the attributes at the start of b, 0 when
// they are not whole: behind them there may be a push that they belong to.
func attributesLen(b []byte) (n int) {
	for n < len(b) && b[n] == byte(parser.TypeAttribute) {
		var sc parser.Scanner
		m, done, _ := scanAttributes(&sc, b[n:])
		if !done {
			return 0
		}
		n += m
	}
	return n
}

// scanAttributes is sc.Scan for attributes alone, without the value that they
// belong to: they have the form of a map.
func scanAttributes(sc *parser.Scanner, b []byte) (n int, done bool, err error) {
	if sc.Type() != 0 || len(b) == 0 {
		return sc.Scan(b)
	}
	_, _, _ = sc.Scan([]byte{byte(parser.TypeMap)})
	n, done, err = sc.Scan(b[1:])
	return n + 1, done, err
}
