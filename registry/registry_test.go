package registry_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/seed79615202/respush/internal/test/allocs"
	"github.com/seed79615202/respush/registry"
	"github.com/stretchr/testify/require"
)

func TestZeroValueIsReady(t *testing.T) {
	var r registry.Registry[int]
	require.Zero(t, r.Len())
	require.Empty(t, maps.Collect(r.All()))
	_, ok := r.Lookup([]byte("a"))
	require.False(t, ok)
	_, ok = r.Get("a")
	require.False(t, ok)
	require.NoError(t, r.Unregister("a"))
	require.NoError(t, r.Register("a", 1, false))
	require.Equal(t, 1, r.Len())
}

func TestRegisteredNameIsFoundUntilUnregistered(t *testing.T) {
	r := registry.New[int]()
	for i, name := range []string{"invalidate", "MOVING", "", "a\r\nb", "\xff\x00"} {
		require.NoError(t, r.Register(name, i+1, false))
		h, ok := r.Lookup([]byte(name))
		require.True(t, ok)
		require.Equal(t, i+1, h)
		h, ok = r.Get(name)
		require.True(t, ok)
		require.Equal(t, i+1, h)
		require.Equal(t, i+1, r.Len())
	}
	for _, other := range []string{"INVALIDATE", "invalidat", "invalidates", " "} {
		h, ok := r.Lookup([]byte(other))
		require.False(t, ok, "%q", other)
		require.Zero(t, h)
	}
	require.NoError(t, r.Unregister("MOVING"))
	_, ok := r.Get("MOVING")
	require.False(t, ok)
	require.Equal(t, 4, r.Len())
	require.NoError(t, r.Register("MOVING", 7, false), "the name is free again")
	h, _ := r.Get("MOVING")
	require.Equal(t, 7, h)
}

func TestTakenNameKeepsItsHandler(t *testing.T) {
	for _, protected := range []bool{false, true} {
		r := registry.New[int]()
		require.NoError(t, r.Register("a", 1, protected))
		for _, again := range []bool{false, true} {
			err := r.Register("a", 2, again)
			require.True(t, registry.IsHandlerExistsError(err))
			require.Equal(t, registry.ErrHandlerExists("a"), err)
		}
		h, _ := r.Get("a")
		require.Equal(t, 1, h)
		require.Equal(t, 1, r.Len())
	}
}

func TestProtectedNameStays(t *testing.T) {
	r := registry.New[int]()
	require.NoError(t, r.Register("a", 1, true))
	for range 2 {
		err := r.Unregister("a")
		require.True(t, registry.IsProtectedHandlerError(err))
		require.Equal(t, registry.ErrProtectedHandler("a"), err)
	}
	h, ok := r.Get("a")
	require.True(t, ok)
	require.Equal(t, 1, h)
}

func TestNilHandlerIsRefused(t *testing.T) {
	stringers := registry.New[fmt.Stringer]()
	require.ErrorIs(t, stringers.Register("a", nil, false), registry.ErrHandlerNil)
	require.True(t, registry.IsHandlerNilError(stringers.Register("a", nil, true)))
	require.Zero(t, stringers.Len())
	_, ok := stringers.Get("a")
	require.False(t, ok)
	require.NoError(t, stringers.Unregister("a"), "a refused handler protects nothing")
}

func TestNameIsNotKeptByLookup(t *testing.T) {
	r := registry.New[int]()
	require.NoError(t, r.Register("a", 1, false))
	name := []byte("a")
	h, ok := r.Lookup(name)
	require.True(t, ok)
	name[0] = 'z'
	require.Equal(t, 1, h)
	_, ok = r.Lookup(name)
	require.False(t, ok)
	require.Equal(t, map[string]int{"a": 1}, maps.Collect(r.All()))
}

func TestAllYieldsOneSnapshot(t *testing.T) {
	r := registry.New[int]()
	want := map[string]int{}
	for i := range 10 {
		name := fmt.Sprint("n", i)
		want[name] = i
		require.NoError(t, r.Register(name, i, false))
	}
	got := map[string]int{}
	for name, h := range r.All() {
		got[name] = h
		for other := range want {
			require.NoError(t, r.Unregister(other))
		}
		require.NoError(t, r.Register(fmt.Sprint("new", len(got)), -1, false))
	}
	require.Equal(t, want, got)
	require.Equal(t, 10, r.Len(), "the registry itself has moved on")

	seen := 0
	for range r.All() {
		seen++
		break
	}
	require.Equal(t, 1, seen)
}

func TestSnapshotStaysWhatItWas(t *testing.T) {
	var zero registry.Snapshot[int]
	r := registry.New[int]()
	require.True(t, r.Snapshot() == zero, "nothing has been registered")
	_, ok := zero.Lookup([]byte("a"))
	require.False(t, ok)

	require.NoError(t, r.Register("a", 1, false))
	before := r.Snapshot()
	require.True(t, before == r.Snapshot())
	require.Error(t, r.Register("a", 2, false))
	require.NoError(t, r.Unregister("unknown"))
	require.True(t, before == r.Snapshot(), "what was refused, or nothing to do, has changed nothing")

	require.NoError(t, r.Unregister("a"))
	require.NoError(t, r.Register("a", 3, false))
	require.False(t, before == r.Snapshot())
	h, ok := before.Lookup([]byte("a"))
	require.True(t, ok)
	require.Equal(t, 1, h)
	h, _ = r.Snapshot().Lookup([]byte("a"))
	require.Equal(t, 3, h)
}

