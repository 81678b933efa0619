package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/parser"
)

// A journal records the pushes that somebody has received, a line for each, in
// order. It is a dispatch.Handler.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

// HandlePush adds a push.
func (j *journal) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	j.add(push.Value().String())
	return nil
}

// received adds what the PubSub of go-redis has returned. kind is the name of
// the pushes that are messages.
func (j *journal) received(msg any, kind string) {
	switch msg := msg.(type) {
	case *redis.Subscription:
		j.add(fmt.Sprintf("[%q %q %d]", msg.Kind, msg.Channel, msg.Count))
	case *redis.Message:
		j.add(messageLine(kind, msg.Channel, msg.Payload))
	default:
		j.add(fmt.Sprint(msg))
	}
}

// messageLine is the line for a message.
func messageLine(kind, channel, payload string) string {
	return fmt.Sprintf("[%q %q %q]", kind, channel, payload)
}

// all returns the lines so far.
func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clip(j.lines)
}

// about returns the lines of which the second element is a channel.
func about(lines []string, channel string) (some []string) {
	element := fmt.Sprintf("%q", channel)
	for _, line := range lines {
		if fields := strings.Fields(line); len(fields) > 1 && strings.TrimSuffix(fields[1], "]") == element {
			some = append(some, line)
		}
	}
	return some
}

// count returns how many lines begin with the name of a push.
func count(lines []string, name string) (n int) {
	for _, line := range lines {
		if strings.HasPrefix(line, fmt.Sprintf("[%q", name)) {
			n++
		}
	}
	return n
}
