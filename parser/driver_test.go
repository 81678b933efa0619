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
		"BufferedPush": func(r *parser.Reader, leave bool) (parser.Frame, bool, error) {
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
