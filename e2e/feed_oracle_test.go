package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/feed"
	"github.com/seed79615202/respush/notify"
)

// The oracle writes to a cluster, reads through a near cache, and publishes,
// while a test breaks what it can. It then checks, by slot:
//
//	A  no value is older than the newest that was acknowledged before its AsOf
//	B  nor than the newest acknowledged Every + Within + slack before it was served
//	C  after quiet, all that is cached equals the server's
//	D  generations never shrink, nor does AsOf within one
//	E  one connection a primary, and in the end none, and no goroutine
//	F  every channel lives again
//	G  what was published to shard channels outside gaps arrives once and in order
//
// A write counts as acknowledged when replicas have it too, since it may be lost
// otherwise.
const (
	oracleWriters = 2
	oracleReaders = 3
	oracleSlack   = 500 * time.Millisecond // for a busy machine
	oracleName    = "oracle"
)

// The keys: some in the slot that is moved about, and others all over.
var oracleKeys = func() (keys []string) {
	for i := range 10 {
		keys = append(keys, "o:{b}"+strconv.Itoa(i))
	}
	for i := range 6 {
		keys = append(keys, "o:{c}"+strconv.Itoa(i))
	}
	for i := range 24 {
		keys = append(keys, "o:"+strconv.Itoa(i))
	}
	return keys
}()

// The channels: the first are shard channels.
var (
	oracleShards   = []string{"{b}s", "{c}s", "{f}s", "s"}
	oracleChannels = []string{"c1", "c2"}
)

// setNewer sets a key unless it has a newer version. A write that a client gave
// up may be carried out later.
const setNewer = `local v = redis.call('GET', KEYS[1]) if not v or tonumber(v) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end return 1`

// event is something that happened to version n of a key.
type event struct {
	n  int
	at time.Time
}

// served is a value that the cache answered with.
type served struct {
	key, version int
	at           time.Time // before the coverage was asked
	cover        feed.Coverage
}

// sent is a message that a server accepted.
type sent struct {
	channel   string
	text      string
	promised  bool      // that it arrives, outside of gaps
	begun, at time.Time // when it was sent, and when it was acknowledged
}

// entry is a cached value. A cache that does not flush compares coverages.
type entry struct {
	version int
	cover   feed.Coverage
}

// partEvent is a gap or its end.
type partEvent struct {
	part  feed.Part
	at    time.Time
	since time.Time // of a gap
	cause error     // of a gap
}

// oracle is one run.
type oracle struct {
	t        testing.TB
	s        system
	eager    bool // the cache is flushed, and compares nothing
	bound    time.Duration
	c        *feed.Cluster
	guard    feed.Guard
	stop     chan struct{}
	stopOnce sync.Once
	load     sync.WaitGroup
	ended    chan error
	routines int // before the start

	writing sync.RWMutex // held while keys are lost

	mu       sync.Mutex
	cache    map[string]entry
	acks     map[int][]event
	serves   []served
	loads    int
	kept     int
	flushed  int
	sents    []sent
	received map[string][]string
	gaps     []partEvent
	arms     []partEvent
	problems []string
	last     error
}

