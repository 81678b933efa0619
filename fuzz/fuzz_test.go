package fuzz_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/oracle"
	"github.com/seed79615202/respush/internal/test/vectors"
	"github.com/seed79615202/respush/parser"
)

// maxInput is the length in bytes of the longest input that a target reads.
const maxInput = vectors.MaxGenerated + 512

// FuzzStream reads a stream of replies and pushes as a client does: the
// processor takes the pushes, the client the replies, in turn, however the
// stream is cut. The processor must never lose step: every push is delivered
// once, the nested ones too, in order, and the client finds each reply where
// the oracle does.
func FuzzStream(f *testing.F) {
	cuts := [][]byte{nil, {1}, {0, 1}, {7, 2, 0, 90}, {255, 3}, {0, 16}}
	i := 0
	seed := func(generated bool, input []byte) {
		f.Add(generated, input, cuts[i%len(cuts)], uint16(i*40503))
		i++
	}
	for _, c := range vectors.Cases() {
		seed(false, []byte(c.Wire))
		seed(false, []byte(c.Wire+"+OK\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n:1\r\n"))
	}
	captures, err := vectors.Captures("../testdata/captures")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range captures {
		seed(false, c.Wire)
	}
	r := rand.New(rand.NewPCG(7, 8))
	for n := range 200 {
		script := make([]byte, 4+n)
		for j := range script {
			script[j] = byte(r.Uint32())
		}
		script[0] |= 48 // four frames
		seed(true, script)
	}
	f.Fuzz(func(t *testing.T, generated bool, input, cuts []byte, how uint16) {
		if len(input) > maxInput {
			return
		}
		if generated {
			input = vectors.Generate(make([]byte, 0, 512), input)
		}
		s := session{t: t, wire: input, feed: vectors.Feed{Data: input, Cuts: cuts, End: io.EOF}, how: how}
		switch how >> 13 {
		case 1:
			s.limits = oracle.Limits{MaxFrame: 64, MaxBulk: 16}
		case 2:
			s.limits = oracle.Limits{MaxElements: 8, MaxDepth: 3}
		case 3: // what a fast path for short pushes may still take
			s.limits = oracle.Limits{MaxElements: 16 + int(how>>8&7), MaxDepth: 2 + int(how>>6&1)}
		}
		s.run()
	})
}

// The two kinds of processor; their fallback is the session that runs.
var (
	running *session
	deliver = dispatch.HandlerFunc(func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		return running.pushed(push)
	})
	broken     = dispatch.WithErrorHandler(func(_ context.Context, _ []byte, err error) { running.fatal(err) })
	withPubSub = dispatch.NewProcessor(dispatch.WithFallback(deliver), broken, dispatch.WithPubSub())
	leaving    = dispatch.NewProcessor(dispatch.WithFallback(deliver), broken)
)

// session is one client on one stream. base is where the frame begins that is
// under way; due are the pushes that have been taken off the stream, or read by
// the client, and must be delivered before anything else.
type session struct {
	t    *testing.T
	wire []byte
	feed vectors.Feed
	how  uint16
	p    *dispatch.Processor

	limits oracle.Limits
	base   int
	due    []*oracle.Node
	origin int // where the frame begins that due is from
}

var errLost = errors.New("lost step")

func (s *session) fatal(err error) {
	var panicked *dispatch.PanicError
	if errors.As(err, &panicked) {
		s.t.Logf("%s", panicked.Stack)
	}
	s.t.Fatalf("%q, frame at %d, how %#x, cuts %v: %v", s.wire, s.base, s.how, s.feed.Cuts, err)
}

// next returns what the oracle finds at base.
func (s *session) next() oracle.Result {
	return oracle.Parse(s.wire[s.base:], s.limits)
}

// pass says that the frame at base, of which want is the outcome, is off the
// stream, and makes its pushes due.
func (s *session) pass(want oracle.Result) {
	s.due = s.due[:0]
	if want.Tree.Type == '>' {
		s.due = append(s.due, want.Tree)
	}
	s.due = append(s.due, want.Tree.NestedPushes()...)
	s.origin = s.base
	s.base += want.N
}

// pushed is the handler of every push.
func (s *session) pushed(push parser.Frame) error {
	if len(s.due) == 0 {
		want := s.next()
		if want.Verdict != oracle.OK || want.Tree.Type != '>' {
			s.fatal(errors.New("a push was delivered where none is: " + string(push.Raw())))
		}
		s.pass(want)
	}
	want := s.due[0]
	s.due = s.due[1:]
	if raw := s.wire[s.origin+want.Start : s.origin+want.End]; !bytes.Equal(push.Raw(), raw) || !push.IsPush() {
		s.fatal(errors.New("delivered " + string(push.Raw()) + " for " + string(raw)))
	}
	return nil
}

