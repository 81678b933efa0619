// Package registry maps push names to handlers. Every push of every connection
// looks its name up, so a look-up acquires no lock: one atomic load finds an
// immutable map. A writer replaces that map with a changed copy.
//
//	var r registry.Registry[func()]
//	err := r.Register("invalidate", flush, true)
//	...
//	if h, ok := r.Lookup(name); ok {
//		h()
//	}
//
// The package does not depend on how a push is represented. It also defines the
// handler errors of go-redis' push API, which package dispatch exports under
// the same names.
package registry

import (
	"iter"
	"maps"
	"sync"
	"sync/atomic"
)

// Registry maps names to handlers of type H. The zero value is empty and ready
// to use. All methods may be called concurrently, and readers never wait. A
// Registry must not be copied after first use.
//
// Package dispatch has a type of the same name, which is this one for the
// handlers of go-redis' push API. A program that uses a dispatch.Processor needs
// neither of them.
//
// Invariant: what snapshot points to is never written to. A writer holds mu from
// the moment it reads the map until it has replaced it.
type Registry[H any] struct {
	mu       sync.Mutex
	snapshot atomic.Pointer[content[H]]
}

// content is the content of a Registry at one moment.
//
// Invariant: first has all of names if there are at most fewNames, and otherwise
// none.
type content[H any] struct {
	names map[string]entry[H]
	first []named[H]
}

// entry is what a name maps to.
type entry[H any] struct {
	handler   H
	protected bool
}

// named is a handler with its name.
type named[H any] struct {
	name    string
	handler H
}

// fewNames is the number of names up to which comparing a name with each of them
// takes less time than hashing it (BenchmarkLookup/names=1).
const fewNames = 4

// newContent returns the content for names.
func newContent[H any](names map[string]entry[H]) *content[H] {
	c := &content[H]{names: names}
	if len(names) <= fewNames {
		for name, e := range names {
			c.first = append(c.first, named[H]{name, e.handler})
		}
	}
	return c
}

// New returns an empty Registry.
func New[H any]() *Registry[H] { return new(Registry[H]) }

// Snapshot is the immutable content of a [Registry] at one moment. Two
// snapshots of one Registry are equal (==) if nothing was registered or
// unregistered between them. The zero value is empty. A Snapshot may be used
// concurrently.
type Snapshot[H any] struct {
	content *content[H]
}

// Snapshot returns the current content. It costs one atomic load.
func (r *Registry[H]) Snapshot() Snapshot[H] { return Snapshot[H]{r.snapshot.Load()} }

// Lookup returns the handler of name and reports whether there is one. It does
// not retain name and does not allocate.
func (s Snapshot[H]) Lookup(name []byte) (h H, ok bool) {
	return s.content.lookup(name)
}

// lookup is Lookup in a content, which may be nil.
func (c *content[H]) lookup(name []byte) (h H, ok bool) {
	if c == nil {
		return h, false
	}
	if len(c.first) == 0 {
		e, ok := c.names[string(name)]
		return e.handler, ok
	}
	for i := range c.first {
		if n := &c.first[i]; n.name == string(name) {
			return n.handler, true
		}
	}
	return h, false
}

// load returns the map, which may be nil.
func (s Snapshot[H]) load() map[string]entry[H] {
	if s.content == nil {
		return nil
	}
	return s.content.names
}

// load returns the map of the current snapshot, which may be nil.
func (r *Registry[H]) load() map[string]entry[H] { return r.Snapshot().load() }

// Register adds h under name. It returns [ErrHandlerNil] if h is a nil
// interface, and an error that [IsHandlerExistsError] recognizes if name
// already has a handler. A protected name cannot be unregistered. Register
// copies the map, so its cost is linear in the number of names.
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
	r.snapshot.Store(newContent(m))
	return nil
}

// Unregister removes name. It returns nil if name has no handler, and an error
// that [IsProtectedHandlerError] recognizes if name is protected. A reader that
// has already looked name up still has the handler. Like Register, it copies
// the map.
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
	r.snapshot.Store(newContent(m))
	return nil
}

// Lookup returns the handler of name and reports whether there is one. It does
// not retain name, acquires no lock, and does not allocate.
func (r *Registry[H]) Lookup(name []byte) (H, bool) { return r.Snapshot().Lookup(name) }

// Get is like Lookup, but its argument is a string.
func (r *Registry[H]) Get(name string) (H, bool) {
	e, ok := r.load()[name]
	return e.handler, ok
}

// All returns an iterator over the names and handlers of one snapshot, in no
// particular order. Names that are registered or unregistered during the
// iteration do not affect it.
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