// startOracle runs a Cluster and the load, and returns when all is covered.
func startOracle(t testing.TB, s system, topology feed.Topology, newFeed func(feed.Node) *feed.Feed, eager bool) *oracle {
	t.Helper()
	probe := feed.Probe{Every: 250 * time.Millisecond, Within: time.Second}
	o := &oracle{
		t: t, s: s, eager: eager, bound: probe.Every + probe.Within, stop: make(chan struct{}), ended: make(chan error, 1),
		cache: make(map[string]entry), acks: make(map[int][]event), received: make(map[string][]string), routines: runtime.NumGoroutine(),
	}
	p := dispatch.NewProcessor()
	require.NoError(t, p.HandleFunc(notify.NameInvalidate, notify.OnInvalidate(o.invalidate)))
	require.NoError(t, p.HandleFunc("message", notify.OnMessage(o.message)))
	require.NoError(t, p.HandleFunc("smessage", notify.OnMessage(o.message)))
	o.c = &feed.Cluster{
		Topology: topology, Probe: probe, Channels: oracleChannels, ShardChannels: oracleShards, OnFlush: o.flush,
		New: func(n feed.Node) *feed.Feed {
			f := newFeed(n)
			f.ClientName, f.Processor, f.Probe = oracleName, p, probe
			f.Tracking = &feed.Tracking{Prefixes: []string{"o:"}}
			return f
		},
		OnGap: func(_ context.Context, g feed.ClusterGap) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.gaps = append(o.gaps, partEvent{g.Part, time.Now(), g.Since, g.Cause})
		},
		OnArmed: func(_ context.Context, p feed.Part) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.arms = append(o.arms, partEvent{part: p, at: time.Now()})
		},
		OnError: func(_ context.Context, err error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.last = err
		},
	}
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		o.ended <- o.c.Run(ctx)
	}()
	t.Cleanup(func() {
		o.endLoad()
		end()
		running.Wait()
	})
	o.awaitCovered()
	for i := range oracleWriters {
		o.goLoad(func(c *loadClient, n int) error { return o.write(c, i, n) })
	}
	for range oracleReaders {
		o.goLoad(o.read)
	}
	o.goLoad(o.publish)
	return o
}

// endLoad ends the load and waits for it.
func (o *oracle) endLoad() {
	o.stopOnce.Do(func() { close(o.stop) })
	o.load.Wait()
}

// awaitCovered waits until every slot and the channels are covered.
func (o *oracle) awaitCovered() {
	o.t.Helper()
	defer func() {
		if o.t.Failed() {
			o.t.Log("the last error:", o.last)
			var uncovered feed.Slots
			for slot := range feed.SlotCount {
				if !o.c.CoverageOfSlot(slot).Armed {
					uncovered = append(uncovered, feed.SlotRange{First: slot, Last: slot})
				}
			}
			o.t.Log(uncovered.Len(), "slots are not covered; channels:", o.c.CoverageOfChannels())
			for addr, f := range o.c.Feeds() {
				o.t.Log(addr, f.Coverage(), f.Stats())
			}
			for _, addr := range o.s.nodes() {
				v, err := (&loadConn{addr: addr, auth: o.s.auth()}).do([]string{"CLUSTER", "NODES"})
				o.t.Log(addr, err, "\n"+v.String())
			}
		}
	}()
	untilTrue(o.t, "coverage", func() bool {
		for slot := range feed.SlotCount {
			if !o.c.CoverageOfSlot(slot).Armed {
				return false
			}
		}
		return o.c.CoverageOfChannels().Armed
	})
}

