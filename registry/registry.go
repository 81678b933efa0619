// Package registry maps push names to handlers. Reading is what every push of
// every connection does, so it takes no lock: one atomic load finds an immutable
// map, and a writer replaces that map by a changed copy.
//
//	var r registry.Registry[func()]
//	err := r.Register("invalidate", flush, false)
//	...
//	if h, ok := r.Lookup(name); ok {
//		h()
//	}
//
// The package knows nothing of pushes. It also holds the handler errors of
// go-redis' push API, which package dispatch passes on under the same names.
package registry

import (
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// Registry maps names to handlers of type H. The zero value is empty and ready.
// All methods may be called at the same time; readers never wait. A Registry
// must not be copied once in use.
//
// Invariant: the map that snapshot points to is never written to; mu is held
// from reading it to replacing it.
type Registry[H any] struct {
	mu       sync.Mutex
	snapshot atomic.Pointer[map[string]entry[H]]
}

type entry[H any] struct {
	handler   H
	protected bool
}

// New returns an empty Registry.
func New[H any]() *Registry[H] { return new(Registry[H]) }

// Snapshot is the immutable content of a [Registry] at one moment. Two snapshots
// of one Registry are equal (==) if nothing was registered or unregistered
// between them. The zero value is empty.
type Snapshot[H any] struct {
	names *map[string]entry[H]
}

// Snapshot returns the current content: one atomic load.
func (r *Registry[H]) Snapshot() Snapshot[H] { return Snapshot[H]{r.snapshot.Load()} }

// Lookup returns the handler of name, which it does not keep. It does not
// allocate.
func (s Snapshot[H]) Lookup(name []byte) (H, bool) {
	e, ok := s.load()[string(name)]
	return e.handler, ok
}

// load returns the map, which may be nil.
func (s Snapshot[H]) load() map[string]entry[H] {
	if s.names == nil {
		return nil
	}
	return *s.names
}

// load returns the map of the current snapshot, which may be nil.
func (r *Registry[H]) load() map[string]entry[H] { return r.Snapshot().load() }

// Register adds h under name. It returns [ErrHandlerNil] for an interface that
// is nil, and for a name that is taken an error that [IsHandlerExistsError] knows.
// A protected name cannot be unregistered. The cost is linear in the number of
// names: the map is copied.
func (r *Registry[H]) Register(name string, h H, protected bool) error {
	if any(h) == nil {
		return ErrHandlerNil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.load()
	if _, taken := old[name]; taken {
		return ErrHandlerExists(name)
	}
	m := make(map[string]entry[H], len(old)+1)
	maps.Copy(m, old)
	m[name] = entry[H]{h, protected}
	r.snapshot.Store(&m)
	return nil
}

// Unregister removes name, and returns nil for one that is not there. For a
// protected name it returns an error that [IsProtectedHandlerError] knows. A
// reader that has already looked the name up still has the handler.
func (r *Registry[H]) Unregister(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.load()
	e, ok := old[name]
	switch {
	case !ok:
		return nil
	case e.protected:
		return ErrProtectedHandler(name)
	}
	m := maps.Clone(old)
	delete(m, name)
	r.snapshot.Store(&m)
	return nil
}

// Lookup returns the handler of name, which it does not keep. It takes no lock
// and does not allocate.
func (r *Registry[H]) Lookup(name []byte) (H, bool) { return r.Snapshot().Lookup(name) }

// Get is Lookup for a string.
func (r *Registry[H]) Get(name string) (H, bool) {
	e, ok := r.load()[name]
	return e.handler, ok
}

// All yields the names and handlers of one snapshot in no order: what is
// registered or unregistered meanwhile changes nothing.
func (r *Registry[H]) All() iter.Seq2[string, H] {
	snapshot := r.load()
	return func(yield func(string, H) bool) {
		for name, e := range snapshot {
			if !yield(name, e.handler) {
				return
			}
		}
	}
}

// Len returns the number of names.
func (r *Registry[H]) Len() int { return len(r.load()) }