func TestLookupAllocatesNothing(t *testing.T) {
	r := registry.New[func()]()
	require.NoError(t, r.Register("invalidate", func() {}, false))
	known, unknown := []byte("invalidate"), []byte("a-name-that-is-longer-than-any-small-buffer-of-the-runtime")
	require.Zero(t, allocs.PerRun(100, func() {
		if _, ok := r.Lookup(known); !ok {
			panic("lost")
		}
		if _, ok := r.Lookup(unknown); ok {
			panic("found")
		}
		if _, ok := r.Snapshot().Lookup(known); !ok {
			panic("lost")
		}
		r.Get("invalidate")
		r.Len()
	}))
}

// model is a plain map that a Registry must behave like.
type model struct {
	mu        sync.Mutex
	handlers  map[string]int
	protected map[string]bool
}

func (m *model) register(name string, h int, protected bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.handlers[name]; taken {
		return registry.ErrHandlerExists(name)
	}
	m.handlers[name], m.protected[name] = h, protected
	return nil
}

func (m *model) unregister(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.protected[name] {
		return registry.ErrProtectedHandler(name)
	}
	delete(m.handlers, name)
	delete(m.protected, name)
	return nil
}

func (m *model) get(name string) (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.handlers[name]
	return h, ok
}

func TestRandomOperationsEqualAMutexMap(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		m := &model{handlers: map[string]int{}, protected: map[string]bool{}}
		r := registry.New[int]()
		for op := range 100 {
			name := fmt.Sprint("n", rnd.IntN(8))
			switch what := rnd.IntN(10); {
			case what < 4:
				protected := rnd.IntN(20) == 0
				require.Equal(t, m.register(name, op, protected), r.Register(name, op, protected), "seed %d", seed)
			case what < 7:
				require.Equal(t, m.unregister(name), r.Unregister(name), "seed %d", seed)
			case what < 9:
				wantH, wantOK := m.get(name)
				h, ok := r.Lookup([]byte(name))
				require.Equal(t, wantOK, ok, "seed %d", seed)
				require.Equal(t, wantH, h, "seed %d", seed)
				h, ok = r.Get(name)
				require.Equal(t, wantOK, ok, "seed %d", seed)
				require.Equal(t, wantH, h, "seed %d", seed)
			default:
				require.Equal(t, m.handlers, maps.Collect(r.All()), "seed %d", seed)
				require.Equal(t, len(m.handlers), r.Len(), "seed %d", seed)
			}
		}
	}
}

// flatOut runs the writers once to their end and the readers over and over
// until then, at least once, all at the same time. It returns their errors.
func flatOut(writers, readers []func() error) error {
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	errs := make(chan error, len(writers)+len(readers))
	for _, read := range readers {
		reading.Add(1)
		go func() {
			defer reading.Done()
			for {
				if err := read(); err != nil {
					errs <- err
					return
				}
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		}()
	}
	for _, write := range writers {
		writing.Add(1)
		go func() {
			defer writing.Done()
			if err := write(); err != nil {
				errs <- err
			}
		}()
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

func TestEveryHandlerFoundBelongsToItsNameWhileWritersRun(t *testing.T) {
	const names, rounds = 6, 400
	r := registry.New[*string]()
	belongs := func(name string, h *string, ok bool) error {
		if ok && (h == nil || *h != name) {
			return fmt.Errorf("%s has the handler of another name", name)
		}
		return nil
	}
	var writers, readers []func() error
	for i := range names {
		name := fmt.Sprint("n", i)
		writers = append(writers, func() error {
			for range rounds {
				own := name
				if err := r.Register(name, &own, false); err != nil {
					return err
				}
				if h, _ := r.Get(name); h != &own {
					return fmt.Errorf("%s is not what was registered", name)
				}
				if err := r.Unregister(name); err != nil {
					return err
				}
				if _, ok := r.Get(name); ok {
					return fmt.Errorf("%s is there after Unregister has returned", name)
				}
			}
			return nil
		})
	}
	for range 2 {
		readers = append(readers, func() error {
			for i := range names {
				name := fmt.Sprint("n", i)
				h, ok := r.Lookup([]byte(name))
				if err := belongs(name, h, ok); err != nil {
					return err
				}
			}
			for name, h := range r.All() {
				if err := belongs(name, h, true); err != nil {
					return err
				}
			}
			if n := r.Len(); n > names {
				return fmt.Errorf("%d names of %d", n, names)
			}
			return nil
		})
	}
	require.NoError(t, flatOut(writers, readers))
	require.Zero(t, r.Len())
}

// "second" is only ever there while "first" is, so a reader that saw it alone
// would have seen half of a change.
func TestReadersSeeWholeSnapshots(t *testing.T) {
	r := registry.New[int]()
	writer := func() error {
		for i := range 1000 {
			if err := errors.Join(
				r.Register("first", i, false), r.Register("second", i, false),
				r.Unregister("second"), r.Unregister("first"),
			); err != nil {
				return err
			}
		}
		return nil
	}
	reader := func() error {
		seen := maps.Collect(r.All())
		first, ok := seen["first"]
		if second, both := seen["second"]; both && (!ok || first != second) {
			return fmt.Errorf("a torn snapshot: %v", seen)
		}
		return nil
	}
	require.NoError(t, flatOut([]func() error{writer}, []func() error{reader, reader}))
}

func TestOneOfManyRegisteringTheSameNameWins(t *testing.T) {
	for range 50 {
		r := registry.New[int]()
		var mu sync.Mutex
		winner := 0
		var writers []func() error
		for i := 1; i <= 8; i++ {
			writers = append(writers, func() error {
				err := r.Register("a", i, false)
				if registry.IsHandlerExistsError(err) {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				if winner != 0 {
					return errors.New("a second winner")
				}
				winner = i
				return err
			})
		}
		require.NoError(t, flatOut(writers, nil))
		h, ok := r.Get("a")
		require.True(t, ok)
		require.Equal(t, winner, h)
	}
}
