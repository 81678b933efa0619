package notify_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/notify"
)

// random writes pushes whose shapes are known, nearly known, or unknown.
type random struct{ *rand.Rand }

// text returns a string of one of the three kinds, or rarely a streamed one.
func (r random) text() string {
	text := strings.Repeat("k", []int{0, 1, 3, 16, 16, 16, 64, 99, 100, 999, 1000}[r.IntN(11)])
	switch r.IntN(12) {
	case 0, 1:
		text = "redis-node-2:6379"
	case 2:
		text = "123,789-1000"
	case 3:
		text = notify.RedirectChannel
	}
	switch r.IntN(12) {
	case 0:
		return "+" + text + "\r\n"
	case 1:
		return fmt.Sprintf("=%d\r\ntxt:%s\r\n", len(text)+4, text)
	case 2:
		return fmt.Sprintf("$?\r\n;1\r\nx\r\n;%d\r\n%s;0\r\n", len(text)+1, "y"+text+"\r\n")
	}
	return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
}

// integer returns an integer of any size.
func (r random) integer() string {
	n := r.Int64N(1 << (1 + r.IntN(62)))
	if r.IntN(6) == 0 {
		n = -n
	}
	return ":" + strconv.FormatInt(n, 10) + "\r\n"
}

// array returns an array of texts, and rarely of something else.
func (r random) array() string {
	n := r.IntN(1 + r.IntN(30))
	all := fmt.Sprintf("*%d\r\n", n)
	odd := -1
	if r.IntN(4) == 0 {
		odd = r.IntN(30)
	}
	for i := range n {
		if i == odd {
			all += r.element()
		} else {
			all += r.text()
		}
	}
	return all
}

// element returns an element of any type.
func (r random) element() string {
	switch r.IntN(8) {
	case 0, 1:
		return r.integer()
	case 2:
		return elements[r.IntN(len(elements))]
	case 3:
		return r.array()
	case 4:
		return []string{"_\r\n", "$-1\r\n", "*-1\r\n"}[r.IntN(3)]
	}
	return r.text()
}

// push returns a push of a known name with about as many elements as it should have.
func (r random) push(names []string) string {
	name := names[r.IntN(len(names))]
	head := fmt.Sprintf("$%d\r\n%s\r\n", len(name), name)
	if r.IntN(10) == 0 {
		head = "+" + name + "\r\n"
	}
	n := 1 + r.IntN(4)
	if r.IntN(20) == 0 {
		n = r.IntN(12)
	}
	all := fmt.Sprintf(">%d\r\n%s", n+1, head)
	if r.IntN(10) == 0 {
		all = "|1\r\n+k\r\n+v\r\n" + all
	}
	for range n {
		all += r.element()
	}
	return all
}

// TestRandomPushesAgreeWithTheOracle compares the views, which have fast paths for common shapes, with an oracle that
// reads every shape in one way.
func TestRandomPushesAgreeWithTheOracle(t *testing.T) {
	r := random{rand.New(rand.NewPCG(19, 20))}
	names := strings.Fields(strings.Join(slices.Sorted(maps.Values(namesOf)), " ") + " invalidate message MOVING invalidate unknown")
	for range 30_000 {
		wire := r.push(names)
		_, d := disagreement([]byte(wire))
		require.Empty(t, d, "%q", wire)
	}
}
