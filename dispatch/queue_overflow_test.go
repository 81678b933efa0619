package dispatch_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/race"
	"github.com/seed79615202/respush/parser"
	"github.com/stretchr/testify/require"
)

// slowness is how many pushes are handed in for each that the handler is done with.
const slowness = 10

// floodSize is how many invalidations flood a queue.
func floodSize() int {
	if testing.Short() || race.Enabled {
		return 50_000
	}
	return 100_000
}

// model is a server and the cache of its client. The server tracks the keys that the client has read and tells it once
// when one changes, or else it broadcasts every change. Broadcasting is for policies that lose pushes: a client that
// misses the one push about a key reads the old value from its cache for ever. The server and the client that reads run
// on the goroutine that gives pushes to the queue, since replies and pushes come in one stream. The handler that removes
// keys from the cache is behind the queue.
type model struct {
	broadcasts bool
	version    []uint32 // on the server, by key
	tracked    []bool   // the server has to tell about the next write to the key

	mu    sync.Mutex
	cache []uint32 // versions; 0: not cached
}

func newModel(keys int) *model {
	m := &model{version: make([]uint32, keys), tracked: make([]bool, keys), cache: make([]uint32, keys)}
	for i := range m.version {
		m.version[i] = 1
	}
	return m
}

// read is a read of the client: from the cache, or else from the server.
func (m *model) read(key int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cache[key] == 0 {
		m.cache[key], m.tracked[key] = m.version[key], true
	}
}

// write is a write of another client. It reports whether the server has to tell.
func (m *model) write(key int) bool {
	m.version[key]++
	told := m.tracked[key] || m.broadcasts
	m.tracked[key] = false
	return told
}

func (m *model) invalidate(key int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cache[key] = 0
}

func (m *model) flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.cache)
}

// stale returns how many keys of the cache are out of date.
func (m *model) stale() (n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, v := range m.cache {
		if v != 0 && v != m.version[key] {
			n++
		}
	}
	return n
}

// flood is a model whose server tells a queue, and the slow handler of that queue.
type flood struct {
	*model
	t      *testing.T
	random *rand.Rand
	wire   []byte        // of an invalidation; its number and key change
	pause  func()        // makes the handler slow
	over   chan struct{} // closed when it has lasted too long

	size, n            int    // of the queue, and of the flood
	early, late        int    // deliveries of the first and of the last pushes, as many as the queue holds
	delivered, flushes uint64 // to be what the queue has counted
	unordered, highest int
	last               int // number of the invalidation that was delivered last; -1: a flush was
}

const (
	floodWire = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$16\r\n0000000000000000\r\n" // eight digits of a number, eight of a key
	numberAt  = len(floodWire) - 18
	keyAt     = numberAt + 8
)

func newFlood(t *testing.T, keys int) *flood {
	f := &flood{
		model: newModel(keys), t: t, random: rand.New(rand.NewPCG(1, 2)), wire: []byte(floodWire), highest: -1,
		over: make(chan struct{}),
	}
	limit := time.AfterFunc(4*patience, func() { close(f.over) })
	t.Cleanup(func() { limit.Stop() })
	return f
}

// invalidation makes the push that has a number and is about a key; it is valid until the next.
func (f *flood) invalidation(number, key int) parser.Frame {
	for i, n := keyAt-1, number; i >= numberAt; i, n = i-1, n/10 {
		f.wire[i] = byte('0' + n%10)
	}
	for i, n := keyAt+7, key; i >= keyAt; i, n = i-1, n/10 {
		f.wire[i] = byte('0' + n%10)
	}
	push, _, err := parser.Parse(f.wire)
	if err != nil {
		panic(err)
	}
	return push
}

