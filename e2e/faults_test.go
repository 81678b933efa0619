package e2e_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// rounds is the number of rounds that a talker makes, and of keys and messages
// that another client writes meanwhile.
const rounds = 50

// The networks of the test are slow and cut the stream into pieces, and lose
// nothing.
func TestSlowAndCuttingNetworksLoseNothing(t *testing.T) {
	for name, toxics := range map[string][]string{
		"none":      nil,
		"latency":   {`{"type": "latency", "attributes": {"latency": 3, "jitter": 2}}`},
		"slicer":    {`{"type": "slicer", "attributes": {"average_size": 9, "size_variation": 6, "delay": 1}}`},
		"bandwidth": {`{"type": "bandwidth", "attributes": {"rate": 200}}`},
	} {
		for kind, newTalker := range talkers {
			t.Run(fmt.Sprintf("toxic=%s/client=%s", name, kind), func(t *testing.T) {
				t.Parallel()
				server := redistest.Start(t)
				talker, err := newTalker(t, startProxy(t, server.Addr, toxics...).Listen)
				defer talker.finish()
				require.NoError(t, err)
				more := []step{{[]string{"ECHO", "more?"}, "more?"}} // for a client that only reads when it asks
				converse(t, talker, more)
				others := make(chan struct{})
				go func(other *redistest.Client) {
					defer close(others)
					write(other)
				}(server.Dial(t))
				for i := range rounds {
					converse(t, talker, round(i))
				}
				<-others
				eventually(t, "all keys and messages", func() bool {
					converse(t, talker, more)
					return complete(t, talker)
				})
				checkPushes(t, talker, false)
				checkOrder(t, talker)
			})
		}
	}
}

// converse runs the steps of a talker and requires all replies.
func converse(t *testing.T, talker talker, steps []step) {
	t.Helper()
	replies, err := talker.do(steps)
	require.NoError(t, err)
	checkReplies(t, steps, replies, nil)
}

// write writes keys and publishes messages. The talker learns of them without a
// request.
func write(c *redistest.Client) {
	commands := [][]string{setMany()}
	for i := range rounds {
		commands = append(commands, []string{"SET", fmt.Sprintf("o:%04d", i), "x"}, []string{"PUBLISH", "news", fmt.Sprintf("o%d", i)})
	}
	for _, command := range commands {
		c.Do(command...)
	}
}

// complete reports whether all connections of a talker have been told of all
// keys, and the talker of all messages.
func complete(tb testing.TB, t talker) bool {
	tb.Helper()
	for _, w := range t.connections().list() {
		if keys := numbers(invalidated, w.pushes(tb)); len(keys["k:"]) < rounds || len(keys["o:"]) < rounds || len(keys["m:"]) < many {
			return false
		}
	}
	got := numbers(published, messages(t))
	return len(got[""]) >= rounds && len(got["o"]) >= rounds
}

// checkOrder checks that no key and no message has arrived twice, or after a
// later one.
func checkOrder(tb testing.TB, t talker) {
	tb.Helper()
	lists := numbers(published, messages(t))
	for i, w := range t.connections().list() {
		for prefix, list := range numbers(invalidated, w.told.all()) {
			lists[fmt.Sprint(i, prefix)] = list
		}
	}
	for name, list := range lists {
		for i := range list[:len(list)-1] {
			require.Less(tb, list[i], list[i+1], name)
		}
	}
}

// messages returns the lines of the messages that a talker has been given.
func messages(t talker) (lines []string) {
	if t.returned() != nil {
		return t.returned().all()
	}
	for _, w := range t.connections().list() {
		lines = append(lines, w.told.all()...)
	}
	return lines
}

// What is between quotation marks in an invalidation, and in a message: a
// prefix that tells who has written it, and a number.
var (
	invalidated = regexp.MustCompile(`"([kmo]:)(\d+)"`)
	published   = regexp.MustCompile(`(?m)^\["message" "news" "(o?)(\d+)"`)
)

// numbers returns the numbers found in lines by their prefixes.
func numbers(pattern *regexp.Regexp, lines []string) map[string][]int {
	list := map[string][]int{}
	for _, match := range pattern.FindAllStringSubmatch(strings.Join(lines, "\n"), -1) {
		n, _ := strconv.Atoi(match[2]) // digits
		list[match[1]] = append(list[match[1]], n)
	}
	return list
}
