package feed_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/internal/test/soak"
)

// A fault is something that a test breaks. It returns a function that mends it.
type fault struct {
	name string
	do   func(o *oracle, random *rand.Rand) (mend func())
}

func nothing() {}

// randomFaults are the faults of the random schedules.
var randomFaults = []fault{
	{"kill", func(o *oracle, _ *rand.Rand) func() {
		o.admin(func(c *redistest.Client) { c.Do("CLIENT", "KILL", "TYPE", "pubsub") })
		return nothing
	}},
	{"close", func(o *oracle, _ *rand.Rand) func() { o.push.CloseAll(); return nothing }},
	{"close data", func(o *oracle, _ *rand.Rand) func() { o.data.CloseAll(); return nothing }},
	{"blackhole", func(o *oracle, random *rand.Rand) func() {
		way := random.IntN(3)
		if way != 0 {
			o.push.Up().Pause()
		}
		if way != 1 {
			o.push.Down().Pause()
		}
		return func() { o.push.Up().Resume(); o.push.Down().Resume() }
	}},
	{"lost bytes", func(o *oracle, _ *rand.Rand) func() {
		o.push.Down().Drop(true)
		// What comes after lost bytes could be anything, so nothing does.
		return func() { o.push.CloseAll(); o.push.Down().Drop(false) }
	}},
	{"slow", func(o *oracle, random *rand.Rand) func() {
		o.push.Down().Delay(upTo(random, 20*time.Millisecond))
		return func() { o.push.Down().Delay(0) }
	}},
	{"cut", func(o *oracle, random *rand.Rand) func() {
		o.push.Down().CutAfter(1 + random.IntN(300))
		return nothing
	}},
	{"refuse", func(o *oracle, _ *rand.Rand) func() {
		o.push.Refuse(true)
		o.push.CloseAll()
		return func() { o.push.Refuse(false) }
	}},
	{"freeze", func(o *oracle, _ *rand.Rand) func() {
		o.server.Stop(o.t)
		return func() { o.server.Cont(o.t) }
	}},
	{"crash", func(o *oracle, _ *rand.Rand) func() {
		o.server.Kill()
		return func() { o.server.Restart(o.t); o.allow() }
	}},
	{"sleep", func(o *oracle, random *rand.Rand) func() {
		ms := random.IntN(400)
		o.admin(func(c *redistest.Client) { c.Do("DEBUG", "SLEEP", strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64)) })
		return nothing
	}},
	{"slow handler", func(o *oracle, random *rand.Rand) func() {
		o.pause.Store(int64(upTo(random, 300*time.Millisecond)))
		return func() { o.pause.Store(0) }
	}},
	{"delete user", func(o *oracle, _ *rand.Rand) func() {
		o.admin(func(c *redistest.Client) { c.Do("ACL", "DELUSER", "feed") })
		return o.allow
	}},
	{"output limit", func(o *oracle, _ *rand.Rand) func() {
		o.admin(func(c *redistest.Client) { c.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1 0 0") })
		return func() {
			o.admin(func(c *redistest.Client) { c.Do("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0") })
		}
	}},
	{"evict", func(o *oracle, _ *rand.Rand) func() {
		o.admin(func(c *redistest.Client) {
			c.Do("CLIENT", "NO-EVICT", "on")
			c.Do("CONFIG", "SET", "maxmemory-clients", "1")
			c.Do("CONFIG", "SET", "maxmemory-clients", "0")
		})
		return nothing
	}},
	{"password", func(o *oracle, random *rand.Rand) func() {
		password := strconv.Itoa(random.Int())
		o.admin(func(c *redistest.Client) {
			c.Do("ACL", "SETUSER", "feed", "resetpass", ">"+password)
			o.password.Store(&password)
			c.Do("CLIENT", "KILL", "USER", "feed")
		})
		return nothing
	}},
}

// admin runs do on a connection of its own, unless the server is down.
func (o *oracle) admin(do func(c *redistest.Client)) {
	if !o.down {
		client := o.server.Dial(o.t)
		defer client.Conn.Close()
		do(client)
	}
}

// TestNothingIsStaleUnderFaults runs seeded schedules of faults, one or two at a
// time.
func TestNothingIsStaleUnderFaults(t *testing.T) {
	for _, queued := range []bool{false, true} {
		t.Run("queue="+strconv.FormatBool(queued), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(soak.Seed(t), 0))
			o := newOracle(t, feed.Probe{Every: 100 * time.Millisecond, Within: 200 * time.Millisecond}, queued)
			o.settle()
			counts := make(map[string]int)
			for end := time.Now().Add(cmp.Or(soak.For(t), 10*time.Second)); time.Now().Before(end); {
				var mends []func()
				for range 1 + random.IntN(2) {
					f := randomFaults[random.IntN(len(randomFaults))]
					if o.down {
						continue // what has frozen or crashed cannot fail further
					}
					counts[f.name]++
					o.faults = append(o.faults, f.name)
					mends = append(mends, f.do(o, random))
					o.down = f.name == "freeze" || f.name == "crash"
					lasts := upTo(random, 500*time.Millisecond)
					if random.IntN(4) == 0 {
						lasts = o.bound + 2*slack // long enough for B to show
					}
					time.Sleep(lasts)
				}
				for _, mend := range slices.Backward(mends) { // a server that is down was the last
					mend()
					o.down = false
				}
				if random.IntN(3) > 0 {
					o.settle()
				}
				time.Sleep(upTo(random, 200*time.Millisecond)) // or there are faults while the Feed recovers
			}
			o.settle()
			o.finish()
			t.Log(counts)
		})
	}
}

// settle waits until the Feed is armed and everything that was written before
// has been handled.
func (o *oracle) settle() {
	o.t.Helper()
	from := time.Now()
	defer func() {
		if o.t.Failed() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.t.Log(o.faults, o.last, o.f.Coverage(), o.f.Stats())
		}
	}()
	until(o.t, "coverage", func() bool { return o.f.Coverage().AsOf.After(from) })
	o.mu.Lock()
	defer o.mu.Unlock()
	o.checkServed()
}

// upTo returns a random duration below d.
func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}
