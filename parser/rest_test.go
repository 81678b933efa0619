package parser_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/parser"
)

// batches is a connection on which batches come. A read gives what fits of one.
type batches struct {
	left string
	room []int // what the reads of the last batch had room for
}

func (b *batches) Read(p []byte) (int, error) {
	if b.left == "" {
		return 0, timeout
	}
	b.room = append(b.room, len(p))
	n := copy(p, b.left)
	b.left = b.left[n:]
	return n, nil
}

// take makes a batch of n replies come after a call of Rest, takes them, and
// returns what the first read had room for.
func (b *batches) take(t *testing.T, r *parser.Reader, n int) (room int) {
	b.left, b.room = strings.Repeat(pong, n), nil
	r.Driver().Rest()
	for range n {
		require.NoError(t, r.Skip())
	}
	require.Empty(t, b.left)
	return b.room[0]
}

const (
	few     = 10
	many    = 4000 // 28 kB
	atRest  = 4 << 10
	forMany = 30 << 10
)

func TestRestGivesALargeBufferBack(t *testing.T) {
	var b batches
	r := parser.NewReader(&b)
	b.take(t, r, many)
	require.LessOrEqual(t, b.take(t, r, many), atRest)
	require.Len(t, b.room, 2, "the buffer is as large as before at once")
	require.Greater(t, b.room[1], forMany)
	require.Greater(t, b.take(t, r, many), forMany, "the rest was in vain")
	require.LessOrEqual(t, b.take(t, r, few), atRest)
}

func TestRestGivesLessBackWhileReadsAreLarge(t *testing.T) {
	var b batches
	r := parser.NewReader(&b)
	rests := func(rounds int) (n int) {
		for range rounds {
			if b.take(t, r, many) <= atRest {
				n++
			}
		}
		return n
	}
	rests(200)
	require.Equal(t, 10, rests(320), "one of 32")

	for b.take(t, r, few) > atRest {
		continue // until what comes has grown small
	}
	b.take(t, r, few)
	b.take(t, r, many)
	require.LessOrEqual(t, b.take(t, r, few), atRest, "as at first")
}

func TestRestKeepsWhatHasBeenReceived(t *testing.T) {
	eachHold(t, func(t *testing.T, hold hold) {
		wire := strings.Repeat(invalidate, 100)
		for at := range 2 * len(invalidate) {
			p := newPipe(t, cut(wire, at)...)
			r, _ := hold(p)
			for range 100 {
				r.Driver().Rest()
				p.next(t, r, invalidate)
			}
			r.Driver().Rest()
			require.Zero(t, r.Buffered())
		}
	})
}
