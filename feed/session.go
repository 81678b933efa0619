package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/command"
	"github.com/seed79615202/respush/notify"
	"github.com/seed79615202/respush/parser"
)

// session is one connection, from its dial to its end.
//
// It is set up first: all commands are written at once, and every answer is
// read. Then it is armed, as soon as the Queues have handled the flush that
// precedes that. Until it fails, rounds of probes follow. The goroutine of Run
// reads; whoever holds the mutex of the Feed writes.
//
// Invariant, with f.mu held: once failure is set, nothing is written and the
// generation gen is not armed any more. awaited holds the commands that have
// been written and not answered, in order.
type session struct {
	f    *Feed
	ctx  context.Context // of Run, for the handlers
	addr string
	conn net.Conn
	rd   *parser.Reader

	phase    phase
	awaited  requests
	failure  error
	lost     bool        // failing has begun a gap
	since    time.Time   // of the gap
	gen      *generation // the one that was armed by this session or handed to it
	role     string
	first    []byte // the probe that a round begins with
	last     []byte // the probe that a round ends with
	begun    int64  // the moment the set-up or the round began
	deadline int64  // of what phase waits for
	timer    *time.Timer
	moving   *move
	ending   bool     // sendEnd has been called
	moved    []string // shard channels whose slots the server has lost

	queues atomic.Int32 // Queues that have not reached the barrier of phase
	pass   func()       // passed, for Queue.Barrier
}

// phase says what a session waits for.
type phase uint8

const (
	settingUp  phase = iota // the answers to the set-up
	arming                  // the Queues, to handle the flush before arming
	resting                 // the time of the next round
	firstProbe              // the answer to the first probe of a round
	lastProbe               // the answer to the last probe of a round
	settling                // the Queues, to handle what the round has proved sent
)

// The ends of a session that are no failures.
var (
	errHandover = errors.New("feed: connection is left for its successor")
	errEnd      = errors.New("feed: connection is no longer needed")
)

// errNoRESP3 is the error of a server that answers HELLO 3 and stays with RESP2.
var errNoRESP3 = errors.New("server does not speak RESP3")

// errUnconfirmed is the error of a command that was answered with neither a
// confirmation nor an error.
var errUnconfirmed = errors.New("server did not confirm the subscription")

// handlerContext returns what handlers are told about the connection.
func (s *session) handlerContext() dispatch.NotificationHandlerContext {
	return dispatch.NotificationHandlerContext{Client: s.f, Conn: s.conn}
}

// connect dials and sets up a session. Pushes that arrive before the set-up is
// complete go to early, which borrows them.
func (f *Feed) connect(ctx, runCtx context.Context, addr string, successor bool, early func(*session, parser.Frame) error) (*session, error) {
	f.mu.Lock()
	f.stats.Dials++
	f.mu.Unlock()
	var username, password string
	if f.Auth != nil {
		var err error
		if username, password, err = f.Auth(ctx); err != nil {
			return nil, err
		}
	}
	dial := f.Dial
	if dial == nil {
		dial = dialPlain
	}
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	conn, err := dial(dialCtx, addr)
	cancel()
	if err != nil {
		return nil, err
	}
	s := &session{
		f: f, ctx: runCtx, addr: addr,
		conn: conn, rd: parser.NewReader(conn, parser.WithLimits(f.Limits)),
		first: probeHello, last: probePing,
	}
	s.pass = s.passed
	s.timer = time.AfterFunc(f.Probe.within(), s.tick)
	stop := context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		s.fail(ctx.Err())
	})
	f.mu.Lock()
	s.schedule(now() + int64(f.Probe.within()))
	if !successor {
		f.session = s
	}
	s.begun = now()
	s.write(s.appendSetup(nil, username, password))
	f.mu.Unlock()
	err = s.setUp(early)
	if !stop() && err == nil {
		err = s.ended(ctx.Err())
	}
	if err != nil {
		f.leave(s, nil)
		return nil, err
	}
	return s, nil
}