func (f *flood) HandlePush(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
	f.pause()
	raw := push.Raw()
	if string(raw) == flushAll {
		f.flushes++
		f.last = -1
		f.flush()
		return nil
	}
	number, err := strconv.Atoi(string(raw[numberAt:keyAt]))
	if err != nil {
		return err
	}
	key, err := strconv.Atoi(string(raw[keyAt : keyAt+8]))
	if err != nil {
		return err
	}
	f.delivered++
	f.last = number
	if number < f.size {
		f.early++
	}
	if number >= f.n-f.size {
		f.late++
	}
	if number <= f.highest {
		f.unordered++
	}
	f.highest = number
	f.invalidate(key)
	return nil
}

// run makes the server tell n times, with reads and writes in between, and calls each after each time. On the wire a
// key is key*stride+offset.
func (f *flood) run(q *dispatch.Queue, n, stride, offset int, each func(number int)) {
	for number, idle := 0, 0; number < n; {
		f.read(f.random.IntN(len(f.version)))
		key := f.random.IntN(len(f.version))
		if !f.write(key) {
			if idle++; idle == 100 { // perhaps nothing can be told until something has been delivered
				idle = 0
				runtime.Gosched()
				select {
				case <-f.over:
					f.t.Error("the client reads from its cache for ever, and the server has nothing more to tell")
					return
				default:
				}
			}
			continue
		}
		idle = 0
		if err := q.HandlePush(context.Background(), noContext, f.invalidation(number, key*stride+offset)); err != nil {
			f.t.Error(err)
			return
		}
		number++
		each(number)
	}
}

// heap returns the memory in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestQueueUnderAFloodOfInvalidations(t *testing.T) {
	eachOverflow(t, func(t *testing.T, policy dispatch.Overflow) {
		for _, c := range []struct{ size, workers, divisor int }{{1024, 1, 1}, {1, 2, 10}, {50, 4, 10}} {
			t.Run(fmt.Sprintf("size=%d/workers=%d", c.size, c.workers), func(t *testing.T) {
				flooded(t, policy, c.size, c.workers, floodSize()/c.divisor)
			})
		}
	})
}

// flooded hands n invalidations to a queue whose handler is too slow.
func flooded(t *testing.T, policy dispatch.Overflow, size, workers, n int) {
	f := newFlood(t, 4096)
	f.size, f.n = size, n
	f.broadcasts = policy == dispatch.DropNewest || policy == dispatch.DropOldest
	hurry := make(chan struct{}) // closed: the handler need not be slow any more
	release := func() {}         // lets go of the handler once, or waits until it has something in hand
	if policy == dispatch.Block {
		f.pause = asLongAs(t, slowness)
	} else {
		tick := make(chan struct{})
		f.pause = func() {
			select {
			case <-tick:
			case <-hurry:
			}
		}
		release = func() {
			select {
			case tick <- struct{}{}:
			case <-f.over:
			}
		}
	}
	before := heap()
	allowed := before + uint64(size)<<10 + 1<<20 // 1 KiB for a push of 46 bytes, and 1 MiB for whatever else there is
	q := dispatch.NewQueue(f, dispatch.QueueSize(size), dispatch.QueueWorkers(workers), dispatch.QueueOverflow(policy))
	f.run(q, n, 1, 0, func(number int) {
		if number%slowness == 0 {
			release()
		}
		if number%(n/8) == n/16 {
			if now := heap(); now > allowed {
				t.Errorf("%d KiB in use behind %d pushes, and %d before", now>>10, number, before>>10)
			}
			s := q.Stats()
			addsUp(t, s)
			require.EqualValues(t, number, s.Pushes)
			require.LessOrEqual(t, s.Waiting, uint64(size))
		}
	})
	if policy != dispatch.Block {
		s := q.Stats()
		slow := uint64(n/slowness + 1) // and one in hand
		require.LessOrEqual(t, s.Delivered+s.Flushes, slow)
		require.GreaterOrEqual(t, s.Dropped+s.Coalesced+s.Waiting, uint64(n)-slow)
	}
	close(hurry)
	s := drained(t, q)

	require.EqualValues(t, n, s.Pushes)
	require.Equal(t, s.Delivered, f.delivered)
	require.Equal(t, s.Flushes, f.flushes)
	require.Zero(t, s.Errors+s.Panics)
	require.Zero(t, f.unordered)
	switch policy {
	case dispatch.Block:
		require.Equal(t, dispatch.QueueStats{Pushes: s.Pushes, Delivered: s.Pushes, Blocked: s.Blocked}, s)
		require.Positive(t, s.Blocked)
	case dispatch.DropNewest, dispatch.DropOldest:
		require.Equal(t, dispatch.QueueStats{Pushes: s.Pushes, Delivered: s.Delivered, Dropped: s.Dropped}, s)
		require.Positive(t, f.stale(), "that is the price")
		require.LessOrEqual(t, f.stale(), s.Dropped)
		if policy == dispatch.DropNewest {
			require.Equal(t, size, f.early)
		} else {
			require.Equal(t, size, f.late)
		}
	case dispatch.CoalesceToFlush:
		require.Equal(t, dispatch.QueueStats{Pushes: s.Pushes, Delivered: s.Delivered, Coalesced: s.Coalesced, Flushes: s.Flushes}, s)
		require.Positive(t, s.Flushes)
		require.Contains(t, []int{-1, n - 1}, f.last, "nothing comes behind the last push but a flush")
	}
	if policy == dispatch.Block || policy == dispatch.CoalesceToFlush {
		require.Zero(t, f.stale())
	}
}