func (o *oracle) problem(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

// invalidate is the handler of invalidations. Nothing may flush everything.
func (o *oracle) invalidate(_ context.Context, _ dispatch.NotificationHandlerContext, i notify.Invalidation) error {
	if i.FlushAll() {
		o.guard.Flush() // the server did that: a replica that gets all anew drops what it had
		o.mu.Lock()
		clear(o.cache)
		o.mu.Unlock()
	}
	for key := range i.Keys() {
		o.guard.Invalidate(key)
		o.mu.Lock()
		delete(o.cache, string(key))
		o.mu.Unlock()
	}
	return nil
}

// flush is OnFlush.
func (o *oracle) flush(_ context.Context, s feed.Slots) {
	if !o.eager {
		return
	}
	o.guard.Flush()
	o.mu.Lock()
	defer o.mu.Unlock()
	for key := range o.cache {
		if s.ContainsKey(key) {
			delete(o.cache, key)
			o.flushed++
		}
	}
}

// message is the handler of messages.
func (o *oracle) message(_ context.Context, _ dispatch.NotificationHandlerContext, m notify.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.received[string(m.Channel)] = append(o.received[string(m.Channel)], m.Payload.String())
	return nil
}

// goLoad repeats step until the end of the load. It rests for longer after a
// failure.
func (o *oracle) goLoad(step func(c *loadClient, n int) error) {
	o.load.Add(1)
	go func() {
		defer o.load.Done()
		c := newLoadClient(o.s)
		defer c.close()
		pace := time.NewTimer(0)
		defer pace.Stop()
		for n := 1; ; n++ {
			select {
			case <-o.stop:
				return
			case <-pace.C:
			}
			if step(c, n) == nil {
				pace.Reset(500 * time.Microsecond)
			} else {
				pace.Reset(10 * time.Millisecond)
			}
		}
	}()
}

// write gives a key of writer i its next version.
func (o *oracle) write(c *loadClient, i, n int) error {
	key := (n*oracleWriters + i) % len(oracleKeys)
	name := oracleKeys[key]
	o.writing.RLock()
	defer o.writing.RUnlock()
	v, err := c.do(feed.Slot(name), []string{"EVAL", setNewer, "1", name, strconv.Itoa(n)}, []string{"WAIT", "1", "100"})
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(v.String()); err != nil || !c.s.safe(c.routes[feed.Slot(name)], n) {
		delete(c.routes, feed.Slot(name)) // there may be another primary
		return errors.New("it may be lost")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acks[key] = append(o.acks[key], event{n, time.Now()})
	return nil
}

// lose runs f, which makes a cluster lose what a slot had.
func (o *oracle) lose(slot int, f func()) {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	for key, name := range oracleKeys {
		if feed.Slot(name) == slot {
			o.acks[key] = append(o.acks[key], event{0, time.Now()})
		}
	}
	o.mu.Unlock()
	f()
}

// awaitAcks waits until the writers have written each key anew.
func (o *oracle) awaitAcks() {
	o.t.Helper()
	from := time.Now()
	untilTrue(o.t, "new versions of all keys", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		for key := range oracleKeys {
			if acks := o.acks[key]; len(acks) == 0 || !acks[len(acks)-1].at.After(from) {
				return false
			}
		}
		return true
	})
}

// publish publishes the next message.
func (o *oracle) publish(c *loadClient, n int) error {
	begun, text := time.Now(), strconv.Itoa(n)
	channel, command := oracleShards[n%len(oracleShards)], "SPUBLISH"
	if n%5 == 0 {
		channel, command = oracleChannels[n/5%len(oracleChannels)], "PUBLISH"
	}
	v, err := c.do(feed.Slot(channel), []string{command, channel, text}, []string{"ROLE"})
	if err != nil {
		return err
	}
	promised := command == "SPUBLISH" // nodes pass messages to channels on without a promise
	for role := range v.All() {
		promised = promised && role.String() == "master" // a replica passes them on, too
		break
	}
	// One that has been replaced accepts them as well, until it hears of that.
	if primary := c.s.primary(); primary != "" && primary != c.routes[feed.Slot(channel)] {
		promised = false
		delete(c.routes, feed.Slot(channel))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sents = append(o.sents, sent{channel, text, promised, begun, time.Now()})
	return nil
}

// continues reports whether a value may be kept or served.
func (o *oracle) continues(now, begun feed.Coverage) bool {
	if o.eager {
		return now.Armed
	}
	return now.Continues(begun)
}

// read reads a key through the near cache.
func (o *oracle) read(c *loadClient, _ int) error {
	key := rand.N(len(oracleKeys))
	name := oracleKeys[key]
	at := time.Now()
	cover := o.c.CoverageOf(name)
	if last := c.covers[key]; cover.Gen < last.Gen || cover.Gen == last.Gen && cover.Armed && cover.AsOf.Before(last.AsOf) {
		o.problem("D: %s went from %v to %v", name, last, cover)
	}
	c.covers[key] = cover
	o.mu.Lock()
	if e, ok := o.cache[name]; ok && o.continues(cover, e.cover) {
		o.serves = append(o.serves, served{key, e.version, at, cover})
		o.mu.Unlock()
		return nil
	}
	o.mu.Unlock()
	load := o.guard.Begin(name)
	defer load.Abandon()
	node, ok := o.c.Primary(name)
	if !ok {
		return errors.New("not covered")
	}
	v, err := c.at(node.Addr).do([]string{"GET", name})
	if err != nil {
		return err
	}
	version := 0
	if !v.IsNull() {
		if version, err = strconv.Atoi(v.String()); err != nil {
			o.problem("value of %d bytes", len(v.Bytes()))
		}
	}
	kept := o.continues(o.c.CoverageOf(name), cover) && load.Keep(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.cache[name] = entry{version, cover}
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.loads++; kept {
		o.kept++
	}
	return nil
}

// fault breaks something and waits until all is covered again.
func (o *oracle) fault(name string, f func()) {
	o.t.Helper()
	o.mu.Lock()
	gaps, arms := len(o.gaps), len(o.arms)
	o.mu.Unlock()
	begun := time.Now()
	f()
	done := time.Since(begun)
	o.awaitCovered()
	o.checkConnections()
	o.mu.Lock()
	defer o.mu.Unlock()
	var text []string
	for _, g := range o.gaps[gaps:] {
		text = append(text, fmt.Sprintf("%d slots after %v (%v)", g.part.Slots.Len(), g.at.Sub(begun).Round(time.Millisecond), g.cause))
	}
	last := time.Duration(0)
	if n := len(o.arms); n > arms {
		last = o.arms[n-1].at.Sub(begun)
	}
	o.t.Logf("%s took %v; gaps: %s; armed after %v", name, done.Round(time.Millisecond), strings.Join(text, ", "), last.Round(time.Millisecond))
}

// finish ends the load, waits for quiet, and checks every invariant.
func (o *oracle) finish() {
	t := o.t
	t.Helper()
	o.awaitCovered()
	o.endLoad()
	quiet := time.Now()
	untilTrue(t, "freshness", func() bool {
		return !slices.ContainsFunc(oracleKeys, func(key string) bool { return !o.c.CoverageOf(key).AsOf.After(quiet) })
	})
	c := newLoadClient(o.s)
	defer c.close()
	o.checkCached(c)
	o.checkMarkers(c)
	o.checkConnections()
	require.NoError(t, o.c.Shutdown(t.Context()))
	require.NoError(t, <-o.ended)
	untilTrue(t, "E: no connection is left", func() bool { return len(connections(c)) == 0 })
	untilTrue(t, "E: no goroutine is left", func() bool { return !strings.Contains(stacks(), "respush/feed.(*") })

	o.mu.Lock()
	defer o.mu.Unlock()
	o.checkServed()
	o.checkMessages()
	stats := o.c.Stats()
	t.Logf("eager=%t: %d served, %d of %d loads kept, %d gaps, %d messages sent, %d looks of which %d failed, %d slots moved, %d keys flushed",
		o.eager, len(o.serves), o.kept, o.loads, len(o.gaps)-1, len(o.sents), stats.Looks, stats.Failures, stats.Moved-feed.SlotCount, o.flushed)
	if n := len(o.problems); n > 0 {
		t.Errorf("%d problems, such as\n%s", n, strings.Join(o.problems[:min(n, 10)], "\n"))
	}
	require.NotEmpty(t, o.serves)
}

// stacks returns the stacks of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}

// connections returns the addresses of the nodes that have connections of the
// Cluster, one for each of them.
func connections(c *loadClient) (list []string) {
	for _, addr := range c.s.nodes() {
		v, err := c.at(addr).do([]string{"CLIENT", "LIST"})
		for range strings.Count(v.String(), "name="+oracleName+" ") {
			list = append(list, addr)
		}
		if err != nil {
			list = append(list, err.Error())
		}
	}
	slices.Sort(list)
	return list
}

// checkConnections waits until there is one connection for each primary.
func (o *oracle) checkConnections() {
	o.t.Helper()
	c := newLoadClient(o.s)
	defer c.close()
	untilTrue(o.t, "E: one connection for each primary", func() bool {
		var want []string
		for addr := range o.c.Feeds() {
			want = append(want, addr)
		}
		slices.Sort(want)
		return slices.Equal(want, connections(c))
	})
}

// checkCached checks invariant C.
func (o *oracle) checkCached(c *loadClient) {
	o.mu.Lock()
	cached := make(map[string]entry)
	for key, e := range o.cache {
		cached[key] = e
	}
	o.mu.Unlock()
	for key, e := range cached {
		if !o.continues(o.c.CoverageOf(key), e.cover) {
			continue
		}
		v, err := c.do(feed.Slot(key), []string{"GET", key})
		require.NoError(o.t, err)
		if got := v.String(); got != strconv.Itoa(e.version) && !(v.IsNull() && e.version == 0) {
			o.problem("C: %s is cached as %d, and is %s", key, e.version, got)
		}
	}
}

// checkMarkers checks invariant F.
func (o *oracle) checkMarkers(c *loadClient) {
	for i, channel := range slices.Concat(oracleShards, oracleChannels) {
		command := "SPUBLISH"
		if i >= len(oracleShards) {
			command = "PUBLISH"
		}
		_, err := c.do(feed.Slot(channel), []string{command, channel, "marker"})
		require.NoError(o.t, err)
		untilTrue(o.t, "F: a marker on "+channel, func() bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			return slices.Contains(o.received[channel], "marker")
		})
	}
}

// newest returns the newest version in events from before a moment, or 0.
func newest(events []event, before time.Time) int {
	i, _ := slices.BinarySearchFunc(events, before, func(e event, at time.Time) int { return e.at.Compare(at) })
	if i == 0 {
		return 0
	}
	return events[i-1].n
}

// lostSince reports whether a version was lost between two moments.
func lostSince(events []event, from, to time.Time) bool {
	return slices.ContainsFunc(events, func(e event) bool { return e.n == 0 && e.at.After(from) && e.at.Before(to) })
}

// checkServed checks invariants A and B.
func (o *oracle) checkServed() {
	for _, s := range o.serves {
		acks := o.acks[s.key]
		if lostSince(acks, s.at.Add(-o.bound-oracleSlack), s.at) {
			continue
		}
		if want := newest(acks, s.cover.AsOf); s.version < want {
			o.problems = append(o.problems, fmt.Sprintf("A: %s served as %d, AsOf has %d", oracleKeys[s.key], s.version, want))
		}
		if want := newest(acks, s.at.Add(-o.bound-oracleSlack)); s.version < want {
			o.problems = append(o.problems, fmt.Sprintf("B: %s served as %d, %v ago it was %d", oracleKeys[s.key], s.version, o.bound, want))
		}
	}
}

// checkMessages checks invariant G.
func (o *oracle) checkMessages() {
	accepted, promised := make(map[string]bool), make(map[string]bool)
	for _, m := range o.sents {
		accepted[m.text], promised[m.text] = true, m.promised
	}
	for channel, texts := range o.received {
		last, seen := 0, make(map[string]bool)
		for _, text := range texts {
			n, err := strconv.Atoi(text)
			if !accepted[text] || err != nil { // a client that gave up does not know when it is carried out
				continue
			}
			if seen[text] || promised[text] && n <= last {
				o.problems = append(o.problems, fmt.Sprintf("G: %s: message %q after %d", channel, text, last))
			}
			if seen[text] = true; promised[text] {
				last = n
			}
		}
	}
	for _, m := range o.sents {
		if m.promised && !slices.Contains(o.received[m.channel], m.text) && !o.inGap(m) {
			o.problems = append(o.problems, fmt.Sprintf("G: %s: message %s was lost outside of a gap", m.channel, m.text)+o.around(m))
		}
	}
}

// inGap reports whether a message was under way between the Since of a gap of
// its slot and the next arming.
func (o *oracle) inGap(m sent) bool {
	slot := feed.Slot(m.channel)
	for _, g := range o.gaps {
		if !g.part.Slots.Contains(slot) {
			continue
		}
		end := time.Now()
		for _, a := range o.arms {
			if a.part.Slots.Contains(slot) && a.at.After(g.at) {
				end = a.at
				break
			}
		}
		if !m.at.Before(g.since) && m.begun.Before(end) {
			return true
		}
	}
	return false
}

// around returns what happened to a slot around a message.
func (o *oracle) around(m sent) string {
	text := fmt.Sprintf(" sent for %v", m.at.Sub(m.begun))
	slot := feed.Slot(m.channel)
	for _, g := range o.gaps {
		if d := g.at.Sub(m.begun); g.part.Slots.Contains(slot) && d.Abs() < 5*time.Second {
			text += fmt.Sprintf("\n\tgap at %v since %v of %d slots: %v", d, g.since.Sub(m.begun), g.part.Slots.Len(), g.cause)
		}
	}
	for _, a := range o.arms {
		if d := a.at.Sub(m.begun); a.part.Slots.Contains(slot) && d.Abs() < 5*time.Second {
			text += fmt.Sprintf("\n\tarmed at %v: %d slots", d, a.part.Slots.Len())
		}
	}
	return text
}