// appendSetup appends the commands of the set-up and waits for their answers.
// The caller holds f.mu.
func (s *session) appendSetup(dst []byte, username, password string) []byte {
	f := s.f
	hello := []string{"HELLO", "3"}
	if username == "" {
		username = "default"
	}
	if password != "" || username != "default" {
		hello = append(hello, "AUTH", username, password)
	}
	if f.ClientName != "" {
		hello = append(hello, "SETNAME", f.ClientName)
	}
	dst = command.Append(dst, hello...)
	s.awaited.add(request{purpose: forHello})
	dst = command.Append(dst, "CLIENT", "MAINT_NOTIFICATIONS", "ON", "moving-endpoint-type", endpointType(s.conn))
	s.awaited.add(request{purpose: forNotices})
	if t := f.Tracking; t != nil {
		tracking := []string{"CLIENT", "TRACKING", "ON", "BCAST"}
		for _, prefix := range t.Prefixes {
			tracking = append(tracking, "PREFIX", prefix)
		}
		if t.NoLoop {
			tracking = append(tracking, "NOLOOP")
		}
		dst = command.Append(dst, tracking...)
		s.awaited.add(request{purpose: forTracking})
	}
	dst = s.appendSubscriptions(dst)
	for _, c := range f.changes {
		if !c.sent {
			dst = s.appendChange(dst, c)
		}
	}
	s.awaited.add(request{purpose: forRole})
	s.awaited.add(request{purpose: forReadiness})
	f.stats.Probes += 2
	return append(append(dst, s.first...), s.last...)
}

// setUp reads until every answer of the set-up has been read.
func (s *session) setUp(early func(*session, parser.Frame) error) error {
	for {
		frame, err := s.rd.Next()
		if err != nil {
			return s.ended(err)
		}
		if frame.IsPush() {
			s.see(frame)
			err = early(s, frame)
		} else {
			err = s.reply(frame)
		}
		s.f.mu.Lock()
		failure, ready := s.failure, s.phase != settingUp
		s.f.mu.Unlock()
		switch {
		case failure != nil:
			return failure
		case err != nil:
			return s.ended(err)
		case ready:
			return nil
		}
	}
}

// seen holds the names of the pushes that a session looks at.
var seen = [...]string{
	"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe", notify.NameMoving,
}

// see looks at a push.
func (s *session) see(push parser.Frame) {
	switch string(push.Name()) {
	case "subscribe":
		s.confirmed(Channel, false, push)
	case "unsubscribe":
		s.confirmed(Channel, true, push)
	case "psubscribe":
		s.confirmed(Pattern, false, push)
	case "punsubscribe":
		s.confirmed(Pattern, true, push)
	case "ssubscribe":
		s.confirmed(ShardChannel, false, push)
	case "sunsubscribe":
		s.confirmed(ShardChannel, true, push)
		s.tellMoved()
	case notify.NameMoving:
		s.announced(push)
	}
}

// reply reads the answer to the oldest command. It returns an error when the
// session has ended.
func (s *session) reply(frame parser.Frame) error {
	s.f.mu.Lock()
	before := s.phase
	err := s.match(frame.Value())
	if s.failure != nil {
		err = s.failure
	}
	settles := before != settling && s.phase == settling
	if settles {
		s.queues.Store(int32(len(s.f.Queues)) + 1)
	}
	s.f.mu.Unlock()
	if settles && err == nil {
		s.awaitQueues()
	}
	s.tellMoved()
	return err
}

// match is reply for a caller that holds f.mu.
func (s *session) match(v parser.Value) error {
	c := s.awaited.first()
	switch {
	case c != nil && c.purpose == forChange:
		s.refused(*c, v)
		return nil
	case isPubSub(v):
		s.fail(ErrArrayPubSub)
		return nil
	case c == nil:
		cause := ErrUnexpected
		if err := refusal(v); err != nil {
			cause = fmt.Errorf("%w: %w", cause, err)
		}
		s.fail(cause)
		return nil
	}
	purpose := c.purpose
	s.awaited.pop()
	err := refusal(v)
	switch purpose {
	case forHello:
		if err == nil && v.Type() != parser.TypeMap {
			err = errNoRESP3
		}
		s.require("HELLO", err)
		s.role = string(roleIn(v))
		if s.f.member != nil && s.failure == nil && s.role != "" && s.role != "master" {
			s.fail(ErrReplica)
		}
	case forTracking:
		s.require("CLIENT TRACKING", err)
	case forNotices:
	default:
		return s.probed(purpose, v, err)
	}
	return nil
}

