package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/internal/test/redistest"
)

// lingering makes the connections of a proxy end with a reset, as they do when
// a process dies with unread bytes. It does not end them.
const lingering = `{"name": "lingering", "type": "reset_peer", "toxicity": 0}`

// The test ends connections after every number of bytes, so that frames of each
// type are cut everywhere.
func TestConnectionsCutAnywhereLoseNothingUntold(t *testing.T) {
	testCuts(t, 1, round(0)[:1], round(1))
}

// The frames are larger than the buffers of clients, and are cut in some of
// their places.
func TestConnectionsCutInLargeFramesLoseNothingUntold(t *testing.T) {
	testCuts(t, 3999, []step{{setMany(), "OK"}}, round(9))
}

// testCuts lets talkers run batches of steps over connections that end after n
// bytes. n takes every multiple of stride, up to the first that is enough for a
// batch. Every other connection ends with a reset.
func testCuts(t *testing.T, stride int, batches ...[]step) {
	for kind, newTalker := range talkers {
		t.Run("client="+kind, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			tries := 0
			for err := error(io.EOF); err != nil; tries++ {
				toxics := []string{fmt.Sprintf(`{"type": "limit_data", "attributes": {"bytes": %d}}`, tries*stride)}
				if tries%2 == 1 {
					toxics = append(toxics, lingering)
				}
				p := startProxy(t, server.Addr, toxics...)
				var talker talker
				talker, err = newTalker(t, p.Listen)
				for i := 0; i < len(batches) && err == nil; i++ {
					var replies []any
					replies, err = talker.do(batches[i])
					checkReplies(t, batches[i], replies, err)
				}
				checkBroken(t, talker, err)
				if kind == "serve" && err != nil && !errors.Is(err, syscall.ECONNRESET) { // which a proxy sends that has bytes unread
					require.Equal(t, talker.connections().list()[0].inside(t), errors.Is(err, io.ErrUnexpectedEOF), "after %d: %v", tries*stride, err)
				}
				talker.finish()
				p.Stop()
			}
			require.Greater(t, tries, 20) // go-redis may use two connections for a batch
		})
	}
}

// The test has connections that are reset while they are in use, and clients
// that begin again.
func TestConnectionsThatAreResetAreFollowedByOthers(t *testing.T) {
	for kind, newTalker := range talkers {
		t.Run("client="+kind, func(t *testing.T) {
			t.Parallel()
			p := startProxy(t, redistest.Start(t).Addr, lingering)
			talker, err := newTalker(t, p.Listen)
			defer func() { talker.finish() }()
			require.NoError(t, err)
			i := 0
			for next := 10; i < next; i++ {
				converse(t, talker, round(i))
			}
			p.add(`{"name": "now", "type": "reset_peer"}`)
			steps := round(i)
			replies, err := talker.do(steps)
			checkReplies(t, steps, replies, err)
			require.Error(t, err)
			if kind != "go-redis" { // whose look at the socket may have used the reset up
				require.ErrorIs(t, err, syscall.ECONNRESET)
			}
			checkBroken(t, talker, err)
			p.remove("now")
			if kind != "go-redis" { // which connects again by itself
				talker.finish()
				talker, err = newTalker(t, p.Listen)
				require.NoError(t, err)
			}
			for i++; len(numbers(published, messages(talker))[""]) < 20; i++ {
				require.Less(t, i, 10000)
				converse(t, talker, round(i))
			}
			checkBroken(t, talker, nil)
		})
	}
}

// The test has go-redis go from one connection to the next, none of which lasts
// for long.
func TestReconnectingClientGoesOnWithItsPushes(t *testing.T) {
	t.Parallel()
	p := startProxy(t, redistest.Start(t).Addr, `{"type": "limit_data", "attributes": {"bytes": 1500}}`)
	talker, err := newGoRedisTalker(t, p.Listen)
	defer talker.finish()
	require.NoError(t, err)
	done := 0
	for i := 0; done < 50 || len(talker.connections().list()) < 30 || len(numbers(published, messages(talker))[""]) < 50; i++ {
		require.Less(t, i, 5000)
		steps := round(i) // one in 16 never fits
		replies, err := talker.do(steps)
		checkReplies(t, steps, replies, err)
		if err == nil {
			done++
		}
	}
	checkBroken(t, talker, nil)
}

// checkBroken checks what a talker has been given before its connection broke
// with an error, and the error, if there is one.
func checkBroken(t *testing.T, talker talker, err error) {
	t.Helper()
	if err != nil {
		require.True(t, broken(err), err)
	}
	checkPushes(t, talker, true)
	checkOrder(t, talker)
}