func (s *session) run() {
	running = s
	size := 16 + int(s.how>>6&0xff)
	limits := parser.WithLimits(parser.Limits(s.limits))
	var rd *parser.Reader
	var source *bufio.Reader
	if s.how&1 == 0 {
		rd = parser.NewReader(&s.feed, limits, parser.WithBufferSize(size))
	} else {
		source = bufio.NewReaderSize(&s.feed, size)
		rd = parser.NewReader(source, limits)
	}
	defer rd.Release()
	s.p = leaving
	if s.how&2 != 0 {
		s.p = withPubSub
	}
	for s.turn(rd, source) {
		s.how = s.how<<5 | s.how>>11&^3 | s.how&3 // other calls in the next turn, on the same connection
	}
	if len(s.due) > 0 {
		s.fatal(errors.New("pushes were not delivered"))
	}
}

// turn lets the processor and then the client have what is theirs, and reports
// whether the stream goes on.
func (s *session) turn(rd *parser.Reader, source *bufio.Reader) bool {
	waited := s.feed.Stalls
	if s.how&4 != 0 && s.how&3 != 0 {
		if _, err := s.p.ProcessBuffered(context.Background(), dispatch.NotificationHandlerContext{}, rd); err != nil {
			return s.failed(rd, err)
		}
		waited = -1
	} else {
		for {
			err := s.p.ProcessPendingNotifications(context.Background(), dispatch.NotificationHandlerContext{}, rd)
			if err == nil {
				break
			}
			if err != vectors.ErrStall {
				return s.failed(rd, err)
			}
		}
	}
	if len(s.due) > 0 {
		s.fatal(errors.New("the processor returned before it delivered the nested pushes"))
	}
	want := s.next()
	if want.Verdict == oracle.OK && waited == s.feed.Stalls && want.Tree.Type == '>' {
		if name, _ := want.Tree.Name(); s.p == withPubSub || !parser.IsPubSub(name) {
			s.fatal(errors.New("the processor left a push"))
		}
	}
	// The client may read what comes next past the Reader, a push that was left
	// too, but not what the Reader has moved out of the Source.
	_, moved := rd.Pending()
	if source != nil && s.how&8 != 0 && waited == s.feed.Stalls && moved == 0 && want.Verdict == oracle.OK {
		return s.readSource(source, want)
	}
	return s.readFrame(rd, want)
}

// readFrame is a client that reads replies from the Reader, and has the pushes
// among them dispatched.
func (s *session) readFrame(rd *parser.Reader, want oracle.Result) bool {
	for {
		frame, err := rd.Next()
		if err == vectors.ErrStall {
			continue
		}
		if err != nil {
			return s.failed(rd, err)
		}
		return s.dispatch(frame, want)
	}
}

// readSource is a client that reads replies itself, from the buffer that the
// Reader shares.
func (s *session) readSource(source *bufio.Reader, want oracle.Result) bool {
	b := make([]byte, want.N)
	for n := 0; n < len(b); {
		m, err := source.Read(b[n:])
		if n += m; err != nil && err != vectors.ErrStall {
			s.fatal(err)
		}
	}
	frame, _, err := parser.Parse(b)
	if err != nil {
		s.fatal(err)
	}
	return s.dispatch(frame, want)
}

// dispatch takes a frame that the client has read.
func (s *session) dispatch(frame parser.Frame, want oracle.Result) bool {
	if want.Verdict != oracle.OK || !bytes.Equal(frame.Raw(), s.wire[s.base:s.base+want.N]) {
		s.fatal(errors.New("the client read " + string(frame.Raw())))
	}
	s.pass(want)
	pushes := len(s.due)
	if n := s.p.Dispatch(context.Background(), dispatch.NotificationHandlerContext{}, frame); n != pushes || len(s.due) > 0 {
		s.fatal(errLost)
	}
	return true
}

// failed ends the session: the oracle must have found the same.
func (s *session) failed(rd *parser.Reader, err error) bool {
	want := s.next()
	var syntax *parser.SyntaxError
	var limit *parser.LimitError
	ok := false
	switch {
	case err == io.EOF:
		ok = s.base == len(s.wire)
	case err == io.ErrUnexpectedEOF:
		ok = want.Verdict == oracle.Incomplete && s.base < len(s.wire)
	case errors.As(err, &syntax):
		ok = want.Verdict == oracle.Syntax && rd.Err() == err && s.direct(syntax.Offset, want.Offset)
	case errors.As(err, &limit):
		ok = want.Verdict == oracle.OverLimit && rd.Err() == err && limit.Limit == want.Limit && limit.Got == want.Got && s.direct(limit.Offset, want.Offset)
	}
	if !ok {
		s.fatal(err)
	}
	return false
}

// direct compares the offset in an error with the oracle's, unless the client
// has read from the Source as well: then the Reader has not seen all of the
// stream.
func (s *session) direct(got, want int64) bool {
	if s.how&1 != 0 {
		return got <= int64(s.base)+want
	}
	return got == int64(s.base)+want
}
