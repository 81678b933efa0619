package feed

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// guardShards is how many parts a Guard has, each with a lock of its own. It is
// a power of two.
const guardShards = 64

// freeLoads is how many ended loads a shard keeps for reuse. More are needed
// only after a burst, and then allocated.
const freeLoads = 32

// bigShard is how many loads at once make a shard's map one that is given back
// when it is empty: maps do not shrink.
const bigShard = 1024

// guardSeed is shared by all Guards, as the zero Guard is ready for use.
var guardSeed = maphash.MakeSeed()

// A Guard tells a near cache which of its loads may be kept. Replies and pushes
// that arrive on two connections have no order: a value may be read, then
// changed, and the invalidation handled before the value is stored. Nothing
// would ever remove it then. A Guard notices, with a token for each load:
//
//	load := guard.Begin(key) // before the read is sent
//	value, err := fetch(key)
//	if err != nil {
//		load.Abandon()
//		return err
//	}
//	load.Keep(func() { cache.Set(key, value) })
//
// The handler of invalidations calls Invalidate or Flush before it deletes from
// the cache. Then no value stays in the cache that is older than an
// invalidation that was handled.
//
// A Guard remembers the loads that are under way and nothing else. All methods
// may be called from any goroutine. The zero Guard is ready for use. A Guard
// must not be copied.
//
// Two keys whose 64-bit hashes are equal count as one: a load is then thrown
// away for an invalidation of the other key. That is harmless and very rare.
type Guard struct {
	shards [guardShards]guardShard
}

// A guardShard has the loads of some keys. Invariant: loading is the number of
// entries in loads, chains included.
type guardShard struct {
	loading atomic.Int64 // is read without mu, so that most invalidations take no lock
	mu      sync.Mutex
	seq     uint64                // number of the newest load
	loads   map[uint64]*loadEntry // by hash of the key; loads of one key are chained
	free    *loadEntry            // ended loads
	spare   int32                 // length of free
	big     bool                  // loads has been larger than bigShard
	done    *sync.Cond            // tells that a store has ended; nil until somebody has waited for one
}

// A loadEntry is a load under way, or one that is free for reuse.
type loadEntry struct {
	shard *guardShard
	hash  uint64
	seq   uint64 // number of the load; 0 when free
	state loadState
	next  *loadEntry // in the chain or the free list
}

type loadState uint8

const (
	loadFresh   loadState = iota // nothing was invalidated since Begin
	loadStale                    // the value must not be kept
	loadStoring                  // Keep runs store
)

// A Load is one load of one key, from Begin to Keep or Abandon. The first of
// these ends it. Later calls do nothing, and neither do calls on the zero Load.
type Load struct {
	entry *loadEntry
	seq   uint64
}

// Begin begins a load of a key. It has to be called before the read is sent to
// the server. Any number of loads may be under way, also of the same key. Each
// is to end with Keep or Abandon, else the Guard remembers it for ever.
func (g *Guard) Begin(key string) Load {
	hash := maphash.String(guardSeed, key)
	s := g.shard(hash)
	s.mu.Lock()
	e := s.free
	if e != nil {
		s.free = e.next
		s.spare--
	} else {
		e = &loadEntry{shard: s}
	}
	if s.loads == nil {
		s.loads = make(map[uint64]*loadEntry)
	}
	s.seq++
	e.hash, e.seq, e.state, e.next = hash, s.seq, loadFresh, s.loads[hash]
	s.loads[hash] = e
	s.big = s.big || len(s.loads) > bigShard
	s.loading.Add(1)
	load := Load{entry: e, seq: e.seq}
	s.mu.Unlock()
	return load
}

// Keep ends the load. It runs store and returns true if the key was not
// invalidated since Begin, and nothing was flushed. Otherwise it returns false
// and the value must not be stored: it may still be used once.
//
// Nothing overtakes the store: Invalidate of this key, and Flush, wait until
// store has returned, so that the handler's own delete finds what was stored.
// For this reason store should only store. It may use the Guard for other
// loads, also of this key, but it would wait for itself if it called Invalidate
// of this key or Flush, or took a lock that a caller of these holds. If store
// panics the load has ended all the same.
func (l Load) Keep(store func()) bool {
	e := l.entry
	if e == nil {
		return false
	}
	s := e.shard
	s.mu.Lock()
	if e.seq != l.seq || e.state == loadStoring {
		s.mu.Unlock()
		return false
	}
	if e.state == loadStale {
		s.end(e)
		s.mu.Unlock()
		return false
	}
	e.state = loadStoring
	s.mu.Unlock()
	defer s.stored(e)
	store()
	return true
}

// Abandon ends the load without a value, as when the read has failed. It does
// nothing after Keep, so that it may be deferred.
func (l Load) Abandon() {
	e := l.entry
	if e == nil {
		return
	}
	s := e.shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.seq == l.seq && e.state != loadStoring {
		s.end(e)
	}
}

// Invalidate makes [Load.Keep] refuse the loads of a key that are under way. A
// handler of invalidations calls it for each key before it deletes the key from
// the cache. If such a load is being stored, Invalidate waits until store has
// returned. It does not retain key, and does not allocate unless it waits.
func (g *Guard) Invalidate(key []byte) {
	hash := maphash.Bytes(guardSeed, key)
	s := g.shard(hash)
	if s.loading.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	until := s.seq // later loads are of no concern: they read what the server has now
	for s.expire(s.loads[hash], until) {
		s.wait()
	}
}

// Flush is Invalidate for all keys: for the invalidation with null in place of
// keys, and when invalidations may have been missed.
func (g *Guard) Flush() {
	for i := range g.shards {
		if s := &g.shards[i]; s.loading.Load() > 0 {
			s.flush()
		}
	}
}

// Loading returns how many loads are under way.
func (g *Guard) Loading() int {
	n := 0
	for i := range g.shards {
		n += int(g.shards[i].loading.Load())
	}
	return n
}

func (g *Guard) shard(hash uint64) *guardShard { return &g.shards[hash%guardShards] }

func (s *guardShard) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for until := s.seq; ; s.wait() {
		storing := false
		for _, chain := range s.loads {
			if s.expire(chain, until) {
				storing = true
			}
		}
		if !storing {
			return
		}
	}
}

// expire makes the loads of a chain stale, as far as they began no later than
// the load number until. It reports whether one of them is being stored. The
// caller holds mu.
func (s *guardShard) expire(chain *loadEntry, until uint64) (storing bool) {
	for e := chain; e != nil; e = e.next {
		switch {
		case e.seq > until:
		case e.state == loadStoring:
			storing = true
		default:
			e.state = loadStale
		}
	}
	return storing
}

// wait returns when a store has ended. The caller holds mu, and does again
// after.
func (s *guardShard) wait() {
	if s.done == nil {
		s.done = sync.NewCond(&s.mu)
	}
	s.done.Wait()
}

// stored ends a load whose store has returned.
func (s *guardShard) stored(e *loadEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(e)
	if s.done != nil {
		s.done.Broadcast()
	}
}

// end removes a load. The caller holds mu.
func (s *guardShard) end(e *loadEntry) {
	if first := s.loads[e.hash]; first != e {
		for first.next != e {
			first = first.next
		}
		first.next = e.next
	} else if e.next != nil {
		s.loads[e.hash] = e.next
	} else {
		delete(s.loads, e.hash)
	}
	if s.big && len(s.loads) == 0 {
		s.loads, s.big = nil, false
	}
	s.loading.Add(-1)
	e.seq, e.next = 0, nil
	if s.spare < freeLoads {
		e.next, s.free = s.free, e
		s.spare++
	}
}
