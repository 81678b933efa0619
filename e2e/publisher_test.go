package e2e_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// unanswered stands for an answer that did not arrive.
const unanswered = -1

// A publisher sends numbered messages to sharded channels in turn, and records
// what the server answered: the number of subscribers on its node that received
// the message.
//
// Invariant: mu is held while a message is under way.
type publisher struct {
	client   *redis.ClusterClient
	channels []string

	mu   sync.Mutex
	sent map[string][]int64 // by channel, for the message of each number, the answer
	errs []error
}

// run publishes until ctx ends.
func (p *publisher) run(ctx context.Context) {
	pace := time.NewTicker(2 * time.Millisecond)
	defer pace.Stop()
	for {
		for _, channel := range p.channels {
			p.publish(channel)
		}
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
	}
}

// publish sends the next message to a channel.
func (p *publisher) publish(channel string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.client.SPublish(context.Background(), channel, len(p.sent[channel])).Result()
	if err != nil {
		n = unanswered
		p.errs = append(p.errs, err)
	}
	p.sent[channel] = append(p.sent[channel], n)
}

// between calls f when no message is under way.
func (p *publisher) between(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// check compares what a subscriber of a channel was given with what the server
// said: each message at most once, and all that reached a subscriber. Others
// may have come too, from one node of a shard to another.
func (p *publisher) check(tb testing.TB, channel string, lines []string) {
	tb.Helper()
	given := map[string]int{}
	for _, line := range lines {
		given[line]++
	}
	for i, n := range p.answers(channel) {
		line := messageLine("smessage", channel, strconv.Itoa(i))
		require.LessOrEqual(tb, given[line], 1, line)
		if n > 0 {
			require.Equal(tb, 1, given[line], line)
		}
	}
}

// complete reports whether lines have every message that the server says it
// gave to a subscriber.
func (p *publisher) complete(channel string, lines []string) bool {
	given := map[string]bool{}
	for _, line := range lines {
		given[line] = true
	}
	for i, n := range p.answers(channel) {
		if n > 0 && !given[messageLine("smessage", channel, strconv.Itoa(i))] {
			return false
		}
	}
	return true
}

// answers returns the answers for a channel.
func (p *publisher) answers(channel string) []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clip(p.sent[channel])
}
