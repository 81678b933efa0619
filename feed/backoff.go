package feed

import (
	"math/rand/v2"
	"time"
)

// Backoff says how long a Feed waits before it dials again.
// *backoff.ExponentialBackOff of github.com/cenkalti/backoff/v5 is one. A Feed
// uses its Backoff from one goroutine.
type Backoff interface {
	// NextBackOff returns the wait before the next attempt. A negative one makes
	// Run return the error of the last attempt.
	NextBackOff() time.Duration
	// Reset is called when the Feed has been armed.
	Reset()
}

// The default back-off: each wait is a random part of a limit, between a third
// of it and all of it. The limit grows by a half each time, so after an outage
// the Feed is back within a third of the time that it lasted. Feeds that lost
// their connections at the same moment spread their dials.
const (
	firstWait = 300 * time.Millisecond
	lastWait  = 5 * time.Second
)

// jittered is the default Backoff. The zero value is ready to use.
type jittered struct{ limit time.Duration }

// NextBackOff returns a random part of the limit, and raises that.
func (b *jittered) NextBackOff() time.Duration {
	if b.limit == 0 {
		b.limit = firstWait
	}
	wait := b.limit/3 + rand.N(b.limit*2/3)
	b.limit = min(b.limit*3/2, lastWait)
	return wait
}

// Reset makes the next wait as short as the first.
func (b *jittered) Reset() { b.limit = 0 }
