package parser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

func TestMessagesAreTakenWhereOnlyConfirmationsAreLeft(t *testing.T) {
	takes := map[string]func(r *parser.Reader, leave bool) (parser.Frame, bool, error){
		"NextPush": nextPush,
		"one NextBuffered": func(r *parser.Reader, leave bool) (parser.Frame, bool, error) {
			for {
				f, ok, err := bufferedPush(r, leave)
				if err != parser.ErrIncomplete {
					return f, ok, err
				}
				if err = r.Driver().Fill(); err != nil {
					return f, false, err
				}
			}
		},
	}
	for name, take := range takes {
		eachHold(t, func(t *testing.T, hold hold) {
			for _, kind := range pubSubNames {
				for _, text := range []string{"x", strings.Repeat("m", 100)} {
					wire := fmt.Sprintf(">3\r\n%s$1\r\nc\r\n%s", bulk(kind), bulk(text))
					for at := range len(wire) {
						p := newPipe(t, cut(wire, at)...)
						r, _ := hold(p)
						r.Driver().TakeMessages(true)
						taken := strings.HasSuffix(kind, "message")
						err := p.within(t, func() error {
							f, ok, err := take(r, true)
							if err == nil && (ok != taken || taken && string(f.Raw()) != wire) {
								err = fmt.Errorf("%t, %q", ok, f.Raw())
							}
							return err
						})
						require.NoError(t, err, "%s: %q cut at %d", name, wire, at)
						p.send(pong)
						if !taken {
							p.next(t, r, wire)
						}
						p.next(t, r, pong)
					}
				}
			}
		})
	}
}

func TestMessagesAreLeftAgainWhenTheyAreNoLongerTaken(t *testing.T) {
	p := newPipe(t, message("one"), message("two"))
	r, _ := inPlace(64)(p)
	r.Driver().TakeMessages(true)
	_, ok, err := nextPush(r, true)
	require.NoError(t, err)
	require.True(t, ok)
	r.Driver().TakeMessages(false)
	_, ok, err = nextPush(r, true)
	require.NoError(t, err)
	require.False(t, ok)
	p.next(t, r, message("two"))
}

func TestLonePushIsTakenUnlessAnotherFollows(t *testing.T) {
	if f, _ := parser.PlainPush([]byte(invalidate)); !f.IsPush() {
		t.Skip("there is no fast path in this build")
	}
	for _, c := range []struct {
		name, before, after string
		leave, taken        bool
	}{
		{name: "alone", before: invalidate, taken: true},
		{name: "a reply follows", before: invalidate, after: pong, taken: true},
		{name: "half a reply follows", before: invalidate, after: pong[:2], taken: true},
		{name: "a push follows", before: invalidate, after: invalidate},
		{name: "half a push follows", before: invalidate, after: invalidate[:1]},
		{name: "an attribute follows", before: invalidate, after: attribute},
		{name: "half of it", before: invalidate[:len(invalidate)-1]},
		{name: "a reply", before: pong},
		{name: "nothing"},
		{name: "attributes before it", before: attribute + invalidate},
		{name: "a message is taken", before: message("m"), taken: true},
		{name: "a message is left", before: message("m"), leave: true},
		{name: "a nested push", before: ">2\r\n$1\r\nx\r\n*1\r\n" + invalidate + "$1\r\ny\r\n"},
	} {
		for _, hold := range []hold{ownBuffer(4072), inPlace(4072)} {
			t.Run(c.name, func(t *testing.T) {
				wire := c.before + c.after
				conn := &shut{pipe: newPipe(t), t: t}
				r, _ := hold(conn)
				if wire != "" {
					conn.send(wire)
					require.NoError(t, r.Driver().Fill())
				}
				conn.closed = true
				r.Driver().Lend()
				_, ok := r.Driver().LonePush(c.leave)
				require.False(t, ok, "lent")
				r.Driver().Reclaim()
				f, ok := r.Driver().LonePush(c.leave)
				require.Equal(t, c.taken, ok)
				left := wire
				if ok {
					require.Equal(t, c.before, string(f.Raw()))
					left = c.after
				}
				require.Equal(t, len(left), r.Buffered())
			})
		}
	}
}
