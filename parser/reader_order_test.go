package parser_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/captures"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/parser"
)

// A session calls a Reader's methods in any order, and knows what each has to give: a Reader never loses step.
type session struct {
	*rand.Rand
	t        *testing.T
	r        *parser.Reader
	own      *bufio.Reader
	frames   []string
	at       int      // of the frame that is next
	free     bool     // the client may read from its own buffer
	dropping bool     // the frame before has been begun to be dropped, and may not have ended
	log      []string // of calls, for the day it fails
}

// orderFrames are what the streams of sessions are made of.
var orderFrames = []string{
	pong, ":1\r\n", "$-1\r\n", bulk("some text"), bulk(strings.Repeat("x", 150)), "*2\r\n:1\r\n$1\r\na\r\n", "*1\r\n>1\r\n+p\r\n_\r\n",
	attribute + pong, "|0\r\n" + bulk("some text"), "%1\r\n+k\r\n*?\r\n.\r\n", "$?\r\n;3\r\nabc\r\n;0\r\n",
	invalidate, invalidate, message("text"), message(strings.Repeat("m", 150)), attribute + invalidate, attribute + message("text"),
	">0\r\n", ">1\r\n:1\r\n", ">2\r\n+simple\r\n_\r\n", ">3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n", ">2\r\n=8\r\ntxt:name\r\n>1\r\n+p\r\n_\r\n",
}

func TestCallsInAnyOrderKeepStep(t *testing.T) {
	seeds := 150
	if race.Enabled {
		seeds = 15
	}
	eachHold(t, func(t *testing.T, hold hold) {
		for seed := range seeds {
			s := &session{Rand: rand.New(rand.NewPCG(uint64(seed), 1)), t: t}
			for range 40 {
				s.frames = append(s.frames, orderFrames[s.IntN(len(orderFrames))])
			}
			stream := []byte(strings.Join(s.frames, ""))
			rd := io.Reader(captures.NewStutter(stream, 1+s.IntN(100)))
			if s.IntN(3) == 0 {
				rd = captures.NewPieces(stream, 1+s.IntN(100))
			}
			s.r, s.own = hold(rd)
			for calls := 0; s.at < len(s.frames); calls++ {
				if err := s.call(); err != nil || calls > 100_000 {
					t.Fatalf("seed %d, frame %d, %q: %v\n%s", seed, s.at, s.next(), err, strings.Join(s.log[max(0, len(s.log)-30):], "\n"))
				}
			}
			_, err := again(s.r.Next)
			require.Equal(t, io.EOF, err)
		}
	})
}

// next returns the frame that is next.
func (s *session) next() string {
	if s.at < len(s.frames) {
		return s.frames[s.at]
	}
	return ""
}

// call calls one method, or more of them.
func (s *session) call() error {
	leave := s.IntN(2) == 0
	switch s.IntN(9) {
	case 0:
		return s.took("Next", func() (parser.Frame, bool, error) {
			f, err := s.r.Next()
			return f, err == nil, err
		})
	case 1:
		return s.took(fmt.Sprint("NextPush ", leave), func() (parser.Frame, bool, error) { return s.r.Driver().NextPush(leave) })
	case 2, 3:
		return s.took(fmt.Sprint("one NextBuffered ", leave), func() (parser.Frame, bool, error) { return bufferedPush(s.r, leave) })
	case 4:
		return s.many(leave)
	case 5:
		return s.peek()
	case 6:
		return s.result("Fill", s.r.Driver().Fill())
	case 7:
		return s.skip()
	}
	return s.read()
}

// result lets the errors pass that are no failure.
func (s *session) result(call string, err error) error {
	s.log = append(s.log, fmt.Sprintf("%d %s: %v", s.at, call, err))
	if err == nil {
		s.dropping = false
	}
	if err == timeout || err == parser.ErrIncomplete || err == io.EOF && s.at == len(s.frames) {
		return nil
	}
	return err
}

// took is a call that takes the next frame, or leaves it, or has to wait.
func (s *session) took(call string, take func() (parser.Frame, bool, error)) error {
	f, ok, err := take()
	s.free = !ok && err == nil || ok
	switch {
	case ok && string(f.Raw()) != s.next():
		return fmt.Errorf("took %q", f.Raw())
	case ok:
		s.at++
	case err == nil:
		want := parse(s.t, s.next())
		if want.IsPush() && (!strings.HasSuffix(call, "true") || !parser.IsPubSub(want.Name())) {
			return fmt.Errorf("left a push")
		}
	}
	return s.result(call, err)
}

func (s *session) many(leave bool) error {
	var wrong error
	err := bufferedPushes(s.r, leave, func(f parser.Frame, _ bool) bool {
		if string(f.Raw()) != s.next() {
			wrong = fmt.Errorf("took %q for %q", f.Raw(), s.next())
		}
		s.at++
		return true
	})
	s.free = err == nil
	if wrong != nil {
		return wrong
	}
	return s.result(fmt.Sprint("NextBuffered ", leave), err)
}

func (s *session) peek() error {
	name, push, err := s.r.PeekPush()
	s.free = err == nil
	if err == nil {
		want := parse(s.t, s.next())
		if push != want.IsPush() || string(name) != string(want.Name()) {
			return fmt.Errorf("peeked at %q %t", name, push)
		}
		typ, err := s.r.PeekType()
		if err != nil || typ != want.Type() && !want.Value().IsNull() {
			return fmt.Errorf("peeked at %s, %w", typ, err)
		}
	}
	return s.result("PeekPush", err)
}

// skip drops the next frame. When that times out, it may be that another call has to do the rest.
func (s *session) skip() error {
	if s.dropping {
		return nil // which of the two frames it would drop nobody can tell
	}
	s.free = false
	for {
		err := s.r.Skip()
		if err == nil {
			s.at++
			s.free = true
			return s.result("Skip", nil)
		}
		if err = s.result("Skip", err); err != nil {
			return err
		}
		if typ, _ := s.r.Pending(); typ != 0 && s.IntN(2) == 0 {
			s.at++
			s.dropping = true
			return nil
		}
	}
}

// read is the client that reads the next frame from its own buffer.
func (s *session) read() error {
	if typ, moved := s.r.Pending(); s.own == nil || !s.free || typ != 0 || moved > 0 || s.IntN(2) == 0 {
		return nil
	}
	b := make([]byte, len(s.next()))
	for n := 0; n < len(b); {
		k, err := s.own.Read(b[n:])
		if err != nil && err != timeout {
			return err
		}
		n += k
	}
	if string(b) != s.next() {
		return fmt.Errorf("the client read %q", b)
	}
	s.at++
	return s.result("read", nil)
}