// asLongAs returns a function that takes as long as n pushes into a queue, by handing them into one that is full.
func asLongAs(t *testing.T, n int) func() {
	q, _ := stuck(t, dispatch.QueueSize(1), dispatch.QueueOverflow(dispatch.DropOldest))
	f := framed(floodWire)
	return func() {
		for range n {
			if err := q.HandlePush(context.Background(), noContext, f); err != nil {
				t.Error(err)
			}
		}
	}
}

// Several connections may bring the invalidations of one cache, and other pushes too. A flush hides every loss before it,
// so the test makes many short floods.
func TestQueueFlushesForSeveralConnections(t *testing.T) {
	const connections, n = 4, 20
	rounds := floodSize() / 250
	parts := make([]*flood, connections) // each connection is told of some of the keys
	for i := range parts {
		parts[i] = newFlood(t, 512)
	}
	messages := 0
	drop := func(_ context.Context, _ dispatch.NotificationHandlerContext, push parser.Frame) error {
		runtime.Gosched() // to be slower than the connections
		raw := push.Raw()
		switch {
		case string(raw) == flushAll:
			for _, f := range parts {
				f.flush()
			}
		case len(raw) != len(floodWire):
			messages++
		default:
			key, err := strconv.Atoi(string(raw[keyAt : keyAt+8]))
			parts[key%connections].invalidate(key / connections)
			return err
		}
		return nil
	}
	message := framed(push("message", "channel", "x"))
	var flushes uint64
	for round := range rounds {
		q := dispatch.NewQueue(dispatch.HandlerFunc(drop),
			dispatch.QueueSize(round%10+1), dispatch.QueueOverflow(dispatch.CoalesceToFlush))
		var wg sync.WaitGroup
		for i := range parts {
			wg.Add(1)
			go func() {
				defer wg.Done()
				parts[i].run(q, n, connections, i, func(int) {
					_ = q.HandlePush(context.Background(), noContext, message)
				})
			}()
		}
		wg.Wait()
		s := drained(t, q)
		require.EqualValues(t, connections*2*n, s.Pushes)
		require.EqualValues(t, (round+1)*connections*n, messages)
		require.Zero(t, s.Dropped+s.Errors+s.Panics)
		for _, f := range parts {
			require.Zero(t, f.stale())
		}
		flushes += s.Flushes
	}
	require.Positive(t, flushes)
}
