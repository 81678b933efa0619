package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/parser"
)

// soakKeys is how many keys a soak writes in turn.
const soakKeys = 1000

var errSoak = errors.New("every third")

// A soak records what the handlers of TestSoakDeliversEachPushOnceAndLeavesEachReplyToItsCommand have seen. Pushes are
// numbered by kind: the key numbers an invalidation, and the text numbers a message.
type soak struct {
	invalidated int
	messages    map[string]int // by channel
	bytes       int
	panics      int // that the error handler was told of
	errors      int
	wrong       []string
}

// expect notes a value that is not as it should be. It must not end the test, since handlers call it.
func (k *soak) expect(ok bool, format string, args ...any) {
	if !ok {
		k.wrong = append(k.wrong, fmt.Sprintf(format, args...))
	}
}

// invalidate is a handler that fails for every third push.
func (k *soak) invalidate(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	k.bytes += len(push.Raw())
	want := fmt.Sprintf(`["invalidate" ["k%d"]]`, k.invalidated%soakKeys)
	k.expect(push.Value().String() == want, "%s, not %s", push.Value(), want)
	if k.invalidated++; k.invalidated%3 == 0 {
		return errSoak
	}
	return nil
}

// message is a handler that panics for every second push.
func (k *soak) message(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	k.bytes += len(push.Raw())
	var args []string
	for v := range push.Args() {
		args = append(args, v.String())
	}
	want := soakText(k.messages[args[0]])
	k.expect(args[1] == want, "%.50q on %s, not %.50q", args[1], args[0], want)
	k.messages[args[0]]++
	if total := k.messages["own"] + k.messages["other"]; total%2 == 0 {
		panic(total)
	}
	return nil
}

// other is the fallback.
func (k *soak) other(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	k.bytes += len(push.Raw())
	k.expect(string(push.Name()) == "subscribe", "%s", push.Value())
	return nil
}

// failed is the error handler.
func (k *soak) failed(_ context.Context, name []byte, err error) {
	var p *dispatch.PanicError
	switch {
	case errors.As(err, &p):
		k.panics++
		k.expect(string(name) == "message" && p.Value == 2*k.panics, "%s: %v", name, err)
	default:
		k.errors++
		k.expect(string(name) == "invalidate" && err == errSoak, "%s: %v", name, err)
	}
}

// soakText is the text numbered i: now and then one that is larger than any buffer.
func soakText(i int) string {
	text := strconv.Itoa(i)
	if i%500 == 7 {
		text += strings.Repeat(".", 40_000)
	}
	return text
}

func TestSoakDeliversEachPushOnceAndLeavesEachReplyToItsCommand(t *testing.T) {
	rounds, batch := 5000, 50 // of 4 replies and 3 pushes
	if testing.Short() {
		rounds = 1000
	}
	onServer(t, func(t *testing.T, server *redistest.Server, open func(...dispatch.Option) *session) {
		k := &soak{messages: make(map[string]int)}
		s, other := open(), server.Dial(t)
		s.p = dispatch.NewProcessor(dispatch.WithPubSub(), dispatch.WithErrorHandler(k.failed),
			dispatch.WithFallback(dispatch.HandlerFunc(k.other)))
		require.NoError(t, s.p.HandleFunc("invalidate", k.invalidate))
		require.NoError(t, s.p.HandleFunc("message", k.message))
		s.run("CLIENT TRACKING ON", "SUBSCRIBE own other")

		reply := func(want string) {
			got := s.reply().Value()
			k.expect(got.String() == want, "reply %.50q, not %.50q", got, want)
		}
		for i := 0; i < rounds; i += batch {
			var own, others [][]string
			for j := i; j < min(i+batch, rounds); j++ {
				key, text := "k"+strconv.Itoa(j%soakKeys), soakText(j)
				own = append(own, []string{"GET", key}, []string{"SET", key, text}, []string{"PUBLISH", "own", text}, []string{"ECHO", text})
				others = append(others, []string{"PUBLISH", "other", text})
			}
			s.Send(own...)
			other.Send(others...)
			for j := i; j < min(i+batch, rounds); j++ {
				before := ""
				if j >= soakKeys {
					before = soakText(j - soakKeys)
				}
				reply(before)
				reply("OK")
				reply("1")
				reply(soakText(j))
				k.expect(k.invalidated == j+1 && k.messages["own"] == j+1, "round %d: %d, %v", j, k.invalidated, k.messages)
			}
			for range others {
				f, err := other.Reader.Next()
				require.NoError(t, err)
				k.expect(f.Value().String() == "1", "other's reply %s", f.Value())
			}
			require.Empty(t, k.wrong)
		}

		require.Empty(t, s.run())
		require.Empty(t, k.wrong)
		require.Equal(t, map[string]int{"own": rounds, "other": rounds}, k.messages)
		require.Equal(t, rounds, k.invalidated)
		require.Equal(t, rounds, k.panics)
		require.Equal(t, rounds/3, k.errors)
		require.Equal(t,
			dispatch.Stats{
				Pushes: uint64(3*rounds + 2), Bytes: uint64(k.bytes), Errors: uint64(rounds / 3), Panics: uint64(rounds),
			},
			s.p.Stats())
	})
}
