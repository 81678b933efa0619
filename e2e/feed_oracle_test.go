package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
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
	n    int
	at   time.Time
	node string // that has acknowledged it
}

// served is a value that the cache answered with.
type served struct {
	key, version int
	at           time.Time // before the coverage was asked
	cover        feed.Coverage
	from         string // the node that the value was read from
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
	from    string // the node that it was read from
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
	begun    time.Time

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
		cache: make(map[string]entry), acks: make(map[int][]event), received: make(map[string][]string), routines: runtime.NumGoroutine(), begun: time.Now(),
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
		if t.Failed() {
			o.dump()
		}
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
	untilTrue(o.t, "coverage", func() bool {
		for slot := range feed.SlotCount {
			if !o.c.CoverageOfSlot(slot).Armed {
				return false
			}
		}
		return o.c.CoverageOfChannels().Armed
	})
}

// dump logs the state of a test that has failed.
func (o *oracle) dump() {
	uncovered := 0
	for slot := range feed.SlotCount {
		if !o.c.CoverageOfSlot(slot).Armed {
			uncovered++
		}
	}
	o.t.Log(uncovered, "slots are not covered; channels:", o.c.CoverageOfChannels())
	for addr, f := range o.c.Feeds() {
		o.t.Log(addr, f.Coverage(), f.Stats())
	}
	for _, addr := range o.s.nodes() {
		c := &loadConn{addr: addr, auth: o.s.auth()}
		role, err := c.do([]string{"ROLE"})
		o.t.Log(addr, role, err)
		nodes, err := c.do([]string{"CLUSTER", "NODES"})
		o.t.Log(addr, err, "\n"+nodes.String())
		c.close()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, g := range o.gaps {
		o.t.Log(o.clock(g.at), "gap of", g.part, "since", o.clock(g.since), g.cause)
	}
	for _, a := range o.arms {
		o.t.Log(o.clock(a.at), "armed:", a.part)
	}
	o.t.Log("the last error:", o.last)
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
	node := c.routes[feed.Slot(name)]
	if n, err := strconv.Atoi(v.String()); err != nil || !c.s.safe(node, n) {
		delete(c.routes, feed.Slot(name)) // there may be another primary
		return errors.New("it may be lost")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acks[key] = append(o.acks[key], event{n, time.Now(), node})
	return nil
}

// lose runs f, which makes a cluster lose what a slot had.
func (o *oracle) lose(slot int, f func()) {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	for key, name := range oracleKeys {
		if feed.Slot(name) == slot {
			o.acks[key] = append(o.acks[key], event{0, time.Now(), ""})
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
	if promised && !c.s.sure(c.routes[feed.Slot(channel)], begun) {
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
		o.serves = append(o.serves, served{key, e.version, at, cover, e.from})
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
		o.cache[name] = entry{version, cover, node.Addr}
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
