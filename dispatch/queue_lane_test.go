package dispatch_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// lanes are pushes that belong together.
var lanes = map[string][]string{
	"channel": {
		push("message", "news", "x"), push("smessage", "news", "x"),
		push("subscribe", "news", "1"), push("ssubscribe", "news", "1"),
		push("unsubscribe", "news", "0"), push("sunsubscribe", "news", "0"),
	},
	"pattern": {
		push("pmessage", "n*", "news", "x"), push("pmessage", "n*", "notes", "x"),
		push("psubscribe", "n*", "1"), push("punsubscribe", "n*", "0"),
	},
	"invalidations": {invalidation("a"), invalidation("b"), flushAll},
	"maintenance": {
		push("MOVING", "1", "15", "host:6379"), push("MIGRATING", "1", "10", "0"), push("MIGRATED", "2", "0"),
		push("FAILING_OVER", "3", "10", "0"), push("FAILED_OVER", "4", "0"),
		push("SMIGRATING", "5", "0-10"), push("SMIGRATED", "6", "0-10"),
	},
	"any other name":         {push("other", "a"), push("other", "b"), ">1\r\n+other\r\n"},
	"no channel":             {push("message"), push("message")},
	"none was subscribed to": {">3\r\n+unsubscribe\r\n_\r\n:0\r\n", ">3\r\n+sunsubscribe\r\n$-1\r\n:0\r\n"},
	"no name":                {">0\r\n", ">1\r\n:1\r\n"},
}

// inHand is a Handler that says which pushes have begun and what worker they are on, and keeps one in hand.
type inHand struct {
	held  string // what to keep in hand
	begun chan [2]string
	leave chan struct{}
}

func (m *inHand) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, f parser.Frame) error {
	wire := string(f.Raw())
	m.begun <- [2]string{wire, goroutine()}
	if wire == m.held {
		<-m.leave
	}
	return nil
}

// fences returns a push for each of the workers of q, which is the value.
func (m *inHand) fences(t *testing.T, q *dispatch.Queue, workers int) map[string]string {
	t.Helper()
	fences, seen := map[string]string{}, map[string]bool{}
	for i := 0; len(fences) < workers; i++ {
		wire := push("fence " + fmt.Sprint(i))
		hand(t, q, wire)
		if worker := arrives(t, m.begun)[1]; !seen[worker] {
			seen[worker], fences[wire] = true, worker
		}
	}
	return fences
}

// The handler has the first of two pushes and does not return. The second could overtake it only on another worker. The
// test waits until all of those have delivered a push that arrived after the second.
func TestQueueLaneIsNeverOvertakenWhileItsHandlerIsSlow(t *testing.T) {
	const workers = 8
	for name, wires := range lanes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, first := range wires {
				m := &inHand{held: first, begun: make(chan [2]string, 100), leave: make(chan struct{})}
				q := dispatch.NewQueue(m, dispatch.QueueWorkers(workers))
				fences := m.fences(t, q, workers)
				hand(t, q, first)
				busy := arrives(t, m.begun)
				require.Equal(t, first, busy[0])
				for _, second := range wires {
					hand(t, q, second)
				}
				for fence := range fences {
					hand(t, q, fence)
				}
				for range workers - 1 {
					got := arrives(t, m.begun)
					require.Equal(t, got[1], fences[got[0]], "%q overtook %q", got[0], first)
					require.NotEqual(t, busy[1], got[1])
				}
				close(m.leave)
				for _, second := range wires {
					require.Equal(t, [2]string{second, busy[1]}, arrives(t, m.begun))
				}
				require.Equal(t, busy[1], fences[arrives(t, m.begun)[0]])
				drained(t, q)
			}
		})
	}
}

// A thousand lanes do not share one worker of eight.
func TestQueueLanesAreDeliveredByAllWorkers(t *testing.T) {
	for name, wire := range map[string]func(i int) string{
		"channels": func(i int) string { return push("message", fmt.Sprint(i), "x") },
		"patterns": func(i int) string { return push("pmessage", fmt.Sprint(i), "news", "x") },
		"names":    func(i int) string { return push(fmt.Sprint(i), "x") },
	} {
		t.Run(name, func(t *testing.T) {
			const lanes, workers = 1000, 8
			m := &inHand{begun: make(chan [2]string, lanes)}
			q := dispatch.NewQueue(m, dispatch.QueueWorkers(workers))
			for i := range lanes {
				hand(t, q, wire(i))
			}
			seen := map[string]bool{}
			for range lanes {
				seen[arrives(t, m.begun)[1]] = true
			}
			require.Len(t, seen, workers)
			drained(t, q)
		})
	}
}
