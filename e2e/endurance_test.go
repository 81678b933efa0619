package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed79615202/respush/dispatch"
	"github.com/seed79615202/respush/internal/test/faults"
	"github.com/seed79615202/respush/internal/test/redistest"
	"github.com/seed79615202/respush/internal/test/soak"
)

// errUnruly is the error of handlers that fail on purpose, and what they panic
// with.
var errUnruly = errors.New("unruly")

// unruly makes the handlers of talkers fail, panic, and come and go, while it is
// set.
var unruly atomic.Pointer[mischief]

// mischief registers handlers of a processor and takes them away again, on a
// goroutine of its own.
type mischief struct {
	mu     sync.Mutex
	random *rand.Rand
	p      *dispatch.Processor
	has    map[string]bool // the handlers of p
}

func (m *mischief) number(n int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.random.IntN(n)
}

// watch lets the handlers of p come and go from now on.
func (m *mischief) watch(p *dispatch.Processor) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.p, m.has = p, make(map[string]bool)
}

// change registers or takes away the handler of a name.
func (m *mischief) change(name string) (err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.p == nil:
		return nil
	case m.has[name]:
		err = m.p.UnregisterHandler(name)
	default:
		err = m.p.HandleFunc(name, tell)
	}
	m.has[name] = !m.has[name]
	return err
}

// run goes on until stop is closed. Without a handler, pushes go to the fallback,
// which is the same.
func (m *mischief) run(t *testing.T, stop <-chan struct{}) {
	names := []string{"invalidate", "message", "subscribe", "other"}
	pace := time.NewTicker(100 * time.Microsecond)
	defer pace.Stop()
	for {
		select {
		case <-stop:
			return
		case <-pace.C:
		}
		if err := m.change(names[m.number(len(names))]); err != nil {
			t.Error(err)
		}
	}
}

// newTellingProcessor returns a processor whose handlers all are tell.
func newTellingProcessor(tb testing.TB) *dispatch.Processor {
	p := newProcessor(tb, dispatch.WithFallback(dispatch.HandlerFunc(tell)))
	if m := unruly.Load(); m != nil {
		m.watch(p)
	}
	return p
}

// misbehave is the end of a handler.
func misbehave() error {
	if m := unruly.Load(); m != nil {
		switch m.number(16) {
		case 0:
			return errUnruly
		case 1:
			panic(errUnruly)
		}
	}
	return nil
}

// livesAtOnce is how many connections are opened and broken between two looks at
// what is left of them.
const livesAtOnce = 25

// TestConnectionsComeAndGoAndNothingIsLost opens connections through a proxy with
// random faults, uses them until they break or for a few rounds, and checks what
// has arrived. Meanwhile handlers fail, panic, and come and go. After some
// of that, no goroutine, no descriptor and no memory may be left.
func TestConnectionsComeAndGoAndNothingIsLost(t *testing.T) {
	for kind, newTalker := range talkers {
		t.Run("client="+kind, func(t *testing.T) {
			seed := soak.Seed(t)
			e := &endurance{server: redistest.Start(t), random: rand.New(rand.NewPCG(seed, 0)), newTalker: newTalker}
			e.watch = e.server.Dial(t)
			m := &mischief{random: rand.New(rand.NewPCG(seed, 1))}
			unruly.Store(m)
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				m.run(t, stop)
			}()
			defer func() {
				close(stop)
				<-stopped
				unruly.Store(nil)
			}()
			end := time.Now().Add(soak.For(t) / time.Duration(len(talkers)))
			var first leftovers
			for n := 0; n < 2 || time.Now().Before(end); n++ {
				t.Run("", func(t *testing.T) {
					for range livesAtOnce {
						e.live(t)
					}
				})
				if t.Failed() {
					return
				}
				m.watch(nil)
				if n == 0 {
					first = left()
					continue
				}
				eventually(t, "what connections leave behind to go", func() bool { return !left().exceeds(first) })
			}
			t.Logf("%s: %d connections, %d of which broke, %d rounds, %d pushes; left are %v, at first %v", kind, e.lives, e.broke, e.rounds, e.pushes, left(), first)
		})
	}
}

// endurance is a server that talkers come to and go from.
type endurance struct {
	server    *redistest.Server
	watch     *redistest.Client // the only other connection of server
	random    *rand.Rand
	newTalker func(tb testing.TB, addr string) (talker, error)

	lives, broke, rounds, pushes int
}

// live uses a talker from its beginning to its end. It waits until the server has
// carried out what the last one sent, which this one would be told of.
func (e *endurance) live(t *testing.T) {
	eventually(t, "the last connection to end", func() bool {
		return strings.Count(e.watch.Do("CLIENT", "LIST").String(), "\n") == 1
	})
	p := e.proxy(t)
	defer p.Close()
	talker, err := e.newTalker(t, p.Addr)
	defer talker.finish()
	endAt := e.random.IntN(16)
	at := e.random.IntN(9000) // so that a number has four digits
	for i := 0; i < 8 && err == nil; i++ {
		if i == endAt {
			p.CloseAll()
		}
		steps := round(at + i)
		if e.random.IntN(8) == 0 {
			steps = append(steps, step{setMany(), "OK"})
			i = 8 // its keys must not be named again
		}
		var replies []any
		replies, err = talker.do(steps)
		checkReplies(t, steps, replies, err)
		e.rounds++
	}
	checkBroken(t, talker, err)
	for _, w := range talker.connections().list() {
		e.pushes += len(w.told.all())
	}
	if e.lives++; err != nil {
		e.broke++
	}
}

// proxy returns a proxy with random faults. It is not toxiproxy, whose links leave
// goroutines.
func (e *endurance) proxy(t *testing.T) *faults.Proxy {
	p := faults.Start(t, e.server.Addr)
	p.Abrupt(e.random.IntN(2) == 0)
	if e.random.IntN(2) == 0 {
		p.Down().Pieces(1 + e.random.IntN(100))
	}
	switch e.random.IntN(4) {
	case 0:
		p.Down().CutAfter(e.random.IntN(4000))
	case 1:
		p.Down().CutAfter(e.random.IntN(200_000))
	}
	return p
}

// leftovers is what a process holds.
type leftovers struct {
	goroutines, files int
	heap              uint64
}

func left() leftovers {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // none where there is no such directory
	return leftovers{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}

// exceeds reports whether l is more than at first, but for what a heap and a pool
// may vary by.
func (l leftovers) exceeds(first leftovers) bool {
	return l.goroutines > first.goroutines || l.files > first.files || l.heap > first.heap+4<<20
}

func (l leftovers) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %.1f MiB", l.goroutines, l.files, float64(l.heap)/(1<<20))
}