// refused handles the reply to a command that pushes should have confirmed.
func (s *session) refused(c request, v parser.Value) {
	verb, end := c.change.kind.verb(c.change.end), c.change.end
	err := refusal(v)
	switch {
	case err == nil && v.Type() == parser.TypeArray:
		s.require(verb, ErrArrayPubSub)
	case err == nil:
		s.require(verb, errUnconfirmed)
	case end: // Valkey 8.0 refuses to end what it does not know
		s.awaited.pop()
		s.answered(c.change, nil)
		s.popConfirmed()
	default:
		s.awaited.pop()
		err = &SetupError{verb, s.addr, err}
		if s.f.member != nil && movedSlot(err) {
			for name := range c.names {
				s.dropMoved(name)
			}
			if c.change.done == nil {
				err = nil // the set-up goes on without it
			}
		}
		s.answered(c.change, err)
		s.popConfirmed()
	}
}

// require makes the session fail if err is not nil.
func (s *session) require(command string, err error) {
	if err != nil {
		s.fail(&SetupError{command, s.addr, err})
	}
}

// refusal returns the error that v is, or nil.
func refusal(v parser.Value) error {
	if t := v.Type(); t == parser.TypeSimpleError || t == parser.TypeBulkError {
		return parser.ServerError(v.String())
	}
	return nil
}

// isPubSub reports whether v is an array that should have been a push of publish
// and subscribe.
func isPubSub(v parser.Value) bool {
	if v.Type() == parser.TypeArray {
		for first := range v.All() {
			return parser.IsPubSub(first.Bytes())
		}
	}
	return false
}

// roleIn returns the role in an answer to HELLO, or nil.
func roleIn(v parser.Value) []byte {
	if v.Type() != parser.TypeMap {
		return nil
	}
	for key, value := range v.Pairs() {
		if string(key.Bytes()) == "role" {
			return value.Bytes()
		}
	}
	return nil
}

// write writes b. The caller holds f.mu.
func (s *session) write(b []byte) {
	if s.failure != nil {
		return
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.f.Probe.within())) // without deadlines, the peer has to read
	if _, err := s.conn.Write(b); err != nil {
		s.fail(err)
	}
}

// fail ends the session, and with it the coverage that it gave. Only the first
// call has an effect. The caller holds f.mu.
func (s *session) fail(cause error) {
	if s.failure != nil {
		return
	}
	s.failure = cause
	if s.gen != nil && s.f.current.Load() == s.gen {
		s.lost = true
		_, s.since = s.f.disarm()
	}
	s.timer.Stop()
	hangUp(s.conn)
}

// ended makes the session fail with the error that reading ended with, unless it
// has failed already, and returns the error that it failed with.
func (s *session) ended(err error) error {
	if err == nil || err == io.EOF {
		err = ErrClosed
	}
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.fail(err)
	return s.failure
}

// leave forgets a session that has ended. next takes its place, or is nil. What
// was under way on its connection is sent again on the next one. If there is no
// connection, every subscription has ended, and so do the calls of Unsubscribe.
func (f *Feed) leave(s, next *session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.session == s {
		f.session = next
	}
	for _, c := range s.awaited.waiting() {
		if c.purpose == forChange && c.change.done != nil {
			c.change.sent, c.change.left, c.change.err = false, 0, nil
		}
	}
	s.awaited = requests{}
	s.rd.Release()
	if f.session != nil {
		return
	}
	for _, c := range slices.Clone(f.changes) {
		if c.end {
			f.unwant(c)
			f.settle(c, nil)
		}
	}
	if f.shutting {
		f.end(&stopped{})
	}
}
